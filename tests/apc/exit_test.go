package apc

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/apc"
	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
	"irqlab/thread"
)

// rule: apc-insert-dead-thread
func TestDeadThread(t *testing.T) {
	var kt *kernel.Thread
	th := kit.Go(t, func() ntstatus.Status {
		kt = self()
		kit.Locked(func() { kt.Reference() })
		return 0
	})
	th.Join(t)
	kit.Until(t, "its end", func() bool { return kt.Header.State() != 0 })
	var l log
	for _, k := range []kind{special, normal, user} {
		if newProbe(t, kt, k, &l, 'a').insert() {
			t.Errorf("kind %d inserted", k)
		}
	}
	kit.Locked(func() { kt.Dereference() })
	expect(t, "dead", &l, "")
}

// rule: apc-exit-flush-user
func TestExitFlush(t *testing.T) {
	const n = 3
	var rundowns atomic.Int32
	var as [n]*kernel.APC
	for i := range as {
		as[i] = kit.New[kernel.APC](t)
	}
	var l log
	th := kit.Go(t, func() ntstatus.Status {
		for _, a := range as {
			apc.Init(a, self(), func(*kernel.APC, *kernel.NormalRoutine, *unsafe.Pointer, *unsafe.Pointer, *unsafe.Pointer) {
				l.add('k')
			},
				func(a *kernel.APC) {
					if a.Inserted || irql.Current() != irql.Passive {
						rundowns.Add(100)
					}
					rundowns.Add(1)
				},
				func(_, _, _ unsafe.Pointer) { l.add('n') }, kernel.UserMode, nil)
			apc.Insert(a, nil, nil, 0)
		}
		return 0
	})
	th.Join(t)
	kit.Until(t, "rundown", func() bool { return rundowns.Load() == n })
	expect(t, "routines", &l, "")
}

// TestExit ends a thread in a normal routine that a kernel call made.
func TestExit(t *testing.T) { endInRoutine(t) }

// TestExitInterrupted does it while interrupts come on the way from the kernel call
// to the routine: that is no code to call it in the middle of.
func TestExitInterrupted(t *testing.T) {
	calls := kernel.Calls
	kernel.Calls = func() {
		for end := kernel.InterruptTime() + 40*kernel.Millisecond; kernel.InterruptTime() < end; {
			arch.Pause()
		}
		calls()
	}
	defer func() { kernel.Calls = calls }()
	endInRoutine(t)
}

func endInRoutine(t *testing.T) {
	t.Helper()
	var after atomic.Bool
	th, ok := thread.Start("ends in an APC", func() {
		apc.Call(self(), kernel.KernelMode, func() { thread.Exit(ntstatus.UserAPC) })
		after.Store(true)
	})
	if !ok {
		t.Fatal("no thread")
	}
	if s := sync.Wait(&th.Header, kit.Ms(10_000), false, kernel.KernelMode); s != ntstatus.Success || after.Load() || th.ExitStatus != ntstatus.UserAPC {
		t.Errorf("wait %v, went on %v, exit status %v", s, after.Load(), th.ExitStatus)
	}
	kit.Locked(func() { th.Dereference() })
}
