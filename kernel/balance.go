package kernel

import (
	"irqlab/arch"
	"irqlab/list"
)

// The balance set manager looks once a second for threads that have been ready
// for longer than starvation without running, and lifts them to the top of the
// variable range for two ticks, as in NT. Real-time threads still win.
const (
	balancePeriod   = Second
	starvation      = 4 * Second
	balancePriority = maxDynamic
	managerPriority = LowRealtime
)

// startBalanceSet starts the balance set manager's thread.
func startBalanceSet() {
	if t, ok := NewKernelThread(balanceSet, 0, managerPriority, "balance set"); ok {
		Ready(t)
	}
}

func balanceSet(uintptr) {
	for {
		Delay(-balancePeriod, false, KernelMode)
		old := LockDispatcher()
		now := arch.Counter()
		for i := uint32(0); i < arch.NumCPUs; i++ {
			for level := 1; level < balancePriority; level++ {
				boostStarved(&processors[i], &processors[i].ready[level], now)
			}
		}
		UnlockDispatcher(old)
	}
}

func boostStarved(p *processor, q *list.Entry, now uint64) {
	for e := q.Flink; e != q; {
		t := threadOf(e)
		e = e.Flink
		if scale(now-t.ReadyTime, perTick) > starvation {
			p.dequeue(t)
			t.LockBoost = false // a moment is not enough
			t.Priority = balancePriority
			t.Quantum = quantumReset
			Starved++
			makeReady(t, false)
		}
	}
}

// Starved counts the boosts the balance set manager gave.
var Starved uint64
