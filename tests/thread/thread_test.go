// Package thread tests the rules of area thread.
package thread

import (
	"sync/atomic"
	"testing"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// create makes a system thread and returns its object.
func create(t *testing.T, body PKSTART_ROUTINE) PETHREAD {
	t.Helper()
	var h HANDLE
	if s := PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, body, nil); !NT_SUCCESS(s) {
		t.Fatalf("PsCreateSystemThread: %v", s)
	}
	var object PVOID
	if s := ObReferenceObjectByHandle(h, THREAD_ALL_ACCESS, nil, KernelMode, &object, nil); !NT_SUCCESS(s) {
		t.Fatalf("ObReferenceObjectByHandle: %v", s)
	}
	ZwClose(h)
	t.Cleanup(func() { ObDereferenceObject(object) })
	return PETHREAD(object)
}

// join waits until the thread has ended.
func join(t *testing.T, th PETHREAD) {
	t.Helper()
	if s := KeWaitForSingleObject(PVOID(th), Executive, KernelMode, false, kit.Ms(20_000)); s != STATUS_SUCCESS {
		t.Fatalf("a thread does not end: %v", s)
	}
}

// rule: thr-create-passive
// rule: thr-create-null-process
// rule: thr-default-priority
// rule: thr-priority-range
func TestCreate(t *testing.T) {
	var level irql.Level
	var priority KPRIORITY
	var apcs bool
	th := create(t, func(PVOID) {
		level, priority, apcs = irql.Current(), KeQueryPriorityThread(KeGetCurrentThread()), kernel.Current().KernelAPCs != 0
	})
	join(t, th)
	if level != irql.Passive || priority != 8 || apcs {
		t.Errorf("began at IRQL %d with priority %d, APCs disabled: %v", level, priority, apcs)
	}
	if !PsIsSystemThread(th) {
		t.Error("it is no system thread")
	}
}

// rule: thr-create-badattr
func TestCreateAttributes(t *testing.T) {
	for _, bad := range []ULONG{OBJ_PERMANENT, OBJ_EXCLUSIVE, OBJ_OPENIF} {
		var a OBJECT_ATTRIBUTES
		InitializeObjectAttributes(&a, nil, OBJ_KERNEL_HANDLE|bad, 0, nil)
		var h HANDLE
		if s := PsCreateSystemThread(&h, THREAD_ALL_ACCESS, &a, 0, nil, func(PVOID) {}, nil); s != STATUS_INVALID_PARAMETER {
			t.Errorf("attribute %#x: %v", bad, s)
		}
	}
}

// rule: thr-terminate-self
// rule: thr-return-equals-terminate
// rule: thr-exit-status-pending
// rule: thr-object-signaled
func TestExitStatus(t *testing.T) {
	leave := kit.New[KEVENT](t)
	KeInitializeEvent(leave, NotificationEvent, false)
	var reached atomic.Bool
	ended := create(t, func(PVOID) {
		KeWaitForSingleObject(PVOID(leave), Executive, KernelMode, false, nil)
		PsTerminateSystemThread(STATUS_ACCESS_DENIED)
		reached.Store(true)
	})
	returned := create(t, func(PVOID) { KeWaitForSingleObject(PVOID(leave), Executive, KernelMode, false, nil) })
	for _, th := range []PETHREAD{ended, returned} {
		if s := PsGetThreadExitStatus(th); s != STATUS_PENDING || KeReadStateThread(th) {
			t.Errorf("while it runs: %v, signalled: %v", s, KeReadStateThread(th))
		}
	}
	KeSetEvent(leave, 0, false)
	join(t, ended)
	join(t, returned)
	if s := PsGetThreadExitStatus(ended); s != STATUS_ACCESS_DENIED || reached.Load() {
		t.Errorf("ended with %v; code behind the call ran: %v", s, reached.Load())
	}
	if s := PsGetThreadExitStatus(returned); s != STATUS_SUCCESS {
		t.Errorf("returned: %v", s)
	}
}

// rule: thr-terminate-nonsystem
func TestTerminateNoSystemThread(t *testing.T) {
	if s := PsTerminateSystemThread(STATUS_SUCCESS); s != STATUS_INVALID_PARAMETER {
		t.Errorf("status %v", s)
	}
}

// rule: thr-handle-close-no-kill
// rule: thr-lookup-tid
func TestLookup(t *testing.T) {
	leave := kit.New[KEVENT](t)
	KeInitializeEvent(leave, NotificationEvent, false)
	th := create(t, func(PVOID) { KeWaitForSingleObject(PVOID(leave), Executive, KernelMode, false, nil) })
	id := PsGetThreadId(th) // create has closed the handle
	var found PETHREAD
	if s := PsLookupThreadByThreadId(id, &found); s != STATUS_SUCCESS || found != th {
		t.Errorf("%v", s)
	} else {
		ObDereferenceObject(PVOID(found))
	}
	if PsIsThreadTerminating(th) || KeReadStateThread(th) {
		t.Error("the thread ended with its handle")
	}
	KeSetEvent(leave, 0, false)
	join(t, th)
	for _, id := range []HANDLE{3, 1 << 20} {
		if s := PsLookupThreadByThreadId(id, &found); s != STATUS_INVALID_PARAMETER {
			t.Errorf("ID %d: %v", id, s)
		}
	}
}

// rule: thr-setpriority-returns-old
// rule: thr-setpriority-zero
// rule: thr-basepriority-return
// rule: thr-basepriority-class
// rule: thr-basepriority-saturate
func TestPriority(t *testing.T) {
	kit.Run(t, func() {
		th := KeGetCurrentThread()
		KeSetBasePriorityThread(th, 0)
		if was, now := KeSetPriorityThread(th, 20), KeQueryPriorityThread(th); was != 8 || now != 20 {
			t.Errorf("8 to 20: was %d, is %d", was, now)
		}
		if was, now := KeSetPriorityThread(th, 0), KeQueryPriorityThread(th); was != 20 || now != 1 {
			t.Errorf("20 to 0: was %d, is %d", was, now)
		}
		for _, c := range []struct {
			increment, was LONG
			base           int8
		}{{0, 0, 8}, {3, 0, 11}, {-2, 3, 6}, {9, -2, 15}, {16, 7, 15}, {-9, 7, 1}, {-16, -7, 1}, {0, -7, 8}} {
			if was := KeSetBasePriorityThread(th, c.increment); was != c.was || th.BasePriority != c.base {
				t.Errorf("increment %d: was %d, base %d; want %d, %d", c.increment, was, th.BasePriority, c.was, c.base)
			}
		}
	})
}

// A readied thread of higher priority runs at once, one of a lower does not run
// before the other waits.
//
// rule: thr-preempt-higher
func TestPreemption(t *testing.T) {
	for _, c := range []struct {
		priority int8
		atOnce   bool
	}{{12, true}, {6, false}} {
		ok := kit.Retry(func() bool {
			e := kit.New[KEVENT](t)
			KeInitializeEvent(e, SynchronizationEvent, false)
			var ran atomic.Bool
			other := kit.Go(t, func() ntstatus.Status {
				s := KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, nil)
				ran.Store(true)
				return s
			}, func() { kit.OnCPU(0); kit.SetPriority(c.priority) })
			kit.AwaitWaiters(t, &e.Header, 1)
			var seen bool
			kit.Run(t, func() {
				KeSetEvent(e, 0, false)
				seen = ran.Load()
			}, func() { kit.OnCPU(0); kit.SetPriority(10) })
			other.Join(t)
			return seen == c.atOnce
		})
		if !ok {
			t.Errorf("priority %d beside 10: want it to run at once: %v", c.priority, c.atOnce)
		}
	}
}

// Two threads that compute at the same priority share a processor.
//
// rule: thr-roundrobin
func TestRoundRobin(t *testing.T) {
	var turns [2]atomic.Int64
	var stop atomic.Bool
	var both []*kit.Thread
	for i := range turns {
		both = append(both, kit.Go(t, func() ntstatus.Status {
			for !stop.Load() {
				turns[i].Add(1)
			}
			return STATUS_SUCCESS
		}, func() { kit.OnCPU(kit.CPUs() - 1); kit.SetPriority(9) }))
	}
	kit.Until(t, "turns of both", func() bool { return turns[0].Load() > 1000 && turns[1].Load() > 1000 })
	stop.Store(true)
	for _, th := range both {
		th.Join(t)
	}
}

// A boost decays by one with each quantum, down to the base; real-time threads
// keep theirs.
//
// rule: thr-quantum-decay
// rule: thr-boost-cap
func TestDecay(t *testing.T) {
	const quantum = 2 * kernel.TimeIncrement
	kit.Run(t, func() {
		th := KeGetCurrentThread()
		KeSetBasePriorityThread(th, 0)
		KeSetPriorityThread(th, 15)
		// The host may stop the machine: count what is seen, not time.
		seen := KPRIORITY(15)
		for start := KeQueryInterruptTime(); seen > 8 && KeQueryInterruptTime()-start < 20*kernel.Second; {
			p := KeQueryPriorityThread(th)
			if p != seen && p != seen-1 {
				t.Errorf("priority %d after %d", p, seen)
			}
			seen = p
		}
		if seen != 8 {
			t.Errorf("decayed to %d only", seen)
		}
		KeSetPriorityThread(th, 20)
		for start := KeQueryInterruptTime(); KeQueryInterruptTime()-start < 3*quantum; {
		}
		if p := KeQueryPriorityThread(th); p != 20 {
			t.Errorf("a real-time priority of 20 became %d", p)
		}
		KeSetPriorityThread(th, 8)
	}, func() { kit.OnCPU(kit.CPUs() - 1) })
}

// Yielding passes the processor on even to a thread of a lower priority.
//
// rule: thr-yield
func TestYield(t *testing.T) {
	ok := kit.Retry(func() bool {
		var s NTSTATUS
		var switches uint64
		e := kit.New[KEVENT](t)
		KeInitializeEvent(e, SynchronizationEvent, false)
		other := kit.Go(t, func() ntstatus.Status {
			return KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, nil)
		}, func() { kit.OnCPU(0); kit.SetPriority(5) })
		kit.AwaitWaiters(t, &e.Header, 1)
		kit.Run(t, func() {
			th := kernel.Current()
			KeSetEvent(e, 0, false)
			switches = th.Switches
			s = NtYieldExecution()
			switches = th.Switches - switches
		}, func() { kit.OnCPU(0); kit.SetPriority(14) })
		other.Join(t)
		return s == STATUS_SUCCESS && switches == 1
	})
	if !ok {
		t.Error("nobody else ran, although a thread was ready")
	}
}

// rule: thr-affinity-immediate
// rule: thr-affinity-deferred
// rule: thr-affinity-invalid
// rule: thr-affinity-ex-return
func TestAffinity(t *testing.T) {
	kit.NeedCPUs(t, 2)
	last := kit.CPUs() - 1
	kit.Run(t, func() {
		for cpu := range kit.CPUs() {
			KeSetSystemAffinityThread(1 << cpu)
			if at := KeGetCurrentProcessorNumber(); at != cpu {
				t.Errorf("bound to %d, on %d", cpu, at)
			}
		}
		if was := KeSetSystemAffinityThreadEx(1); was != 1<<last {
			t.Errorf("the set before was %#x", was)
		}
		if was := KeSetSystemAffinityThreadEx(1 << 40); was != 1 {
			t.Errorf("the set before was %#x", was)
		}
		if at := KeGetCurrentProcessorNumber(); at != 0 {
			t.Errorf("a set without processors moved it to %d", at)
		}
		old := irql.Raise(irql.Dispatch)
		KeSetSystemAffinityThread(1 << last)
		raised := KeGetCurrentProcessorNumber()
		irql.Lower(old)
		if lowered := KeGetCurrentProcessorNumber(); raised != 0 || lowered != last {
			t.Errorf("at DISPATCH_LEVEL on %d, below it on %d", raised, lowered)
		}
		KeRevertToUserAffinityThreadEx(0)
	})
}

// Lowering the running thread's priority gives the processor to a ready thread
// that is above the new one, and to no other.
//
// rule: thr-setpriority-lower-running
func TestLowerRunning(t *testing.T) {
	for _, c := range []struct {
		to  KPRIORITY
		ran bool
	}{{9, true}, {11, false}} {
		ok := kit.Retry(func() bool {
			var ran atomic.Bool
			var seen bool
			e := kit.New[KEVENT](t)
			KeInitializeEvent(e, SynchronizationEvent, false)
			other := kit.Go(t, func() ntstatus.Status {
				s := KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, nil)
				ran.Store(true)
				return s
			}, func() { kit.OnCPU(0); kit.SetPriority(10) })
			kit.AwaitWaiters(t, &e.Header, 1)
			kit.Run(t, func() {
				KeSetEvent(e, 0, false)
				KeSetPriorityThread(KeGetCurrentThread(), c.to)
				seen = ran.Load()
			}, func() { kit.OnCPU(0); kit.SetPriority(14) })
			other.Join(t)
			return seen == c.ran
		})
		if !ok {
			t.Errorf("lowered to %d beside 10: want the other to run at once: %v", c.to, c.ran)
		}
	}
}
