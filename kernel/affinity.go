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

// ActiveProcessors returns the set of processors that run threads
// (KeQueryActiveProcessors).
//
// IRQL: any
func ActiveProcessors() uint32 { return 1<<arch.NumCPUs - 1 }
