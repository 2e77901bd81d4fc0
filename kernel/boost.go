package kernel

import (
	"irqlab/arch"
	"irqlab/board"
	"irqlab/irql"
)

// boost lifts a variable thread above its base for having waited
// (wait-boost-value); real-time threads are left alone.
func (t *Thread) boost(inc int8) {
	if t.BasePriority >= LowRealtime || inc <= 0 {
		return
	}
	if p := min(t.BasePriority+inc, maxDynamic); p > t.Priority {
		t.Priority = p
	}
}

// decay lets a boost fade: one level at the end of a quantum, or all of it if
// it was lent for a lock.
func (t *Thread) decay() {
	switch {
	case t.LockBoost:
		t.endBoost()
	case t.Priority < LowRealtime && t.Priority > t.BasePriority:
		t.Priority--
	}
}

// endBoost takes back what was lent for a lock.
func (t *Thread) endBoost() {
	if t.LockBoost {
		t.LockBoost = false
		t.Priority = t.lentFrom
	}
}

// spend charges the running thread's quantum for a wait (wait-quantum-cost).
func (t *Thread) spend() {
	if t.Priority < LowRealtime && t.Quantum > 1 {
		t.Quantum--
	}
}

// lend lifts a thread to a priority until its quantum ends or it waits.
// Dispatcher lock held.
func (t *Thread) lend(p int8) {
	if t.Priority >= p {
		return
	}
	if !t.LockBoost {
		t.LockBoost = true
		t.lentFrom = t.Priority
	}
	if t.State != StateReady {
		t.Priority = p
		return
	}
	processors[t.CPU].dequeue(t)
	t.Priority = p
	t.Quantum = quantumReset
	makeReady(t, true)
}

// BoostForLock lets ready threads of the Go runtime below priority p run. A
// thread of that priority is about to wait for a lock of the runtime, and one of
// them may hold it: the lock word does not tell which. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func BoostForLock(p int8) {
	old := LockDispatcher()
	for i := uint32(0); i < arch.NumCPUs; i++ {
		boostBelow(&processors[i], p)
	}
	UnlockDispatcher(old)
}

func boostBelow(q *processor, p int8) {
	below := q.summary & (1<<uint(p) - 1)
	for level := 0; below != 0; level++ {
		if below&(1<<uint(level)) == 0 {
			continue
		}
		below &^= 1 << uint(level)
		for e := q.ready[level].Flink; e != &q.ready[level]; {
			t := threadOf(e)
			e = e.Flink
			if t.Go {
				t.lend(p)
			}
		}
	}
}

// BoostForSignal lets t run soon: a signal was posted that asks it to stop for
// the garbage collector, and every other thread of Go waits for it.
//
// IRQL: <= DISPATCH_LEVEL
func BoostForSignal(t *Thread) {
	old := LockDispatcher()
	t.lend(max(Current().Priority, maxDynamic))
	UnlockDispatcher(old)
}

// Attention has t look for pending work before it resumes Go code, at once if
// it is running that now. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func Attention(t *Thread) {
	old := LockDispatcher()
	t.Context.Attention = 1
	if t.State == StateRunning {
		if t.CPU == arch.ThisCPU().ID {
			board.RequestSelf(uintptr(irql.APC))
		} else {
			board.SendIPI(t.CPU, uintptr(irql.APC))
		}
	}
	UnlockDispatcher(old)
}

// anyReady reports whether any thread is ready anywhere; the answer may be old
// when it arrives.
func anyReady() bool {
	for i := uint32(0); i < arch.NumCPUs; i++ {
		if processors[i].summary != 0 {
			return true
		}
	}
	return false
}
