package badinput

import (
	"reflect"
	"strings"
	"testing"

	"irqlab/irql"
	. "irqlab/wdk"
)

// A handle is bad in these ways.
const (
	isZero    = "zero"
	invented  = "invented"
	inKernel  = "invented, for the kernel"
	stale     = "closed"
	otherType = "of another type: "
	self      = "the current thread"
)

// badHandles returns the bad handles, or IDs, for a parameter, and what must come of
// each.
func (b *bench) badHandles(r *routine, name string) (h map[string]HANDLE, wants map[string]string) {
	if strings.HasSuffix(name, "Id") {
		return map[string]HANDLE{isZero: 0, invented: 4 * 3001 << 20, inKernel: 0xFFFF_FFFF_8000_0000 | 4*3001}, nil
	}
	h = map[string]HANDLE{isZero: 0, invented: 4 * 3001, inKernel: 0xFFFF_FFFF_8000_0000 | 4*3001, stale: closedHandle()}
	wants = map[string]string{}
	if typedHandle(name) && strings.Contains(name, "Process") {
		h[self], wants[self] = NtCurrentThread(), mismatch
	}
	for t, other := range b.handles {
		if !takes(r, name, t) {
			kind := otherType + t
			h[kind], wants[kind] = other, mismatch
		}
	}
	return h, wants
}

// takes reports whether a parameter takes handles to a type of object.
func takes(r *routine, name, t string) bool {
	switch {
	case typedHandle(name):
		return strings.HasPrefix(name, t)
	case name == "ObjectHandleToSignal":
		return t == "Event" || t == "Semaphore" || t == "Mutant"
	case strings.Contains(r.name, "Wait"):
		return t != "Directory"
	}
	return true
}

// closedHandle returns a handle that is closed.
func closedHandle() HANDLE {
	var h HANDLE
	ZwCreateEvent(&h, EVENT_ALL_ACCESS, nil, NotificationEvent, false)
	ZwClose(h)
	return h
}

// handlesOf checks a routine's handles.
func (b *bench) handlesOf(r *routine) {
	f := reflect.TypeOf(r.fn)
	for i := range f.NumIn() {
		t := f.In(i)
		many := t == of[[]HANDLE]()
		if t != of[HANDLE]() && !many {
			continue
		}
		name := r.params[i]
		kinds, wants := b.badHandles(r, name)
		for kind, h := range kinds {
			want, special := wants[kind]
			if !special {
				want = badHandle
			}
			b.check(r, i, kind, irql.Passive, func() reflect.Value {
				v := reflect.New(t).Elem()
				if many {
					v = reflect.ValueOf([]HANDLE{h})
				} else {
					v.SetUint(uint64(h))
				}
				return v
			}, want)
		}
	}
}

// typedHandle reports whether a parameter takes handles to one type of object.
func typedHandle(name string) bool {
	for _, t := range []string{"Process", "Thread", "Event", "Mutant", "Semaphore", "Timer"} {
		if strings.HasSuffix(name, t+"Handle") {
			return true
		}
	}
	return false
}

// TestHandles gives every routine every kind of bad handle.
func TestHandles(t *testing.T) {
	b := newBench(t)
	watch(t, func(step func(string)) {
		b.step = step
		for i := range routines {
			b.handlesOf(&routines[i])
		}
	})
	t.Logf("%d calls", b.cases)
}
