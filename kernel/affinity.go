package kernel

import "irqlab/arch"

// allProcessors is the set of a thread that is not restricted.
const allProcessors = 1<<arch.MaxCPUs - 1

// SetAffinity restricts the thread to a set of processors, bit n for processor
// n, and returns the set before (KeSetAffinityThread). While SetSystemAffinity is in
// force it is the set that the thread reverts to. Below DISPATCH_LEVEL the running
// thread is on one of them when it returns; at DISPATCH_LEVEL it moves once the
// level falls. A set without an active processor changes nothing. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Thread) SetAffinity(set uint32) (was uint32) {
	old := LockDispatcher()
	set &= ActiveProcessors()
	switch {
	case t.UserAffinity == 0:
		was = t.Affinity
		t.restrict(set)
	default:
		was = t.UserAffinity
		if set != 0 {
			t.UserAffinity = set
		}
	}
	UnlockDispatcher(old)
	return was
}

// restrict has the thread run on a set of active processors; an empty one changes
// nothing. Dispatcher lock held.
func (t *Thread) restrict(set uint32) {
	if set == 0 {
		return
	}
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

// SetSystemAffinity restricts the running thread until RevertAffinity, and
// returns the set of an earlier call that has not been reverted, or 0
// (KeSetSystemAffinityThreadEx). It takes effect as SetAffinity does. A set without
// an active processor changes nothing. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func SetSystemAffinity(set uint32) (was uint32) {
	t := Current()
	old := LockDispatcher()
	set &= ActiveProcessors()
	switch {
	case t.UserAffinity != 0:
		was = t.Affinity
	case set != 0:
		t.UserAffinity = t.Affinity
	}
	t.restrict(set)
	UnlockDispatcher(old)
	return was
}

// RevertAffinity goes back to the set that the matching SetSystemAffinity
// returned, 0 being the thread's own (KeRevertToUserAffinityThreadEx). Kernel
// context.
//
// IRQL: <= DISPATCH_LEVEL
func RevertAffinity(set uint32) {
	t := Current()
	old := LockDispatcher()
	switch {
	case t.UserAffinity == 0:
	case set == 0:
		user := t.UserAffinity
		t.UserAffinity = 0
		t.restrict(user & ActiveProcessors())
	default:
		t.restrict(set & ActiveProcessors())
	}
	UnlockDispatcher(old)
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
