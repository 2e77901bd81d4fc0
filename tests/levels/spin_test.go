package levels

import (
	"irqlab/bugcheck"
	"irqlab/internal/spec"
	"irqlab/irql"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() { add(spinProbes); add(queuedProbes); add(sharedProbes); add(irqlProbes) }

func spinLock(c *caller) *KSPIN_LOCK {
	l := kit.New[KSPIN_LOCK](c)
	KeInitializeSpinLock(l)
	return l
}

// releasedElsewhere is what the verifier says of a spin lock that is released at
// another level than DISPATCH_LEVEL.
var releasedElsewhere = verifier(0x32)

// held probes the release of a lock. The caller takes it at the level of the
// release, unless no spin lock may be held there: the level comes first.
func held(release func(PKSPIN_LOCK)) func(c *caller) {
	return func(c *caller) {
		l := spinLock(c)
		if c.level >= irql.Dispatch {
			c.onStop = l.ReleaseFromDpc
		}
		c.at(func() {
			if c.level >= irql.Dispatch {
				l.AcquireAtDpc()
			}
			release(l)
		})
	}
}

var spinProbes = map[string]probe{
	"KeInitializeSpinLock": {call: func(c *caller) { l := kit.New[KSPIN_LOCK](c); c.at(func() { KeInitializeSpinLock(l) }) }},
	"KeAcquireSpinLock": {stop: notGreater, call: func(c *caller) {
		l, old := spinLock(c), HIGH_LEVEL
		if c.at(func() { KeAcquireSpinLock(l, &old) }, func() { KeReleaseSpinLock(l, old) }) {
			c.want(old == c.level, "level before: %v", old)
		}
	}},
	"KeAcquireSpinLockRaiseToDpc": {stop: notGreater, call: func(c *caller) {
		l, old := spinLock(c), HIGH_LEVEL
		c.at(func() { old = KeAcquireSpinLockRaiseToDpc(l) }, func() { KeReleaseSpinLock(l, old) })
	}},
	"KeAcquireSpinLockAtDpcLevel": {stop: notGreater, call: func(c *caller) {
		l := spinLock(c)
		c.at(func() { KeAcquireSpinLockAtDpcLevel(l) }, l.ReleaseFromDpc)
	}},
	"KeTryToAcquireSpinLockAtDpcLevel": {call: func(c *caller) {
		l, ok := spinLock(c), false
		if c.at(func() { ok = KeTryToAcquireSpinLockAtDpcLevel(l) }, func() { KeReleaseSpinLockFromDpcLevel(l) }) {
			c.want(ok, "not acquired")
		}
	}},
	"KeTryToAcquireSpinLock": {stop: notGreater, call: func(c *caller) {
		l, old, ok := spinLock(c), HIGH_LEVEL, false
		if c.at(func() { ok = KeTryToAcquireSpinLock(l, &old) }, func() { KeReleaseSpinLock(l, old) }) {
			c.want(ok, "not acquired")
		}
	}},
	"KeAcquireSpinLockForDpc": {call: func(c *caller) {
		l, old := spinLock(c), HIGH_LEVEL
		c.at(func() { old = KeAcquireSpinLockForDpc(l) }, func() { KeReleaseSpinLockForDpc(l, old) })
	}},
	"KeReleaseSpinLock":              {stop: releasedElsewhere, call: held(func(l PKSPIN_LOCK) { KeReleaseSpinLock(l, DISPATCH_LEVEL) })},
	"KeReleaseSpinLockFromDpcLevel":  {call: held(KeReleaseSpinLockFromDpcLevel)},
	"KefReleaseSpinLockFromDpcLevel": {call: held(KefReleaseSpinLockFromDpcLevel)},
	"KeReleaseSpinLockForDpc":        {call: held(func(l PKSPIN_LOCK) { KeReleaseSpinLockForDpc(l, DISPATCH_LEVEL) })},
	"KeTestSpinLock": {call: func(c *caller) {
		l, free := spinLock(c), false
		if c.at(func() { free = KeTestSpinLock(l) }) {
			c.want(free, "not free")
		}
	}},
	"KeAcquireSpinLockRaiseToSynch": {stop: notGreater, call: func(c *caller) {
		l, old := spinLock(c), HIGH_LEVEL
		if c.at(func() { old = KeAcquireSpinLockRaiseToSynch(l) }, func() { l.ReleaseTo(old) }) {
			c.want(old == c.level, "level before: %v", old)
		}
	}},
}

// heldQueued is held for in-stack queued locks.
func heldQueued(release func(PKLOCK_QUEUE_HANDLE)) func(c *caller) {
	return func(c *caller) {
		l, h := spinLock(c), kit.New[KLOCK_QUEUE_HANDLE](c)
		if c.level >= irql.Dispatch {
			c.onStop = h.ReleaseFromDpc
		}
		c.at(func() {
			if c.level >= irql.Dispatch {
				KeAcquireInStackQueuedSpinLockAtDpcLevel(l, h)
			}
			release(h)
		})
	}
}

var queuedProbes = map[string]probe{
	"KeAcquireInStackQueuedSpinLock": {stop: notGreater, call: func(c *caller) {
		l, h := spinLock(c), kit.New[KLOCK_QUEUE_HANDLE](c)
		c.at(func() { KeAcquireInStackQueuedSpinLock(l, h) }, func() { KeReleaseInStackQueuedSpinLock(h) })
	}},
	"KeAcquireInStackQueuedSpinLockAtDpcLevel": {stop: notGreater, call: func(c *caller) {
		l, h := spinLock(c), kit.New[KLOCK_QUEUE_HANDLE](c)
		c.at(func() { KeAcquireInStackQueuedSpinLockAtDpcLevel(l, h) }, func() { KeReleaseInStackQueuedSpinLockFromDpcLevel(h) })
	}},
	"KeAcquireInStackQueuedSpinLockForDpc": {call: func(c *caller) {
		l, h := spinLock(c), kit.New[KLOCK_QUEUE_HANDLE](c)
		c.at(func() { KeAcquireInStackQueuedSpinLockForDpc(l, h) }, func() { KeReleaseInStackQueuedSpinLockForDpc(h) })
	}},
	"KeReleaseInStackQueuedSpinLock":             {stop: releasedElsewhere, call: heldQueued(KeReleaseInStackQueuedSpinLock)},
	"KeReleaseInStackQueuedSpinLockFromDpcLevel": {stop: notGreater, call: heldQueued(KeReleaseInStackQueuedSpinLockFromDpcLevel)},
	"KeReleaseInStackQueuedSpinLockForDpc":       {call: heldQueued(KeReleaseInStackQueuedSpinLockForDpc)},
}

// heldShared is held for reader-writer spin locks.
func heldShared(acquireAtDpc, releaseFromDpc, release func(PEX_SPIN_LOCK)) func(c *caller) {
	return func(c *caller) {
		l := kit.New[EX_SPIN_LOCK](c)
		if c.level >= irql.Dispatch {
			c.onStop = func() { releaseFromDpc(l) }
		}
		c.at(func() {
			if c.level >= irql.Dispatch {
				acquireAtDpc(l)
			}
			release(l)
		})
	}
}

// heldExclusively and heldTogether are heldShared for the two kinds of access.
func heldExclusively(release func(PEX_SPIN_LOCK)) func(c *caller) {
	return heldShared(ExAcquireSpinLockExclusiveAtDpcLevel, ExReleaseSpinLockExclusiveFromDpcLevel, release)
}

func heldTogether(release func(PEX_SPIN_LOCK)) func(c *caller) {
	return heldShared(ExAcquireSpinLockSharedAtDpcLevel, ExReleaseSpinLockSharedFromDpcLevel, release)
}

// acquiresSpin probes an acquisition of a reader-writer spin lock.
func acquiresSpin(acquire func(PEX_SPIN_LOCK) KIRQL, release func(PEX_SPIN_LOCK, KIRQL)) func(c *caller) {
	return func(c *caller) {
		l, old := kit.New[EX_SPIN_LOCK](c), HIGH_LEVEL
		if c.at(func() { old = acquire(l) }, func() { release(l, old) }) {
			c.want(old == c.level, "level before: %v", old)
		}
	}
}

// acquiresSpinAtDpc probes one that leaves the level alone.
func acquiresSpinAtDpc(acquire, release func(PEX_SPIN_LOCK)) func(c *caller) {
	return func(c *caller) {
		l := kit.New[EX_SPIN_LOCK](c)
		c.at(func() { acquire(l) }, func() { release(l) })
	}
}

var sharedProbes = map[string]probe{
	"ExAcquireSpinLockShared":                {stop: notGreater, call: acquiresSpin(ExAcquireSpinLockShared, ExReleaseSpinLockShared)},
	"ExAcquireSpinLockExclusive":             {stop: notGreater, call: acquiresSpin(ExAcquireSpinLockExclusive, ExReleaseSpinLockExclusive)},
	"ExAcquireSpinLockSharedAtDpcLevel":      {stop: notGreater, call: acquiresSpinAtDpc(ExAcquireSpinLockSharedAtDpcLevel, ExReleaseSpinLockSharedFromDpcLevel)},
	"ExAcquireSpinLockExclusiveAtDpcLevel":   {stop: notGreater, call: acquiresSpinAtDpc(ExAcquireSpinLockExclusiveAtDpcLevel, ExReleaseSpinLockExclusiveFromDpcLevel)},
	"ExReleaseSpinLockShared":                {stop: releasedElsewhere, call: heldTogether(func(l PEX_SPIN_LOCK) { ExReleaseSpinLockShared(l, DISPATCH_LEVEL) })},
	"ExReleaseSpinLockExclusive":             {stop: releasedElsewhere, call: heldExclusively(func(l PEX_SPIN_LOCK) { ExReleaseSpinLockExclusive(l, DISPATCH_LEVEL) })},
	"ExReleaseSpinLockSharedFromDpcLevel":    {stop: notGreater, call: heldTogether(ExReleaseSpinLockSharedFromDpcLevel)},
	"ExReleaseSpinLockExclusiveFromDpcLevel": {stop: notGreater, call: heldExclusively(ExReleaseSpinLockExclusiveFromDpcLevel)},
	"ExTryConvertSharedSpinLockExclusive": {call: func(c *caller) {
		l, ok := kit.New[EX_SPIN_LOCK](c), false
		if c.level >= irql.Dispatch {
			c.onStop = l.ReleaseSharedFromDpc
		}
		if c.at(func() {
			if c.level >= irql.Dispatch {
				ExAcquireSpinLockSharedAtDpcLevel(l)
			}
			ok = ExTryConvertSharedSpinLockExclusive(l)
		}, func() { ExReleaseSpinLockExclusiveFromDpcLevel(l) }) {
			c.want(ok, "not converted")
		}
	}},
}

var irqlProbes = map[string]probe{
	"KeGetCurrentIrql": {call: func(c *caller) {
		l := irql.Passive
		if c.at(func() { l = KeGetCurrentIrql() }) {
			c.want(l == c.level, "%v", l)
		}
	}},
	"KeRaiseIrql": {call: func(c *caller) {
		old := HIGH_LEVEL
		c.at(func() { KeRaiseIrql(HIGH_LEVEL, &old) }, func() { KeLowerIrql(old) })
	}},
	"KeRaiseIrql APC_LEVEL": {levels: atMostAPC, stop: notGreater, call: func(c *caller) {
		old := HIGH_LEVEL
		c.at(func() { KeRaiseIrql(APC_LEVEL, &old) }, func() { KeLowerIrql(old) })
	}},
	"KeRaiseIrqlToDpcLevel": {stop: notGreater, call: func(c *caller) {
		old := HIGH_LEVEL
		c.at(func() { old = KeRaiseIrqlToDpcLevel() }, func() { KeLowerIrql(old) })
	}},
	"KeRaiseIrqlToSynchLevel": {stop: notGreater, call: func(c *caller) {
		old := HIGH_LEVEL
		c.at(func() { old = KeRaiseIrqlToSynchLevel() }, func() { KeLowerIrql(old) })
	}},
	"KeLowerIrql": {call: func(c *caller) { c.at(func() { KeLowerIrql(c.level) }) }},
	"KeLowerIrql DISPATCH_LEVEL": {levels: &spec.Levels{Min: 2, Max: 15}, stop: notLess, call: func(c *caller) {
		l := irql.Passive
		if c.at(func() { KeLowerIrql(DISPATCH_LEVEL); l = KeGetCurrentIrql() }, func() { irql.Raise(c.level) }) {
			c.want(l == DISPATCH_LEVEL, "%v", l)
		}
	}},
}

// notLess is the stop of a lowering to a higher level.
func notLess(irql.Level) stop { return stop{bugcheck.IRQLNotLessOrEqual, anything} }
