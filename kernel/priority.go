package kernel

// SetPriority sets the thread's run-time priority and gives it a fresh quantum
// (KeSetPriorityThread); it returns the priority before. Above its base a
// variable thread sinks back by one a quantum. 0 is for the zero-page thread
// alone and becomes 1. Kernel context.
//
// IRQL: PASSIVE_LEVEL
func (t *Thread) SetPriority(p int8) int8 {
	old := LockDispatcher()
	if p == 0 && t.BasePriority != 0 {
		p = 1
	}
	was := t.Priority
	t.LockBoost = false
	t.setPriority(p)
	UnlockDispatcher(old)
	return was
}

// SetBasePriority makes the base the class's base plus increment, clamped to
// the class the thread is in; 16 and more, either way, means its end
// (KeSetBasePriorityThread). It returns the increment before. Kernel context.
//
// IRQL: PASSIVE_LEVEL
func (t *Thread) SetBasePriority(increment int) int {
	old := LockDispatcher()
	lo, hi := 1, maxDynamic
	if t.BasePriority >= LowRealtime {
		lo, hi = LowRealtime, MaxPriority
	}
	base := DefaultPriority + increment
	switch {
	case increment >= 16:
		base = hi
	case increment <= -16:
		base = lo
	}
	was := int(t.BasePriority) - DefaultPriority
	t.BasePriority = int8(min(max(base, lo), hi))
	t.LockBoost = false
	t.setPriority(t.BasePriority)
	UnlockDispatcher(old)
	return was
}

// setPriority moves the thread to where it belongs with priority p. Dispatcher
// lock held.
func (t *Thread) setPriority(p int8) {
	t.Quantum = quantumReset
	if p == t.Priority {
		return
	}
	lowered := p < t.Priority
	switch t.State {
	case StateReady:
		processors[t.CPU].dequeue(t)
		t.Priority = p
		makeReady(t, false)
	case StateRunning:
		t.Priority = p
		if q := &processors[t.CPU]; lowered && (q.highest() > int(p) || anyAbove(p)) {
			q.kick()
		}
	default:
		t.Priority = p
	}
}

// anyAbove reports whether a thread above priority p is ready anywhere.
func anyAbove(p int8) bool {
	for i := range processors {
		if processors[i].highest() > int(p) {
			return true
		}
	}
	return false
}

// Boost lifts a variable thread to inc above its base if it is not there yet
// (KeBoostPriorityThread). It decays as other boosts do. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Thread) Boost(inc int8) {
	old := LockDispatcher()
	if p := min(t.BasePriority+inc, maxDynamic); t.BasePriority < LowRealtime && p > t.Priority {
		t.endBoost()
		t.setPriority(p)
	}
	UnlockDispatcher(old)
}

// SetNoBoost says whether the thread's priority stays as it is when its waits end,
// and returns what held before (KeSetDisableBoostThread). Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Thread) SetNoBoost(on bool) bool {
	old := LockDispatcher()
	was := t.NoBoost
	t.NoBoost = on
	UnlockDispatcher(old)
	return was
}

// RunTime returns the time that the thread has run, in counter ticks. Kernel
// context.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Thread) RunTime() uint64 {
	old := LockDispatcher()
	n := t.cycles()
	UnlockDispatcher(old)
	return n
}
