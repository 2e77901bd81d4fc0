package apc

import (
	"testing"
	"unsafe"

	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/tests/kit"
	"irqlab/thread"
	. "irqlab/wdk"
)

// rule: thr-queueapc-system
func TestQueueAPCThread(t *testing.T) {
	kit.Run(t, func() {
		var l log
		routine := func(c, a1, a2 unsafe.Pointer) {
			if c != unsafe.Pointer(&l) || a1 != nil || a2 != unsafe.Pointer(t) {
				t.Errorf("called with %p %p %p", c, a1, a2)
			}
			l.add('A')
		}
		queue := func() NTSTATUS {
			return ZwQueueApcThread(NtCurrentThread(), routine, PVOID(&l), nil, PVOID(t))
		}
		if s := queue(); s != STATUS_SUCCESS {
			t.Errorf("queued: %v", s)
		}
		expect(t, "queued", &l, "")
		if s := NtTestAlert(); s != STATUS_SUCCESS {
			t.Errorf("NtTestAlert: %v", s)
		}
		expect(t, "let in", &l, "A")
		kit.Kernel(kernel.RefuseAPCs)
		if s := queue(); s != STATUS_UNSUCCESSFUL {
			t.Errorf("to a thread that ends: %v", s)
		}
	})
	result := make(chan NTSTATUS, 1)
	th, _ := thread.Start("system", func() {
		result <- NtQueueApcThread(NtCurrentThread(), func(_, _, _ unsafe.Pointer) {}, nil, nil, nil)
	})
	if s := <-result; s != STATUS_INVALID_HANDLE {
		t.Errorf("to a system thread: %v", s)
	}
	kit.Locked(func() { th.Dereference() })
}

// TestNames calls the documented names.
func TestNames(t *testing.T) {
	kit.Run(t, func() {
		self := KeGetCurrentThread()
		a := kit.New[KAPC](t)
		ran := 0
		KeInitializeApc(a, self, OriginalApcEnvironment,
			func(PKAPC, *PKNORMAL_ROUTINE, *PVOID, *PVOID, *PVOID) { ran++ }, nil,
			func(_, _, _ PVOID) { ran += 10 }, KernelMode, nil)
		KeEnterCriticalRegion()
		if !KeInsertQueueApc(a, nil, nil, 0) || KeInsertQueueApc(a, nil, nil, 0) || !KeAreApcsDisabled() || KeAreAllApcsDisabled() {
			t.Error("critical region")
		}
		KeLeaveCriticalRegion()
		KeEnterGuardedRegion()
		if !KeInsertQueueApc(a, nil, nil, 0) || !KeRemoveQueueApc(a) || KeRemoveQueueApc(a) || !KeAreAllApcsDisabled() {
			t.Error("guarded region")
		}
		KeInsertQueueApc(a, nil, nil, 0)
		if KeFlushQueueApc(self, KernelMode) != &a.Entry || KeFlushQueueApc(self, KernelMode) != nil {
			t.Error("flush")
		}
		KeLeaveGuardedRegion()
		if ran != 11 {
			t.Errorf("ran %d", ran)
		}
		if ZwAlertThread(NtCurrentThread()) != STATUS_SUCCESS || !KeTestAlertThread(KernelMode) || KeTestAlertThread(KernelMode) {
			t.Error("alert")
		}
	})
	kit.Run(t, func() { testFlushDue(t) })
	r := newRunner(t, func() { d := -Millisecond / 10; KeDelayExecutionThread(KernelMode, false, &d) })
	var n ULONG
	if s := PsSuspendThread(r.Kernel, &n); s != STATUS_SUCCESS || n != 0 || KeSuspendThread(r.Kernel) != 1 {
		t.Errorf("suspended: %v, %d", s, n)
	}
	kit.AwaitWaiters(t, r.Kernel.SuspendObject(), 1)
	if s := PsResumeThread(r.Kernel, &n); s != STATUS_SUCCESS || n != 2 || KeAlertResumeThread(r.Kernel) != 1 || KeForceResumeThread(r.Kernel) != 0 {
		t.Errorf("resumed: %v, %d", s, n)
	}
	kit.Until(t, "the thread runs", r.runs)
	for range kernel.MaximumSuspendCount {
		KeSuspendThread(r.Kernel)
	}
	if s := kit.Raised(func() { KeSuspendThread(r.Kernel) }); s != ntstatus.SuspendCount {
		t.Errorf("once too often: raised %v", s)
	}
	KeForceResumeThread(r.Kernel)
	r.stop.Store(true)
}

// testFlushDue flushes a user APC that was due: waits go on then.
func testFlushDue(t *testing.T) {
	e := kit.New[KEVENT](t)
	KeInitializeEvent(e, NotificationEvent, false)
	q := kit.New[KQUEUE](t)
	KeInitializeQueue(q, 0)
	waits := func(when string, want NTSTATUS) {
		if s := KeWaitForSingleObject(PVOID(e), Executive, UserMode, false, kit.Ms(1)); s != want {
			t.Errorf("%s, KeWaitForSingleObject: %v", when, s)
		}
		if entry, s := KeRemoveQueue(q, UserMode, kit.Ms(1)); s != want || entry != nil {
			t.Errorf("%s, KeRemoveQueue: %v", when, s)
		}
		if _, s := KeRemoveQueue(q, KernelMode, kit.Ms(1)); s != STATUS_TIMEOUT {
			t.Errorf("%s, KeRemoveQueue in KernelMode: %v", when, s)
		}
		if q.CurrentCount != 1 {
			t.Errorf("%s, %d threads of the queue run", when, q.CurrentCount)
		}
	}
	a := kit.New[KAPC](t)
	KeInitializeApc(a, KeGetCurrentThread(), OriginalApcEnvironment, func(PKAPC, *PKNORMAL_ROUTINE, *PVOID, *PVOID, *PVOID) {}, nil,
		func(_, _, _ PVOID) { t.Error("it ran") }, UserMode, nil)
	KeEnterCriticalRegion() // or it would run
	KeInsertQueueApc(a, nil, nil, 0)
	waits("queued", STATUS_TIMEOUT)
	KeTestAlertThread(UserMode)
	waits("due", STATUS_USER_APC)
	if KeFlushQueueApc(KeGetCurrentThread(), UserMode) != &a.Entry {
		t.Error("it is not in the queue")
	}
	waits("flushed", STATUS_TIMEOUT)
	KeLeaveCriticalRegion()
}
