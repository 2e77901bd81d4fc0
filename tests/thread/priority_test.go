package thread

import (
	"slices"
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/kernel"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// rule: thr-priority-range
// rule: thr-setpriority-returns-old
// rule: thr-setpriority-zero
func TestSetPriority(t *testing.T) {
	e := event(t, NotificationEvent)
	th := start(t, func() { wait(PVOID(e)) })
	settle(t, th, PVOID(e))
	before := KeQueryPriorityThread(th)
	for _, p := range []KPRIORITY{1, 15, 16, 31, 8, 0} {
		if old := KeSetPriorityThread(th, p); old != before {
			t.Errorf("set to %d: returned %d, want %d", p, old, before)
		}
		want := max(p, 1)
		if before = KeQueryPriorityThread(th); before != want {
			t.Errorf("set to %d: now %d", p, before)
		}
	}
	KeSetEvent(e, 0, false)
}

// rule: thr-basepriority-return
// rule: thr-basepriority-class
// rule: thr-basepriority-saturate
func TestBasePriority(t *testing.T) {
	e := event(t, NotificationEvent)
	th := start(t, func() { wait(PVOID(e)) })
	settle(t, th, PVOID(e))
	before := LONG(0)
	for _, c := range []struct {
		increment LONG
		base      int8
	}{{2, 10}, {-3, 5}, {7, 15}, {12, 15}, {-8, 1}, {16, 15}, {-16, 1}, {100, 15}, {0, 8}} {
		if old := KeSetBasePriorityThread(th, c.increment); old != before {
			t.Errorf("increment %d: returned %d, want %d", c.increment, old, before)
		}
		if th.BasePriority != c.base || KeQueryPriorityThread(th) != KPRIORITY(c.base) {
			t.Errorf("increment %d: base %d, priority %d, want %d", c.increment, th.BasePriority, th.Priority, c.base)
		}
		before = LONG(c.base) - 8
	}
	KeSetEvent(e, 0, false)
}

// rule: thr-quantum-decay
// rule: thr-boost-cap
func TestDecay(t *testing.T) {
	_, set := last()
	for _, c := range []struct {
		base int8
		inc  KPRIORITY
		want []uint32
	}{
		{8, 4, []uint32{12, 11, 10, 9, 8}}, {13, 6, []uint32{15, 14, 13}}, {20, 5, []uint32{20}},
	} {
		const quantum, measurements = 31 * kernel.Millisecond, 20
		for n := 1; ; n++ {
			got, gap := decay(t, set, c.base, c.inc, c.want[len(c.want)-1])
			if slices.Equal(got, c.want) {
				break
			}
			// A host that does not run the processor hides what happens meanwhile.
			if gap < quantum || n == measurements {
				t.Errorf("base %d, increment %d: priorities %v, want %v; not looked for %d ms", c.base, c.inc, got, c.want, gap/kernel.Millisecond)
				break
			}
		}
	}
}

// decay returns the priorities that a thread has after a wait that ended with an
// increment, until it has settled, and the longest time in which nobody looked.
func decay(t *testing.T, set KAFFINITY, base int8, inc KPRIORITY, settled uint32) (seen []uint32, gap uint64) {
	e := event(t, SynchronizationEvent)
	s := kit.New[spinner](t)
	s.limit, s.settled = 100*kernel.Millisecond, settled
	th := start(t, func() {
		KeSetSystemAffinityThread(set)
		if base < LOW_REALTIME_PRIORITY {
			KeSetBasePriorityThread(KeGetCurrentThread(), LONG(base)-8)
		} else {
			KeSetPriorityThread(KeGetCurrentThread(), KPRIORITY(base))
		}
		waitAndSpin(e, s)
	})
	settle(t, th, PVOID(e))
	KeSetEvent(e, inc, false)
	join(t, th)
	return s.priority[:s.seen], s.gap
}

// waitAndSpin waits and computes in one kernel call, so that the Go runtime does
// nothing in between.
func waitAndSpin(e PKEVENT, s *spinner) {
	a := kernel.Args{P: unsafe.Pointer(s), Q: unsafe.Pointer(e)}
	kernel.EnterBlocking(waitThenSpin, &a)
}

func waitThenSpin(a *kernel.Args) {
	kernel.WaitHeader((*kernel.Header)(a.Q), nil, false)
	spin(a)
}

// rule: thr-setpriority-lower-running
func TestLowerOwnPriority(t *testing.T) {
	_, set := last()
	for _, c := range []struct {
		other    LONG
		switches bool
	}{{9, false}, {10, true}} {
		e := event(t, SynchronizationEvent)
		s := kit.New[spinner](t)
		other := start(t, func() {
			KeSetBasePriorityThread(KeGetCurrentThread(), c.other-8)
			KeSetSystemAffinityThread(set)
			a := kernel.Args{P: unsafe.Pointer(s), Q: unsafe.Pointer(e)}
			kernel.EnterBlocking(countWakes, &a)
		})
		switched := 0
		const rounds = 10
		run(t, func() {
			KeSetSystemAffinityThread(set)
			self := KeGetCurrentThread()
			KeSetBasePriorityThread(self, 4)
			for range rounds {
				settle(t, other, PVOID(e))
				KeSetPriorityThread(self, 12)
				before := atomic.LoadUint64(&s.turns)
				KeSetEvent(e, IO_NO_INCREMENT, false) // the other thread is ready now
				KeSetPriorityThread(self, 9)
				if atomic.LoadUint64(&s.turns) != before {
					switched++
				}
			}
		})
		s.end()
		KeSetEvent(e, IO_NO_INCREMENT, false)
		if c.switches && switched < rounds-2 || !c.switches && switched > 2 {
			t.Errorf("lowered to 9 with a ready thread at %d: switched in %d of %d rounds", c.other, switched, rounds)
		}
	}
}

// countWakes counts how often it is woken.
func countWakes(a *kernel.Args) {
	s := (*spinner)(a.P)
	for atomic.LoadUint32(&s.stop) == 0 {
		kernel.WaitHeader((*kernel.Header)(a.Q), nil, false)
		atomic.AddUint64(&s.turns, 1)
	}
}
