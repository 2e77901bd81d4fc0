package kernel

import "irqlab/arch"

// SetAffinity restricts the thread to a set of processors, bit n for processor
// n, and returns the set before (KeSetSystemAffinityThreadEx). Below
// DISPATCH_LEVEL the running thread is on one of them when it returns; at
// DISPATCH_LEVEL it moves once the level falls. A set without an active
// processor changes nothing. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Thread) SetAffinity(set uint32) uint32 {
	old := LockDispatcher()
	was := t.Affinity
	if set &= ActiveProcessors(); set != 0 {
		t.Affinity = set
		switch {
		case t.allowed(t.CPU):
		case t.State == StateReady:
			processors[t.CPU].dequeue(t)
			makeReady(t, false)
		case t.State == StateRunning:
			processors[t.CPU].kick()
		}
	}
	UnlockDispatcher(old)
	return was
}

// SetSystemAffinity restricts the running thread until RevertAffinity, and
// returns the set of an earlier call that has not been reverted, or 0
// (KeSetSystemAffinityThreadEx). A set without an active processor changes
// nothing. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func SetSystemAffinity(set uint32) (was uint32) {
	t := Current()
	if t.UserAffinity != 0 {
		was = t.Affinity
	}
	if set&ActiveProcessors() != 0 {
		old := t.SetAffinity(set)
		if was == 0 {
			t.UserAffinity = old
		}
	}
	return was
}

// RevertAffinity goes back to the set that the matching SetSystemAffinity
// returned, 0 being the thread's own (KeRevertToUserAffinityThreadEx). Kernel
// context.
//
// IRQL: <= DISPATCH_LEVEL
func RevertAffinity(set uint32) {
	t := Current()
	switch {
	case t.UserAffinity == 0:
	case set == 0:
		user := t.UserAffinity
		t.UserAffinity = 0
		t.SetAffinity(user)
	default:
		t.SetAffinity(set)
	}
}

// ActiveProcessors returns the set of processors that run threads
// (KeQueryActiveProcessors).
//
// IRQL: any
func ActiveProcessors() uint32 { return 1<<arch.NumCPUs - 1 }

// SetIdeal has the thread queued on a processor first, if there is such a
// processor, and returns the one before (KeSetIdealProcessorThread). Kernel
// context.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Thread) SetIdeal(cpu uint32) uint32 {
	old := LockDispatcher()
	was := t.Ideal
	if cpu < arch.NumCPUs {
		t.Ideal = cpu
	}
	UnlockDispatcher(old)
	return was
}
