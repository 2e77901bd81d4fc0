package kit

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/ob"
	ks "irqlab/sync"
	"irqlab/thread"
)

// recorder is a test that runs inside one, to see how it ends.
type recorder struct {
	testing.TB
	cleanup []func()
	errors  []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Failed() bool     { return len(r.errors) > 0 }
func (r *recorder) Skipped() bool    { return false }
func (r *recorder) Cleanup(f func()) { r.cleanup = append(r.cleanup, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) end() {
	for i := len(r.cleanup) - 1; i >= 0; i-- {
		r.cleanup[i]()
	}
}

// newEvent returns an event object with one reference.
func newEvent() *ks.Event {
	e := (*ks.Event)(ob.Create(ob.Event, unsafe.Sizeof(ks.Event{})))
	e.InitNotification(false)
	return e
}

// Each way to leak is caught, and named; what is put right in time is not.
func TestLeaks(t *testing.T) {
	defer func(d time.Duration) { leakPatience = d }(leakPatience)
	victim := func() *kernel.Thread {
		th, _ := thread.Start("victim", func() {})
		return th
	}
	for name, c := range map[string]struct {
		leak func() (repair func())
		says string
	}{
		"handle": {func() func() {
			e := newEvent()
			h, _ := ob.Insert(unsafe.Pointer(e), &ob.Attributes{}, ob.Synchronize, kernel.KernelMode)
			return func() { ob.Close(h, kernel.KernelMode) }
		}, "Event: +1 objects, +1 handles, +1 references\n\thandle 0x"},
		"object": {func() func() {
			e := newEvent()
			return func() { ob.Dereference(unsafe.Pointer(e)) }
		}, "Event: +1 objects, +0 handles, +1 references"},
		"reference": {func() func() {
			p := unsafe.Pointer(ob.System())
			ob.Reference(p)
			return func() { ob.Dereference(p) }
		}, "Process: +0 objects, +0 handles, +1 references"},
		"reference to a live thread": {func() func() {
			p := unsafe.Pointer(kernel.Current())
			ob.Reference(p)
			return func() { ob.Dereference(p) }
		}, "Thread: +0 objects, +0 handles, +1 references"},
		"reference to an ended thread": {func() func() {
			th := victim()
			Until(t, "its end", func() bool { return th.Header.State() != 0 })
			return func() { ob.Dereference(unsafe.Pointer(th)) }
		}, "Thread: +1 objects, +0 handles, +1 references"},
	} {
		t.Run(name, func(t *testing.T) {
			Stay()
			var got string
			// Threads of the Go runtime may end meanwhile, which is none of ours.
			named := Retry(func() bool {
				leakPatience = 100 * time.Millisecond
				r := &recorder{}
				New[uint64](r)
				repair := c.leak()
				r.end()
				repair()
				got = strings.Join(r.errors, "\n")
				return strings.Contains(got, c.says)
			})
			if !named {
				t.Errorf("the test ends with %q, want %q", got, c.says)
			}
			leakPatience = Patience
			r := &recorder{}
			New[uint64](r)
			time.AfterFunc(10*time.Millisecond, c.leak())
			r.end()
			if r.errors != nil {
				t.Errorf("repaired in time: %q", r.errors)
			}
		})
	}
}

// Threads that come, go, wait and refer to each other are no leaks.
func TestNoFalseAlarm(t *testing.T) {
	r := &recorder{}
	NoLeaks(r)
	for range 20 {
		th, _ := thread.Start("passing", func() {
			timeout := int64(-kernel.Millisecond)
			ks.Delay(timeout, false, kernel.KernelMode)
			thread.Exit(ntstatus.Success)
		})
		go func() {
			ks.Wait(&th.Header, nil, false, kernel.KernelMode)
			ob.Dereference(unsafe.Pointer(th))
		}()
	}
	r.end()
	if r.errors != nil {
		t.Error(r.errors)
	}
}
