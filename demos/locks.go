package demos

import (
	"fmt"
	"io"
	"slices"

	"irqlab/arch"
	"irqlab/chance"
	. "irqlab/wdk"
)

// mutexCost is a way to acquire and release a mutex that is free.
type mutexCost struct {
	name  string
	about string
	pair  func(m *mutexKinds)
}

var mutexCosts = []mutexCost{
	{"KMUTEX", "an object: waits, recursion, ownership, in the dispatcher", func(m *mutexKinds) {
		wait(PVOID(&m.kernel))
		KeReleaseMutex(&m.kernel, false)
	}},
	{"FAST_MUTEX", "one atomic operation each, and IRQL goes to APC_LEVEL and back", func(m *mutexKinds) {
		ExAcquireFastMutex(&m.fast)
		ExReleaseFastMutex(&m.fast)
	}},
	{"KGUARDED_MUTEX", "the same with a guarded region, a counter, instead of the level", func(m *mutexKinds) {
		KeAcquireGuardedMutex(&m.guarded)
		KeReleaseGuardedMutex(&m.guarded)
	}},
}

// cheapest returns the least that an acquisition and release took, in ticks of
// the cycle counter. Under -icount that counts instructions; without, what
// the host does in between only ever adds, so the least of many is the cost.
func (c *mutexCost) cheapest(m *mutexKinds) uint64 {
	const batches, each = 2000, 2
	costs := make([]uint64, batches)
	for i := range costs {
		start := arch.Cycles()
		for range each {
			c.pair(m)
		}
		costs[i] = (arch.Cycles() - start) / each
	}
	return slices.Min(costs)
}

// locks compares the kinds of mutexes.
func locks(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	fmt.Fprint(w, "What it costs to acquire a mutex that is free and to release it: each kind does less than\n"+
		"the one before, and can do less. In ticks of the cycle counter; with -seed 0 and on one\n"+
		"processor they are guest instructions.\n")
	m, free := newMutexKinds()
	defer free()
	costs := make([]uint64, len(mutexCosts))
	// A measurement that the host has spoilt is made again.
	const tries = 5
	ordered := func() bool { return costs[0] > costs[1] && (costs[1] > costs[2] || chance.Enabled()) }
	for i := 0; i < tries && (i == 0 || !ordered()); i++ {
		join(create(func() {
			for i := range mutexCosts {
				costs[i] = mutexCosts[i].cheapest(m)
			}
		}))
	}
	for i, c := range mutexCosts {
		fmt.Fprintf(w, "  %-15s %6d  %s\n", c.name, costs[i], c.about)
	}
	if chance.Enabled() {
		// Locks are schedule points then, and a guarded mutex has more of them.
		return verdict(w, ordered() && costs[0] > costs[2], "a kernel mutex costs more than a fast mutex or a guarded mutex")
	}
	return verdict(w, ordered(), "a kernel mutex costs more than a fast mutex, and that more than a guarded mutex")
}
