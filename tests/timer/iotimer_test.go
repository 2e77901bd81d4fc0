package timer

import (
	"sync/atomic"
	"testing"

	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// seconds is what a device's timer routine leaves behind.
type seconds struct {
	calls uint32
	last  ULONGLONG
	first ULONGLONG
	level KIRQL
}

func everySecond(device PDEVICE_OBJECT, context PVOID) {
	s := (*seconds)(context)
	s.last, s.level = KeQueryInterruptTime(), KeGetCurrentIrql()
	if atomic.AddUint32(&s.calls, 1) == 1 {
		s.first = s.last
	}
}

// rule: timer-io-onesecond
func TestIoTimer(t *testing.T) {
	d, s := kit.New[DEVICE_OBJECT](t), kit.New[seconds](t)
	if st := IoInitializeTimer(d, everySecond, PVOID(s)); st != STATUS_SUCCESS || IoInitializeTimer(d, everySecond, PVOID(s)) != STATUS_SUCCESS {
		t.Fatal(st)
	}
	start := KeQueryInterruptTime()
	IoStartTimer(d)
	kit.Until(t, "two calls", func() bool { return atomic.LoadUint32(&s.calls) >= 2 })
	IoStopTimer(d)
	KeFlushQueuedDpcs()
	n := atomic.LoadUint32(&s.calls)
	if s.first < start+ULONGLONG(Second) || s.level != DISPATCH_LEVEL {
		t.Errorf("first call after %d, at level %d", s.first-start, s.level)
	}
	// Calls come late on a busy host, but keep their rhythm.
	if at := start + ULONGLONG(n)*ULONGLONG(Second); s.last < at {
		t.Errorf("call %d came %d early", n, at-s.last)
	}
	KeDelayExecutionThread(KernelMode, false, kit.Ms(1100))
	if later := atomic.LoadUint32(&s.calls); later != n {
		t.Errorf("%d calls after IoStopTimer", later-n)
	}
}

// rule: timer-resolution
func TestResolution(t *testing.T) {
	var coarsest, finest, current ULONG
	ExQueryTimerResolution(&coarsest, &finest, &current)
	if coarsest != KeQueryTimeIncrement() || finest > 10_000 || current != coarsest {
		t.Errorf("resolutions %d, %d, %d", coarsest, finest, current)
	}
	for _, want := range []struct{ ask, get ULONG }{{10_000, 10_000}, {50_000, 10_000}, {1, finest}} {
		if got := ExSetTimerResolution(want.ask, true); got != want.get {
			t.Errorf("asked for %d, got %d", want.ask, got)
		}
	}
	for i, want := range []ULONG{finest, finest, coarsest, coarsest} {
		if got := ExSetTimerResolution(0, false); got != want {
			t.Errorf("after %d ends: %d", i+1, got)
		}
	}
}
