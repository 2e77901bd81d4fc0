package kernel

import (
	"irqlab/arch"
	"irqlab/board"
	"irqlab/irql"
)

// Brief is an increment that package linux uses for what the Go runtime wakes:
// it lifts a thread by briefLift, for wakeTime. Threads that a program knows as
// such, whose priority is its own affair, are not lifted.
const (
	Brief     int8 = -128
	briefLift int8 = 2
)

// boost lifts a variable thread above its base for having waited
// (wait-boost-value); real-time threads are left alone.
func (t *Thread) boost(inc int8) {
	brief := inc == Brief
	if brief {
		inc = briefLift
	}
	if t.BasePriority >= LowRealtime || inc <= 0 || t.NoBoost || brief && t.Locked {
		return
	}
	p := min(t.BasePriority+inc, maxDynamic)
	if p <= t.Priority {
		return
	}
	if brief {
		t.LockBoost = true
		t.lentFrom, t.lentFor = t.Priority, wakeTime
	}
	t.Priority = p
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

// How long a thread keeps a priority that it was lent, of the time that it runs
// (100 ns). Leaving a section of the Go runtime, or coming to a point where it
// can stop, takes some microseconds; what a thread was woken for, often not much
// more. A program's loop that follows shall not keep the processor for a
// quantum.
const (
	lendTime = Millisecond / 4
	wakeTime = 2 * Millisecond
)

// lend lifts a ready thread to a priority until it waits or has run for
// lendTime. One that runs needs no help, one that waits could not use it. For the
// balance set manager it has been ready all the time. Dispatcher lock held.
func (t *Thread) lend(p int8) {
	if t.Priority >= p || t.State != StateReady {
		return
	}
	if !t.LockBoost {
		t.LockBoost = true
		t.lentFrom, t.lentFor = t.Priority, lendTime
	}
	since := t.ReadyTime
	processors[t.CPU].dequeue(t)
	t.Priority = p
	makeReady(t, true)
	t.ReadyTime = since
}

// lent reports whether what the running thread was lent is due back.
func (t *Thread) lent(now uint64) bool { return t.LockBoost && t.lentUntil <= now }

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

// AnyReady reports whether any thread is ready anywhere; the answer may be old
// when it arrives.
func AnyReady() bool {
	for i := uint32(0); i < arch.NumCPUs; i++ {
		if processors[i].summary != 0 {
			return true
		}
	}
	return false
}

// LendPriority lets t run soon: the running thread is about to wait for a lock
// that t holds. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func LendPriority(t *Thread) {
	old := LockDispatcher()
	t.lend(min(Current().Priority, maxDynamic))
	UnlockDispatcher(old)
}
