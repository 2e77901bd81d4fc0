package apc

import (
	"sync/atomic"
	"testing"
	"time"

	"irqlab/apc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
)

// runner is a thread that counts while it runs.
type runner struct {
	*kit.Thread
	n    atomic.Uint64
	stop atomic.Bool
}

func newRunner(t *testing.T, pause func()) *runner {
	r := &runner{}
	r.Thread = kit.Go(t, func() ntstatus.Status {
		for !r.stop.Load() {
			r.n.Add(1)
			pause()
		}
		return 0
	})
	t.Cleanup(func() { r.stop.Store(true) })
	return r
}

// runs reports whether the thread makes progress.
func (r *runner) runs() bool {
	n := r.n.Load()
	for end := time.Now().Add(100 * time.Millisecond); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if r.n.Load() != n {
			return true
		}
	}
	return false
}

func suspend(t *testing.T, th *kernel.Thread, want int) {
	t.Helper()
	if n, s := apc.Suspend(th); n != want || s != ntstatus.Success {
		t.Errorf("suspended before: %d, %v; want %d", n, s, want)
	}
}

func resume(t *testing.T, th *kernel.Thread, want int) {
	t.Helper()
	if n := apc.Resume(th); n != want {
		t.Errorf("suspended before resuming: %d, want %d", n, want)
	}
}

// rule: thr-suspend-count
// rule: thr-resume-zero
// rule: sem-suspend-use
func TestSuspend(t *testing.T) {
	for what, pause := range map[string]func(){
		"computes": func() {},
		"sleeps":   func() { sync.Delay(-1000, false, kernel.KernelMode) },
	} {
		t.Run(what, func(t *testing.T) {
			r := newRunner(t, pause)
			for range 5 {
				resume(t, r.Kernel, 0)
				suspend(t, r.Kernel, 0)
				suspend(t, r.Kernel, 1)
				kit.AwaitWaiters(t, r.Kernel.SuspendObject(), 1)
				if r.runs() {
					t.Error("runs though suspended")
				}
				resume(t, r.Kernel, 2)
				if r.runs() {
					t.Error("runs though suspended once")
				}
				resume(t, r.Kernel, 1)
				kit.Until(t, "the thread runs", r.runs)
			}
			suspend(t, r.Kernel, 0)
			suspend(t, r.Kernel, 1)
			var n int8
			kit.Kernel(func() { n = kernel.ForceResume(r.Kernel) })
			if n != 2 {
				t.Errorf("forced to resume from %d", n)
			}
			kit.Until(t, "the thread runs", r.runs)
			r.stop.Store(true)
		})
	}
}

// rule: thr-suspend-max
func TestSuspendMax(t *testing.T) {
	r := newRunner(t, func() { sync.Delay(-1000, false, kernel.KernelMode) })
	for i := range kernel.MaximumSuspendCount {
		suspend(t, r.Kernel, i)
	}
	if _, s := apc.Suspend(r.Kernel); s != ntstatus.SuspendCount {
		t.Errorf("once more: %v", s)
	}
	for i := kernel.MaximumSuspendCount; i > 0; i-- {
		resume(t, r.Kernel, i)
	}
	kit.Until(t, "the thread runs", r.runs)
	r.stop.Store(true)
}

// rule: thr-suspend-via-apc
// rule: apc-termination-blocked
func TestSuspendHeldBack(t *testing.T) {
	var n, phase atomic.Int32
	th := kit.Go(t, func() ntstatus.Status {
		spin := func() {
			for p := phase.Load(); phase.Load() == p; {
				n.Add(1)
			}
		}
		kernel.EnterCriticalRegion()
		spin()
		kernel.LeaveCriticalRegion()
		old := irql.Raise(irql.APC)
		spin()
		irql.Lower(old)
		return 0
	})
	for range 2 {
		was := n.Load()
		kit.Until(t, "start of the phase", func() bool { return n.Load() != was })
		suspend(t, th.Kernel, 0)
		was = n.Load()
		kit.Until(t, "progress of a thread that can't be suspended", func() bool { return n.Load() != was })
		if kit.Waiters(th.Kernel.SuspendObject()) != 0 {
			t.Error("suspended")
		}
		phase.Add(1)
		kit.AwaitWaiters(t, th.Kernel.SuspendObject(), 1)
		resume(t, th.Kernel, 1)
	}
}

// TestSuspendSelf suspends the running thread: the call returns when it has been
// resumed.
func TestSuspendSelf(t *testing.T) {
	var suspended atomic.Bool
	th := kit.Go(t, func() ntstatus.Status {
		_, s := apc.Suspend(self())
		suspended.Store(true)
		return s
	})
	kit.AwaitWaiters(t, th.Kernel.SuspendObject(), 1)
	if suspended.Load() {
		t.Error("returned at once")
	}
	// Special kernel APCs reach it still, normal ones wait behind the suspension.
	var l log
	newProbe(t, th.Kernel, normal, &l, 'b').insert()
	newProbe(t, th.Kernel, special, &l, 'a').insert()
	kit.Until(t, "special APC", func() bool { return l.n.Load() == 1 })
	expect(t, "suspended", &l, "a")
	resume(t, th.Kernel, 1)
	th.Join(t)
	expect(t, "resumed", &l, "abB")
}

// TestSuspendResumed takes a suspension back before it has taken effect.
func TestSuspendResumed(t *testing.T) {
	kit.Run(t, func() {
		kit.At(irql.APC, func() {
			suspend(t, self(), 0)
			resume(t, self(), 1)
			suspend(t, self(), 0)
			resume(t, self(), 1)
		})
	})
}

// rule: thr-suspend-terminating
func TestSuspendTerminating(t *testing.T) {
	var s ntstatus.Status
	kit.Run(t, func() {
		kit.Kernel(func() {
			kernel.RefuseAPCs()
			_, s = kernel.Suspend(self())
		})
	})
	if s != ntstatus.ThreadTerminating {
		t.Errorf("%v", s)
	}
}

// A thread that was resumed and suspended again before it could stop stops.
//
// rule: thr-suspend-count
func TestSuspendAgain(t *testing.T) {
	let := kit.New[sync.Event](t)
	let.InitNotification(false)
	th := kit.Go(t, func() ntstatus.Status {
		kernel.EnterCriticalRegion()
		let.Wait(nil, false, kernel.KernelMode)
		kernel.LeaveCriticalRegion()
		return 0
	})
	kit.AwaitWaiters(t, &let.Header, 1)
	suspend(t, th.Kernel, 0)
	resume(t, th.Kernel, 1)
	suspend(t, th.Kernel, 0)
	let.Set(0)
	kit.Until(t, "it stops or goes on", func() bool { return kit.Waiters(th.Kernel.SuspendObject()) == 1 || th.Ended() })
	if th.Ended() {
		t.Fatal("runs though suspended")
	}
	resume(t, th.Kernel, 1)
}
