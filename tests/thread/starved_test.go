package thread

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/kernel"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// A ready thread that a better one keeps from its processor is lifted by the
// balance set manager, and then runs for a while: also if it was lent a priority
// for a lock of the Go runtime that did not get it there.
func TestStarved(t *testing.T) {
	_, set := last()
	s := kit.New[spinner](t)
	victim := start(t, func() {
		KeSetSystemAffinityThread(set)
		s.run()
	})
	kit.Until(t, "the victim runs", func() bool { return atomic.LoadUint64(&s.turns) > 0 })
	var lifted, kept bool
	run(t, func() {
		KeSetBasePriorityThread(KeGetCurrentThread(), 12-8)
		KeSetSystemAffinityThread(set)
		a := kernel.Args{P: unsafe.Pointer(victim)}
		kernel.EnterBlocking(starve, &a)
		lifted, kept = a.R != 0, a.B != 0
	})
	s.end()
	if !kept {
		t.Error("being lent a priority makes a thread wait anew for the balance set manager")
	}
	if !lifted {
		t.Error("in 7.5 s, what the balance set manager lifted never had 5 ms of the processor")
	}
}

// starve keeps the thread P from the processor until that has run for 5 ms, and
// sets R; it gives up before the balance set manager would lift P for the second
// time. It sets B if P's time of becoming ready survives that a priority is lent.
func starve(a *kernel.Args) {
	victim := (*kernel.Thread)(a.P)
	end := kernel.InterruptTime() + 75*kernel.Second/10
	ready := victim.ReadyTime
	kernel.BoostForLock(10)
	if victim.ReadyTime == ready {
		a.B = 1
	}
	for before := victim.Cycles; kernel.InterruptTime() < end; {
		if n := victim.Cycles - before; n > board.CounterHz()/200 {
			a.R = 1
			return
		}
		before = victim.Cycles
		for range 100 {
			arch.Pause()
		}
	}
}
