package timer

import (
	"sync/atomic"
	"testing"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// record is what an EX_TIMER's callbacks leave behind.
type record struct {
	calls, deletions uint32
	level            KIRQL
	deleteLevel      KIRQL
	callsAtDeletion  uint32
	spin             uint32 // until this is not 0
	deleteSelf       uint32
	result           uint32
}

func expired(timer PEX_TIMER, context PVOID) {
	r := (*record)(context)
	r.level = KeGetCurrentIrql()
	atomic.AddUint32(&r.calls, 1)
	if r.deleteSelf != 0 {
		// From here it must not wait.
		if !ExDeleteTimer(timer, true, false, nil) && !ExSetTimer(timer, -1, 0, nil) && !ExCancelTimer(timer, nil) {
			atomic.StoreUint32(&r.result, 1)
		}
	}
	for atomic.LoadUint32(&r.spin) != 0 {
		KeStallExecutionProcessor(1)
	}
}

func deleted(context PVOID) {
	r := (*record)(context)
	r.deleteLevel = KeGetCurrentIrql()
	r.callsAtDeletion = atomic.LoadUint32(&r.calls)
	atomic.AddUint32(&r.deletions, 1)
}

func deletion(r *record) *EXT_DELETE_PARAMETERS {
	var p EXT_DELETE_PARAMETERS
	ExInitializeDeleteTimerParameters(&p)
	p.DeleteCallback, p.DeleteContext = deleted, PVOID(r)
	return &p
}

const farAway = -1000 * Second

// rule: timer-ex-default-sync
func TestExKinds(t *testing.T) {
	for _, c := range []struct {
		attributes ULONG
		want       kernel.Type
		stays      bool
	}{{0, kernel.TypeSynchronizationTimer, false}, {EX_TIMER_HIGH_RESOLUTION, kernel.TypeSynchronizationTimer, false},
		{EX_TIMER_NOTIFICATION | EX_TIMER_NO_WAKE, kernel.TypeNotificationTimer, true}} {
		m := ExAllocateTimer(nil, nil, c.attributes)
		if m.Header.Type != c.want || ExCancelTimer(m, nil) {
			t.Errorf("%#x: type %v", c.attributes, m.Header.Type)
		}
		ExSetTimer(m, -Millisecond, 0, nil)
		if s := KeWaitForSingleObject(PVOID(m), Executive, KernelMode, false, kit.Ms(20_000)); s != STATUS_SUCCESS {
			t.Errorf("%#x: %v", c.attributes, s)
		}
		if again := KeWaitForSingleObject(PVOID(m), Executive, KernelMode, false, kit.NoTime) == STATUS_SUCCESS; again != c.stays {
			t.Errorf("%#x: signalled after a wait: %v", c.attributes, again)
		}
		ExDeleteTimer(m, true, true, nil)
	}
}

// rule: timer-ex-set-return
// rule: timer-ex-cancel-return
func TestExSetCancel(t *testing.T) {
	r := kit.New[record](t)
	m := ExAllocateTimer(expired, PVOID(r), 0)
	var p EXT_SET_PARAMETERS
	ExInitializeSetTimerParameters(&p)
	if ExSetTimer(m, farAway, 0, &p) || !ExSetTimer(m, farAway, 0, &p) || !ExCancelTimer(m, nil) || ExCancelTimer(m, nil) {
		t.Error("set and cancelled wrongly")
	}
	ExSetTimer(m, -Millisecond, 0, nil)
	kit.Until(t, "the callback", func() bool { return atomic.LoadUint32(&r.calls) == 1 })
	if ExCancelTimer(m, nil) || ExSetTimer(m, farAway, 0, nil) {
		t.Error("an expired timer was set still")
	}
	if r.level != DISPATCH_LEVEL {
		t.Errorf("the callback ran at %d", r.level)
	}
	ExSetTimer(m, -1, Millisecond/4, nil) // a period of a quarter of a millisecond becomes one
	kit.Until(t, "several calls", func() bool { return atomic.LoadUint32(&r.calls) > 4 })
	if m.Period != 1 {
		t.Errorf("period %d ms", m.Period)
	}
	if !ExDeleteTimer(m, true, true, nil) {
		t.Error("a periodic timer was not cancelled")
	}
	was := atomic.LoadUint32(&r.calls)
	KeDelayExecutionThread(KernelMode, false, kit.Ms(10))
	if n := atomic.LoadUint32(&r.calls); n != was {
		t.Errorf("%d calls after the deletion", n-was)
	}
}

// rule: timer-ex-delete-return
// rule: timer-ex-after-delete
func TestExDelete(t *testing.T) {
	for _, c := range []struct {
		cancel, set, want bool
	}{{true, true, true}, {true, false, false}, {false, true, false}, {false, false, false}} {
		r := kit.New[record](t)
		m := ExAllocateTimer(expired, PVOID(r), 0)
		if c.set {
			due := -20 * Millisecond
			if c.cancel {
				due = farAway
			}
			ExSetTimer(m, due, 0, nil)
		}
		var got, later bool
		// Raised on its processor, the timer is not gone before this is over.
		kit.Run(t, func() {
			if !c.set {
				ExSetTimer(m, farAway, 0, nil)
				ExCancelTimer(m, nil)
			}
			kit.At(irql.Dispatch, func() {
				got = ExDeleteTimer(m, c.cancel, false, deletion(r))
				later = ExSetTimer(m, -1, 0, nil) || ExCancelTimer(m, nil)
			})
		}, func() { kit.OnCPU(0) })
		kit.Until(t, "the deletion", func() bool { return atomic.LoadUint32(&r.deletions) == 1 })
		calls := uint32(0)
		if c.set && !c.cancel {
			calls = 1
		}
		if got != c.want || later || r.callsAtDeletion != calls || r.deleteLevel != DISPATCH_LEVEL {
			t.Errorf("%+v: %v; set or cancelled later %v; %d calls; deleted at %d", c, got, later, r.callsAtDeletion, r.deleteLevel)
		}
	}
}

// rule: timer-ex-delete-cb-order
func TestExDeleteOrder(t *testing.T) {
	kit.NeedCPUs(t, 2)
	r := kit.New[record](t)
	m := ExAllocateTimer(expired, PVOID(r), 0)
	var during uint32
	late := true
	kit.Run(t, func() {
		// The callback may come before this thread is where it waits for it, raised;
		// then it must not wait for the thread.
		for range 100 {
			kit.OnCPU(1)
			ExSetTimer(m, -20*Millisecond, 0, nil)
			kit.OnCPU(0)
			kit.At(irql.Dispatch, func() {
				atomic.StoreUint32(&r.spin, 1)
				if late = atomic.LoadUint32(&r.calls) != 0; late {
					atomic.StoreUint32(&r.spin, 0)
					return
				}
				for atomic.LoadUint32(&r.calls) == 0 {
					KeStallExecutionProcessor(1)
				}
				ExDeleteTimer(m, true, false, deletion(r))
				KeStallExecutionProcessor(3000)
				during = atomic.LoadUint32(&r.deletions)
				atomic.StoreUint32(&r.spin, 0)
			})
			if !late {
				break
			}
			atomic.StoreUint32(&r.calls, 0)
		}
	})
	if late {
		ExDeleteTimer(m, true, true, nil)
		t.Skip("the host leaves a thread no 20 ms")
	}
	kit.Until(t, "the deletion", func() bool { return atomic.LoadUint32(&r.deletions) == 1 })
	if during != 0 {
		t.Error("deleted while its callback ran")
	}
	m = ExAllocateTimer(expired, PVOID(r), 0)
	ExSetTimer(m, -1, 0, nil)
	ExDeleteTimer(m, true, true, deletion(r))
	if n := atomic.LoadUint32(&r.deletions); n != 2 {
		t.Errorf("%d deletions when ExDeleteTimer with Wait has returned", n)
	}
}

// rule: timer-ex-delete-callback
func TestExDeleteSelf(t *testing.T) {
	r := kit.New[record](t)
	r.deleteSelf = 1
	m := ExAllocateTimer(expired, PVOID(r), 0)
	ExSetTimer(m, -1, 0, nil)
	kit.Until(t, "the callback's own deletion", func() bool { return atomic.LoadUint32(&r.result) == 1 })
}
