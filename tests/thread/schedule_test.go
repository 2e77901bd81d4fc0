package thread

import (
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"irqlab/kernel"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// rule: thr-preempt-higher
func TestPreemption(t *testing.T) {
	_, set := last()
	e := event(t, SynchronizationEvent)
	const rounds = 20
	var ran atomic.Int32
	rival := start(t, func() {
		KeSetSystemAffinityThread(set)
		KeSetBasePriorityThread(KeGetCurrentThread(), 4)
		for range rounds {
			wait(PVOID(e))
			ran.Add(1)
		}
	})
	late := 0
	run(t, func() {
		KeSetSystemAffinityThread(set)
		for i := range int32(rounds) {
			settle(t, rival, PVOID(e))
			KeSetEvent(e, IO_NO_INCREMENT, false)
			if ran.Load() != i+1 {
				late++
			}
		}
	})
	// A lock of the Go runtime may hold the rival up on its way back to Go code.
	if late > rounds/4 {
		t.Errorf("in %d of %d rounds the better thread had not run when KeSetEvent returned", late, rounds)
	}
}

// spinner is a thread that computes in kernel context, where Go's scheduler has
// no say.
type spinner struct {
	stop     uint32
	limit    uint64 // 100 ns; 0: until it is stopped
	settled  uint32 // priority from which on limit counts, within reason; 0: from the start
	turns    uint64
	priority [32]uint32 // it has seen itself at, in order, without boosts for the Go runtime's sake
	seen     uint32
	gap      uint64 // 100 ns; the longest time between two looks, in which it has seen nothing
}

func spin(a *kernel.Args) {
	s := (*spinner)(a.P)
	patience := kernel.InterruptTime() + 10*kernel.Second
	end := kernel.InterruptTime() + s.limit
	last := kernel.InterruptTime()
	for atomic.LoadUint32(&s.stop) == 0 {
		t := kernel.Current()
		p := uint32(t.Priority)
		now := kernel.InterruptTime()
		s.gap, last = max(s.gap, now-last), now
		switch {
		case s.settled != 0 && p != s.settled && now < patience:
			end = now + s.limit
		case s.limit != 0 && now >= end:
			return
		}
		if n := s.seen; !t.LockBoost && n < uint32(len(s.priority)) && (n == 0 || s.priority[n-1] != p) {
			s.priority[n] = p
			s.seen++
		}
		atomic.AddUint64(&s.turns, 1)
		for range 100 {
			atomic.LoadUint32(&s.stop)
		}
	}
}

func (s *spinner) run() {
	a := kernel.Args{P: unsafe.Pointer(s)}
	kernel.EnterBlocking(spin, &a)
}

func (s *spinner) end() { atomic.StoreUint32(&s.stop, 1) }

// delay sleeps in the kernel: time.Sleep needs other threads of Go to wake up.
func delay(ms int64) { KeDelayExecutionThread(KernelMode, false, kit.Ms(ms)) }

// rule: thr-roundrobin
func TestRoundRobin(t *testing.T) {
	_, set := last()
	s := kit.New[[2]spinner](t)
	var th [2]PETHREAD
	for i := range th {
		th[i] = start(t, func() {
			KeSetSystemAffinityThread(set)
			s[i].run()
		})
	}
	kit.Until(t, "both threads have had their turns", func() bool {
		return th[0].Switches > 5 && th[1].Switches > 5 && atomic.LoadUint64(&s[0].turns) > 0 && atomic.LoadUint64(&s[1].turns) > 0
	})
	// A host that is busy takes the processor away from the one or the other.
	var a, b float64
	fair := kit.Retry(func() bool {
		before := [2]uint64{th[0].Cycles, th[1].Cycles}
		time.Sleep(time.Second)
		a, b = float64(th[0].Cycles-before[0]), float64(th[1].Cycles-before[1])
		return a > b/3 && b > a/3
	})
	s[0].end()
	s[1].end()
	if !fair {
		t.Errorf("in a second one thread ran %.0f ticks, the other %.0f", a, b)
	}
}

// rule: thr-preempted-head
func TestPreemptedGoesOn(t *testing.T) {
	_, set := last()
	e := event(t, SynchronizationEvent)
	s := kit.New[spinner](t)
	const rounds = 40
	rival := start(t, func() {
		KeSetSystemAffinityThread(set)
		KeSetBasePriorityThread(KeGetCurrentThread(), 4)
		for range rounds {
			wait(PVOID(e))
		}
	})
	equal := start(t, func() {
		KeSetSystemAffinityThread(set)
		s.run()
	})
	overtaken := 0
	run(t, func() {
		KeSetSystemAffinityThread(set)
		for range rounds {
			settle(t, rival, PVOID(e))
			before := atomic.LoadUint64(&s.turns)
			KeSetEvent(e, IO_NO_INCREMENT, false) // the rival preempts this thread
			if atomic.LoadUint64(&s.turns) != before {
				overtaken++
			}
		}
	})
	s.end()
	join(t, equal)
	// A quantum that ends meanwhile lets the equal thread run, rightly.
	if overtaken > rounds/4 {
		t.Errorf("in %d of %d rounds a thread of the same priority ran before the preempted one went on", overtaken, rounds)
	}
}

// rule: thr-yield
func TestYield(t *testing.T) {
	_, set := last()
	s := kit.New[spinner](t)
	var none, yielded bool
	var turns uint64
	other := (PETHREAD)(nil)
	run(t, func() {
		KeSetSystemAffinityThread(set)
		KeSetPriorityThread(KeGetCurrentThread(), 20)
		for end := time.Now().Add(kit.Patience); !none && time.Now().Before(end); {
			none = NtYieldExecution() == STATUS_NO_YIELD_PERFORMED // threads of Go come and go
		}
		other = start(t, func() {
			KeSetSystemAffinityThread(set)
			s.run()
		})
		for end := time.Now().Add(kit.Patience); !yielded && time.Now().Before(end); {
			before := atomic.LoadUint64(&s.turns)
			if NtYieldExecution() == STATUS_SUCCESS {
				turns = atomic.LoadUint64(&s.turns) - before
				yielded = turns > 0
			}
			delay(1) // lets the new thread come up
		}
	})
	s.end()
	join(t, other)
	if !none || !yielded {
		t.Errorf("with nobody ready NO_YIELD_PERFORMED: %v; a thread of lower priority got a turn: %v", none, yielded)
	}
}
