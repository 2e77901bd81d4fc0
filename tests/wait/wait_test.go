// Package wait tests the rules of area wait.
package wait

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func event(t *testing.T, typ EVENT_TYPE, signalled bool) *KEVENT {
	e := kit.New[KEVENT](t)
	KeInitializeEvent(e, typ, signalled)
	return e
}

// one waits for an object.
func one(object unsafe.Pointer, timeout *int64) NTSTATUS {
	return KeWaitForSingleObject(object, Executive, KernelMode, false, timeout)
}

// many waits for objects, with wait blocks where the thread's own do not do.
func many(t *testing.T, typ WAIT_TYPE, timeout *int64, objects ...PVOID) NTSTATUS {
	var blocks *KWAIT_BLOCK
	if len(objects) > THREAD_WAIT_OBJECTS {
		blocks = &kit.New[[MAXIMUM_WAIT_OBJECTS]KWAIT_BLOCK](t)[0]
	}
	return KeWaitForMultipleObjects(ULONG(len(objects)), objects, typ, Executive, KernelMode, false, timeout, blocks)
}

// rule: wait-single-signaled
// rule: wait-single-timeout0
// rule: wait-all-success-codes
func TestSingle(t *testing.T) {
	e := event(t, SynchronizationEvent, true)
	if s := one(PVOID(e), nil); s != STATUS_SUCCESS || KeReadStateEvent(e) != 0 {
		t.Errorf("signalled: %v, state %d after", s, KeReadStateEvent(e))
	}
	if s := one(PVOID(e), kit.NoTime); s != STATUS_TIMEOUT {
		t.Errorf("not signalled, no time: %v", s)
	}
	KeSetEvent(e, 0, false)
	if s := one(PVOID(e), kit.NoTime); s != STATUS_SUCCESS || KeReadStateEvent(e) != 0 {
		t.Errorf("signalled, no time: %v, state %d after", s, KeReadStateEvent(e))
	}
	for _, s := range []NTSTATUS{STATUS_SUCCESS, STATUS_ALERTED, STATUS_USER_APC, STATUS_TIMEOUT} {
		if !NT_SUCCESS(s) {
			t.Errorf("%v is no success", s)
		}
	}
}

// rule: wait-timeout-sign
// rule: wait-abs-past
// rule: wait-null-timeout-infinite
func TestTimeout(t *testing.T) {
	e := event(t, SynchronizationEvent, false)
	const wait = 30 * kernel.Millisecond
	for _, base := range []func() int64{func() int64 { return -2 * wait }, kernel.SystemTime} {
		start := KeQueryInterruptTime()
		timeout := base() + wait
		s := one(PVOID(e), &timeout)
		if d := KeQueryInterruptTime() - start; s != STATUS_TIMEOUT || d < wait-kernel.Millisecond {
			t.Errorf("timeout %d: %v after %d ms", timeout, s, d/kernel.Millisecond)
		}
	}
	past := int64(1)
	if s := one(PVOID(e), &past); s != STATUS_TIMEOUT {
		t.Errorf("a time long past: %v", s)
	}
	th := kit.Go(t, func() ntstatus.Status { return one(PVOID(e), nil) })
	kit.AwaitWaiters(t, &e.Header, 1)
	short := int64(-50 * kernel.Millisecond)
	KeDelayExecutionThread(KernelMode, false, &short)
	if th.Ended() {
		t.Error("a wait without a limit ended by itself")
	}
	KeSetEvent(e, 0, false)
	if s := th.Join(t); s != STATUS_SUCCESS {
		t.Errorf("then set: %v", s)
	}
}

// rule: wait-any-lowest
// rule: wait-any-status
func TestAnyLowest(t *testing.T) {
	var objects []PVOID
	for range 5 {
		objects = append(objects, PVOID(event(t, SynchronizationEvent, false)))
	}
	for _, i := range []int{4, 1, 3} {
		KeSetEvent((*KEVENT)(objects[i]), 0, false)
	}
	for _, want := range []NTSTATUS{1, 3, 4} {
		if s := many(t, WaitAny, kit.NoTime, objects...); s != STATUS_WAIT_0+want {
			t.Errorf("%v, want %v", s, STATUS_WAIT_0+want)
		}
	}
	if s := many(t, WaitAny, kit.NoTime, objects...); s != STATUS_TIMEOUT {
		t.Errorf("none left: %v", s)
	}
}

// rule: wait-all-status
// rule: wait-all-timeout-no-effect
// rule: wait-all-atomic
func TestAll(t *testing.T) {
	a, b := event(t, SynchronizationEvent, true), event(t, SynchronizationEvent, false)
	sem := kit.New[KSEMAPHORE](t)
	KeInitializeSemaphore(sem, 2, 2)
	objects := []PVOID{PVOID(a), PVOID(sem), PVOID(b)}
	if s := many(t, WaitAll, kit.Ms(20), objects...); s != STATUS_TIMEOUT {
		t.Errorf("one not signalled: %v", s)
	}
	if KeReadStateEvent(a) != 1 || KeReadStateSemaphore(sem) != 2 {
		t.Errorf("a wait that failed left %d and %d", KeReadStateEvent(a), KeReadStateSemaphore(sem))
	}
	KeSetEvent(b, 0, false)
	if s := many(t, WaitAll, kit.NoTime, objects...); s != STATUS_SUCCESS {
		t.Errorf("all signalled: %v", s)
	}
	if KeReadStateEvent(a) != 0 || KeReadStateSemaphore(sem) != 1 || KeReadStateEvent(b) != 0 {
		t.Errorf("states after: %d, %d, %d", KeReadStateEvent(a), KeReadStateSemaphore(sem), KeReadStateEvent(b))
	}
}

// A WaitAll that has seen one of its objects signalled has no claim to it.
//
// rule: wait-all-no-reservation
// rule: wait-all-recheck
func TestAllReservesNothing(t *testing.T) {
	a, b := event(t, SynchronizationEvent, false), event(t, SynchronizationEvent, false)
	th := kit.Go(t, func() ntstatus.Status { return many(t, WaitAll, nil, PVOID(a), PVOID(b)) })
	kit.AwaitWaiters(t, &b.Header, 1)
	KeSetEvent(a, 0, false)
	if s := one(PVOID(a), kit.NoTime); s != STATUS_SUCCESS {
		t.Errorf("another thread does not get the first object: %v", s)
	}
	KeSetEvent(b, 0, false)
	if kit.Waiters(&a.Header) != 1 || th.Ended() {
		t.Error("the wait ended with one object signalled")
	}
	KeSetEvent(a, 0, false)
	if s := th.Join(t); s != STATUS_SUCCESS || KeReadStateEvent(a)+KeReadStateEvent(b) != 0 {
		t.Errorf("%v, states %d and %d", s, KeReadStateEvent(a), KeReadStateEvent(b))
	}
}

// rule: wait-wakeup-requires-waiting
func TestWokenOnce(t *testing.T) {
	a, b := event(t, SynchronizationEvent, false), event(t, SynchronizationEvent, false)
	th := kit.Go(t, func() ntstatus.Status { return many(t, WaitAny, nil, PVOID(a), PVOID(b)) })
	kit.AwaitWaiters(t, &a.Header, 1)
	kit.Locked(func() { // both before the thread can run
		a.Header.SignalState = 1
		a.Header.Signal(0)
		b.Header.SignalState = 1
		b.Header.Signal(0)
	})
	if s := th.Join(t); s != STATUS_WAIT_0 {
		t.Errorf("status %v", s)
	}
	if KeReadStateEvent(a) != 0 || KeReadStateEvent(b) != 1 || kit.Waiters(&b.Header) != 0 {
		t.Errorf("states %d and %d, %d waiters left", KeReadStateEvent(a), KeReadStateEvent(b), kit.Waiters(&b.Header))
	}
}

// rule: wait-thread-object
// rule: wait-any-thread-index
// rule: wait-dispatcher-kinds
func TestThreads(t *testing.T) {
	stop := event(t, NotificationEvent, false)
	leave := event(t, SynchronizationEvent, false)
	body := func(e *KEVENT) PKSTART_ROUTINE { return func(PVOID) { one(PVOID(e), nil) } }
	var threads []PVOID
	for i := range 3 {
		e := stop
		if i == 1 {
			e = leave
		}
		threads = append(threads, PVOID(create(t, body(e))))
	}
	if s := many(t, WaitAny, kit.Ms(10), threads...); s != STATUS_TIMEOUT {
		t.Errorf("all run: %v", s)
	}
	KeSetEvent(leave, 0, false)
	if s := many(t, WaitAny, kit.Ms(20_000), threads...); s != STATUS_WAIT_0+1 {
		t.Errorf("the second ended: %v", s)
	}
	KeSetEvent(stop, 0, false)
	if s := many(t, WaitAll, kit.Ms(20_000), threads...); s != STATUS_SUCCESS {
		t.Errorf("all ended: %v", s)
	}
	for range 2 { // it stays signalled
		if s := one(threads[0], kit.NoTime); s != STATUS_SUCCESS {
			t.Errorf("an ended thread: %v", s)
		}
	}
}

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

// rule: wait-delay-no-timeout-status
func TestDelay(t *testing.T) {
	interval := int64(-20 * kernel.Millisecond)
	start := KeQueryInterruptTime()
	s := KeDelayExecutionThread(KernelMode, false, &interval)
	if d := KeQueryInterruptTime() - start; s != STATUS_SUCCESS || d < uint64(-interval) {
		t.Errorf("%v after %d of %d", s, d, -interval)
	}
}

// A delay of nothing lets a thread of the same priority run, and returns.
//
// rule: wait-delay-zero-yield
func TestDelayZero(t *testing.T) {
	turns := 0
	ok := kit.Retry(func() bool {
		var ran atomic.Bool
		var early, late bool
		e := event(t, SynchronizationEvent, false)
		pin := func() { kit.OnCPU(0); kit.SetPriority(14) }
		other := kit.Go(t, func() ntstatus.Status {
			one(PVOID(e), nil)
			ran.Store(true)
			return STATUS_SUCCESS
		}, pin)
		kit.AwaitWaiters(t, &e.Header, 1)
		kit.Run(t, func() {
			KeSetEvent(e, 0, false)
			early = ran.Load()
			s := KeDelayExecutionThread(KernelMode, false, new(int64))
			late = ran.Load() && s == STATUS_SUCCESS
		}, pin)
		other.Join(t)
		turns++
		return !early && late
	})
	if !ok {
		t.Errorf("the other thread never got its turn in %d tries", turns)
	}
}

// A wait costs a thread of the variable range part of its quantum, whether or
// not it had to wait.
//
// rule: wait-quantum-cost
func TestQuantumCost(t *testing.T) {
	e := event(t, NotificationEvent, true)
	ok := kit.Retry(func() bool {
		var before, after int32
		kit.Run(t, func() {
			th := kernel.Current()
			before = th.Quantum
			one(PVOID(e), nil)
			after = th.Quantum
		})
		return after == before-1
	})
	if !ok {
		t.Error("a wait cost nothing")
	}
}

// Between a call with Wait = TRUE and the wait, no other thread runs on the
// processor.
//
// rule: wait-next-no-switch
func TestNoSwitchBeforeWait(t *testing.T) {
	ok := kit.Retry(func() bool {
		var ran atomic.Bool
		e, reply := event(t, SynchronizationEvent, false), event(t, SynchronizationEvent, false)
		other := kit.Go(t, func() ntstatus.Status {
			one(PVOID(e), nil)
			ran.Store(true)
			KeSetEvent(reply, 0, false)
			return STATUS_SUCCESS
		}, func() { kit.OnCPU(0); kit.SetPriority(15) })
		kit.AwaitWaiters(t, &e.Header, 1)
		var early bool
		kit.Run(t, func() {
			KeSetEvent(e, 7, true)
			early = ran.Load()
			one(PVOID(reply), nil)
		}, func() { kit.OnCPU(0); kit.SetPriority(10) })
		other.Join(t)
		return !early && ran.Load()
	})
	if !ok {
		t.Error("the woken thread ran in between")
	}
}
