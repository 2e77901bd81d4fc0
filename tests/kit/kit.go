// Package kit is what the in-VM tests share: objects in pool, system threads,
// processors, and looks into the dispatcher. Importing it boots the kernel.
package kit

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	_ "irqlab" // the kernel, and a main goroutine that keeps the thread that can't end
	"irqlab/arch"
	"irqlab/board"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/pool"
	"irqlab/thread"
)

// Tag is the pool tag of the tests' objects.
const Tag pool.Tag = 'T' | 'e'<<8 | 's'<<16 | 't'<<24

// New returns a cleared T in nonpaged pool that is freed at the end of the
// test, unless that has failed: then threads may still use it.
func New[T any](t testing.TB) *T {
	t.Helper()
	NoLeaks(t)
	p := pool.Alloc(unsafe.Sizeof(*new(T)), Tag)
	if p == nil {
		t.Fatal("out of pool")
	}
	t.Cleanup(func() {
		if !t.Failed() {
			pool.Free(p, Tag)
		}
	})
	return (*T)(p)
}

// NoTime and Forever are timeouts; Ms makes one of milliseconds.
var NoTime = new(int64)

var Forever *int64

// Ms returns a relative timeout of n milliseconds.
func Ms(n int64) *int64 {
	n *= -kernel.Millisecond
	return &n
}

// Patience is how long tests wait for what must happen, on a host that runs the
// machine a small part of the time.
const Patience = 2 * time.Minute

// Until waits until ok returns true.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	NoLeaks(t)
	for end := time.Now().Add(Patience); !ok(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: still not after %v", what, Patience)
		}
	}
}

// Retry tries what may fail for reasons of its own a few times, such as to see a
// priority: it decays when the host lets a quantum pass, and rises for a moment
// when the Go runtime signals a thread that is not running.
func Retry(ok func() bool) bool {
	for range 10 {
		if ok() {
			return true
		}
	}
	return false
}

// Thread is a system thread that runs a function.
type Thread struct {
	Kernel *kernel.Thread // while it runs
	ID     uint32
	Status ntstatus.Status // what the function returned
	done   chan struct{}
	ended  atomic.Bool
}

// Go runs fn on a system thread of its own, and ends the test if fn is still
// running at the end of it. What is set before fn starts (priority, processor)
// goes into prepare.
func Go(t testing.TB, fn func() ntstatus.Status, prepare ...func()) *Thread {
	t.Helper()
	NoLeaks(t)
	th := &Thread{done: make(chan struct{})}
	ready := make(chan struct{})
	go func() {
		defer close(th.done)
		System()
		th.Kernel = kernel.Current()
		th.ID = th.Kernel.ID
		for _, p := range prepare {
			p()
		}
		close(ready)
		th.Status = fn()
		th.ended.Store(true)
	}()
	<-ready
	t.Cleanup(func() {
		t.Helper()
		if !t.Failed() {
			th.Join(t)
		}
	})
	return th
}

// System makes the calling goroutine's thread a system thread, for good.
func System() { thread.Lock("test") }

// Ended reports whether the thread's function has returned.
func (th *Thread) Ended() bool { return th.ended.Load() }

// Join waits for the thread's function to return, and returns what it returned.
func (th *Thread) Join(t testing.TB) ntstatus.Status {
	t.Helper()
	select {
	case <-th.done:
	case <-time.After(Patience):
		t.Fatal("a thread does not end")
	}
	return th.Status
}

// Waiters returns how many threads wait for the object.
func Waiters(h *kernel.Header) int {
	n := 0
	Locked(func() {
		for e := h.WaitList.Flink; e != &h.WaitList; e = e.Flink {
			n++
		}
	})
	return n
}

// AwaitWaiters waits until n threads wait for the object.
func AwaitWaiters(t testing.TB, h *kernel.Header, n int) {
	t.Helper()
	Until(t, fmt.Sprintf("%d threads waiting", n), func() bool { return Waiters(h) == n })
}

// Locked runs fn with the dispatcher lock held.
func Locked(fn func()) {
	Kernel(func() {
		old := kernel.LockDispatcher()
		fn()
		kernel.UnlockDispatcher(old)
	})
}

// Kernel runs fn in kernel context, on the thread's kernel stack. Fn obeys the
// rules of resident code: what it needs is in variables that it captures.
func Kernel(fn func()) {
	a := kernel.Args{P: unsafe.Pointer(&fn)}
	kernel.Enter(call, &a)
}

func call(a *kernel.Args) { (*(*func())(a.P))() }

// Stay keeps the calling goroutine on its thread, as it must for APC_LEVEL, until
// the function that it returns is called.
func Stay() (release func()) {
	if kernel.RunsLocked() {
		return func() {}
	}
	thread.Lock("")
	return thread.Unlock
}

// At runs fn at the given level.
func At(l irql.Level, fn func()) {
	defer Stay()()
	old := irql.Raise(l)
	fn()
	irql.Lower(old)
}

// Uncollected keeps the garbage collector off until the end of the test, in which
// raised Go code waits for other Go code: a collector that has begun to stop the
// world would wait for the first, and let the second wait.
func Uncollected(t testing.TB) {
	percent := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
}

// Interrupt makes a software interrupt of a level on this processor, and leaves
// it the time to happen: the request is a store to the interrupt controller,
// and the processor may be some instructions further when the answer comes.
func Interrupt(l irql.Level) {
	board.RequestSelf(uintptr(l))
	for range 8 {
		arch.Pause()
	}
}

// OnCPU moves the calling system thread to a processor, for good.
func OnCPU(cpu uint32) { OnCPUs(1 << cpu) }

// OnCPUs lets the calling system thread run on a set of processors only.
func OnCPUs(set uint32) {
	t := kernel.Current()
	Kernel(func() { t.SetAffinity(set) })
}

// CPUs returns the number of processors.
func CPUs() uint32 { return atomic.LoadUint32(&arch.NumCPUs) }

// NeedCPUs skips the test on a machine with fewer processors.
func NeedCPUs(t testing.TB, n uint32) {
	t.Helper()
	NoLeaks(t)
	if CPUs() < n {
		t.Skipf("needs %d processors", n)
	}
}

// SetPriority changes the calling thread's priority, and its base if p is not
// real-time.
func SetPriority(p int8) {
	t := kernel.Current()
	Kernel(func() {
		t.SetBasePriority(int(p) - kernel.DefaultPriority)
		t.SetPriority(p)
	})
}

// Raised returns the status that fn raises, or STATUS_SUCCESS.
func Raised(fn func()) (s ntstatus.Status) {
	defer func() {
		if e := recover(); e != nil {
			x, ok := e.(ntstatus.Exception)
			if !ok {
				panic(e)
			}
			s = x.Status
		}
	}()
	fn()
	return ntstatus.Success
}

// Run runs fn on a system thread and waits for it.
func Run(t testing.TB, fn func(), prepare ...func()) {
	t.Helper()
	Go(t, func() ntstatus.Status { fn(); return ntstatus.Success }, prepare...).Join(t)
}

// Exited waits until the thread is gone from the kernel, as it is some time
// after its function has returned.
func (th *Thread) Exited(t testing.TB) {
	t.Helper()
	th.Join(t)
	Until(t, "exit of a thread", func() (gone bool) {
		Locked(func() { gone = kernel.Lookup(th.ID) == nil })
		return gone
	})
}
