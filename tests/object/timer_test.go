package object

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/kernel"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func timer(t *testing.T, typ TIMER_TYPE) HANDLE {
	t.Helper()
	kit.NoLeaks(t)
	var h HANDLE
	want(t, "create", ZwCreateTimer(&h, TIMER_ALL_ACCESS, nil, typ), STATUS_SUCCESS)
	return h
}

func queryTimer(t *testing.T, h HANDLE) TIMER_BASIC_INFORMATION {
	t.Helper()
	var i TIMER_BASIC_INFORMATION
	want(t, "query", ZwQueryTimer(h, TimerBasicInformation, PVOID(&i), ULONG(unsafe.Sizeof(i)), nil), STATUS_SUCCESS)
	return i
}

// rule: timer-nt-period
func TestTimerParameters(t *testing.T) {
	var h HANDLE
	want(t, "type", NtCreateTimer(&h, TIMER_ALL_ACCESS, nil, 2), STATUS_INVALID_PARAMETER_4)
	h = timer(t, NotificationTimer)
	want(t, "period", NtSetTimer(h, kit.Ms(1), nil, nil, false, -1, nil), STATUS_INVALID_PARAMETER_6)
	want(t, "period", ZwSetTimer(h, kit.Ms(1), nil, nil, false, -1, nil), STATUS_INVALID_PARAMETER_6)
	want(t, "resume", ZwSetTimer(h, kit.Ms(100000), nil, nil, true, 0, nil), STATUS_TIMER_RESUME_IGNORED)
	if i := queryTimer(t, h); i.RemainingTime <= 0 || i.RemainingTime > 100*Second || i.TimerState {
		t.Errorf("%+v", i)
	}
	want(t, "cancel", NtCancelTimer(h, nil), STATUS_SUCCESS)
	if i := queryTimer(t, h); i.RemainingTime != 0 || i.TimerState {
		t.Errorf("cancelled: %+v", i)
	}
	done := make(chan NTSTATUS)
	go func() {
		done <- ZwSetTimer(h, kit.Ms(1), func(PVOID, ULONG, LONG) {}, nil, false, 0, nil)
	}()
	want(t, "an APC to a goroutine that may move", <-done, STATUS_INVALID_THREAD)
	ZwClose(h)
}

// rule: timer-nt-state
func TestTimerState(t *testing.T) {
	h := timer(t, NotificationTimer)
	state := true
	want(t, "set", NtSetTimer(h, kit.Ms(2), nil, nil, false, 0, &state), STATUS_SUCCESS)
	if state {
		t.Error("a new timer was signalled")
	}
	want(t, "wait", ZwWaitForSingleObject(h, false, nil), STATUS_SUCCESS)
	want(t, "cancel", NtCancelTimer(h, &state), STATUS_SUCCESS)
	if !state || !queryTimer(t, h).TimerState {
		t.Error("an expired timer is not signalled")
	}
	state = false
	want(t, "set", NtSetTimer(h, kit.Ms(100000), nil, nil, false, 0, &state), STATUS_SUCCESS)
	if !state || queryTimer(t, h).TimerState {
		t.Errorf("set again: was signalled %v, is %v", state, queryTimer(t, h).TimerState)
	}
	want(t, "cancel", NtCancelTimer(h, &state), STATUS_SUCCESS)
	if state {
		t.Error("a timer that has not expired is signalled")
	}
	ZwClose(h)
}

// rule: timer-nt-kernel-apc
func TestTimerAPC(t *testing.T) {
	asKernel(t, func() {
		h, e := timer(t, SynchronizationTimer), event(t, nil, EVENT_ALL_ACCESS)
		var calls atomic.Int32
		var context PVOID
		var at LARGE_INTEGER
		routine := func(c PVOID, low ULONG, high LONG) {
			context, at = c, int64(low)|int64(high)<<32
			calls.Add(1)
		}
		set := kernel.SystemTime()
		want(t, "set", NtSetTimer(h, kit.Ms(5), routine, PVOID(t), false, 0, nil), STATUS_SUCCESS)
		for range 200 { // the timer expires on the processor that set it, which may be late
			want(t, "a wait that is not alertable", ZwWaitForSingleObject(e, false, kit.Ms(100)), STATUS_TIMEOUT)
			if calls.Load() != 0 {
				break
			}
		}
		if calls.Load() != 1 || context != PVOID(t) || at < set+5*Millisecond || at > kernel.SystemTime() {
			t.Errorf("%d calls, context %p, at %d after %d", calls.Load(), context, at, set)
		}
		// Once per expiry, as far as the thread takes them in time.
		want(t, "set", ZwSetTimer(h, kit.Ms(1), routine, nil, false, 3, nil), STATUS_SUCCESS)
		for calls.Load() < 5 {
			want(t, "wait", ZwWaitForSingleObject(e, false, kit.Ms(3)), STATUS_TIMEOUT)
		}
		want(t, "cancel", ZwCancelTimer(h, nil), STATUS_SUCCESS)
		n := calls.Load()
		ZwWaitForSingleObject(e, false, kit.Ms(20))
		if calls.Load() != n {
			t.Errorf("%d calls after the timer was cancelled", calls.Load()-n)
		}
		ZwClose(h)
	})
}

// For UserMode it is a user APC.
func TestTimerUserAPC(t *testing.T) {
	kit.Run(t, func() {
		h, e := timer(t, NotificationTimer), event(t, nil, EVENT_ALL_ACCESS)
		calls := 0
		want(t, "set", NtSetTimer(h, kit.Ms(1), func(PVOID, ULONG, LONG) { calls++ }, nil, false, 0, nil), STATUS_SUCCESS)
		want(t, "the timer", NtWaitForSingleObject(h, false, nil), STATUS_SUCCESS)
		want(t, "not alertable", NtWaitForSingleObject(e, false, kit.Ms(10)), STATUS_TIMEOUT)
		if calls != 0 {
			t.Errorf("%d calls in waits that are not alertable", calls)
		}
		want(t, "alertable", NtWaitForSingleObject(e, true, kit.Ms(10000)), STATUS_USER_APC)
		if calls != 1 {
			t.Errorf("%d calls", calls)
		}
		ZwClose(h)
	})
}

// An APC that has been queued, but not delivered, goes with the setting.
//
// rule: timer-nt-reset-replaces
// rule: timer-nt-cancel-apc
func TestTimerTakesBack(t *testing.T) {
	for what, takeBack := range map[string]func(HANDLE) NTSTATUS{
		"set":    func(h HANDLE) NTSTATUS { return ZwSetTimer(h, kit.Ms(100000), nil, nil, false, 0, nil) },
		"cancel": func(h HANDLE) NTSTATUS { return ZwCancelTimer(h, nil) },
	} {
		for _, period := range []LONG{0, 2} {
			asKernel(t, func() {
				h, e := timer(t, NotificationTimer), event(t, nil, EVENT_ALL_ACCESS)
				calls := 0
				self := KeGetCurrentThread()
				KeEnterCriticalRegion()
				want(t, "set", ZwSetTimer(h, kit.Ms(1), func(PVOID, ULONG, LONG) { calls++ }, nil, false, period, nil), STATUS_SUCCESS)
				kit.Until(t, "the APC is queued", func() (queued bool) {
					kit.Locked(func() { queued = !self.APCs[KernelMode].Empty() })
					return queued
				})
				want(t, what, takeBack(h), STATUS_SUCCESS)
				empty := false
				kit.Locked(func() { empty = self.APCs[KernelMode].Empty() })
				KeLeaveCriticalRegion()
				ZwWaitForSingleObject(e, false, kit.Ms(10))
				if !empty || calls != 0 {
					t.Errorf("%s, period %d: the queue is empty: %v, %d calls", what, period, empty, calls)
				}
				want(t, "cancel", ZwCancelTimer(h, nil), STATUS_SUCCESS)
				ZwClose(h)
			})
		}
	}
}

// rule: timer-nt-thread-exit
func TestTimerThreadExit(t *testing.T) {
	if !kit.Retry(func() bool { return endsWithTimer(t) }) {
		t.Error("the host never lets a thread end within 100 ms")
	}
}

// endsWithTimer has a thread end that has set a timer, and reports whether it ended
// before the timer was due.
func endsWithTimer(t *testing.T) bool {
	h := timer(t, SynchronizationTimer)
	defer ZwClose(h)
	p := object(t, h)
	var due LARGE_INTEGER
	var set string
	var calls atomic.Int32
	asKernel(t, func() {
		due = kernel.SystemTime() + 100*Millisecond
		want(t, "set", ZwSetTimer(h, &due, func(PVOID, ULONG, LONG) { calls.Add(1) }, nil, false, 5, nil), STATUS_SUCCESS)
		set = counts(p)
	})
	kit.Until(t, "the alarm goes", func() bool { return counts(p) == "2/1" })
	if kernel.SystemTime() >= due {
		return false
	}
	if set != "3/1" { // the alarm's
		t.Errorf("set with an APC: references/handles %s", set)
	}
	want(t, "a timer whose thread has ended", ZwWaitForSingleObject(h, false, kit.Ms(140)), STATUS_TIMEOUT)
	if i := queryTimer(t, h); i.RemainingTime != 0 || calls.Load() != 0 {
		t.Errorf("it is still set: %+v, %d calls", i, calls.Load())
	}
	return true
}

// A timer whose last handle is closed while it is set goes, at once without an
// APC, and with the APC's delivery otherwise.
func TestTimerClosed(t *testing.T) {
	asKernel(t, func() {
		before := count(ExTimerObjectType)
		h := timer(t, NotificationTimer)
		want(t, "set", ZwSetTimer(h, kit.Ms(100000), nil, nil, false, 0, nil), STATUS_SUCCESS)
		ZwClose(h)
		if n := count(ExTimerObjectType); n != before {
			t.Errorf("%d timers are left", n-before)
		}
		h = timer(t, NotificationTimer)
		called := false
		want(t, "set", ZwSetTimer(h, kit.Ms(5), func(PVOID, ULONG, LONG) { called = true }, nil, false, 0, nil), STATUS_SUCCESS)
		ZwClose(h)
		e := event(t, nil, EVENT_ALL_ACCESS)
		// The timer expires on the processor that set it, which may be late.
		for tries := 0; (!called || count(ExTimerObjectType) != before) && tries < 100; tries++ {
			ZwWaitForSingleObject(e, false, kit.Ms(50))
		}
		if n := count(ExTimerObjectType); !called || n != before {
			t.Errorf("called %v, %d timers are left", called, n-before)
		}
	})
}
