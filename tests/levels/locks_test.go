package levels

import (
	"irqlab/irql"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() {
	add(fastMutexProbes)
	add(guardedMutexProbes)
	add(pushLockProbes)
	add(resourceProbes)
	add(regionProbes)
}

func fastMutex(c *caller) *FAST_MUTEX {
	m := kit.New[FAST_MUTEX](c)
	ExInitializeFastMutex(m)
	return m
}

// inRegion runs the probe in a critical region.
func inRegion(call func(c *caller)) func(c *caller) {
	return func(c *caller) {
		KeEnterCriticalRegion()
		call(c)
		KeLeaveCriticalRegion()
	}
}

var fastMutexProbes = map[string]probe{
	"ExInitializeFastMutex": {call: func(c *caller) {
		m := kit.New[FAST_MUTEX](c)
		if c.at(func() { ExInitializeFastMutex(m) }) {
			c.want(m.Count == 1, "count %d", m.Count)
		}
	}},
	"ExAcquireFastMutex": {stop: verifier(0x33), call: func(c *caller) {
		m, l := fastMutex(c), irql.Passive
		if c.at(func() { ExAcquireFastMutex(m); l = KeGetCurrentIrql() }, func() { ExReleaseFastMutex(m) }) {
			c.want(l == APC_LEVEL, "held at %v", l)
		}
	}},
	"ExTryToAcquireFastMutex": {stop: verifier(0x33), call: func(c *caller) {
		m, ok := fastMutex(c), false
		if c.at(func() { ok = ExTryToAcquireFastMutex(m) }, func() { ExReleaseFastMutex(m) }) {
			c.want(ok, "not acquired")
		}
	}},
	"ExReleaseFastMutex": {stop: verifier(0x34), call: func(c *caller) {
		m := fastMutex(c)
		ExAcquireFastMutex(m)
		KeLowerIrql(PASSIVE_LEVEL)
		m.OldIRQL = uint32(c.level)
		if !c.at(func() { ExReleaseFastMutex(m) }) {
			m.OldIRQL = uint32(PASSIVE_LEVEL)
			kit.At(APC_LEVEL, func() { ExReleaseFastMutex(m) })
		}
		c.want(m.Count == 1, "count %d", m.Count)
	}},
	"ExAcquireFastMutexUnsafe": {stop: verifier(0x33), call: inRegion(func(c *caller) {
		m := fastMutex(c)
		c.at(func() { ExAcquireFastMutexUnsafe(m) }, func() { ExReleaseFastMutexUnsafe(m) })
	})},
	"ExReleaseFastMutexUnsafe": {call: inRegion(func(c *caller) {
		m := fastMutex(c)
		ExAcquireFastMutexUnsafe(m)
		if !c.at(func() { ExReleaseFastMutexUnsafe(m) }) {
			ExReleaseFastMutexUnsafe(m)
		}
	})},
	"ExEnterCriticalRegionAndAcquireFastMutexUnsafe": {call: func(c *caller) {
		m := fastMutex(c)
		c.at(func() { ExEnterCriticalRegionAndAcquireFastMutexUnsafe(m) }, func() { ExReleaseFastMutexUnsafeAndLeaveCriticalRegion(m) })
	}},
	"ExReleaseFastMutexUnsafeAndLeaveCriticalRegion": {call: func(c *caller) {
		m := fastMutex(c)
		ExEnterCriticalRegionAndAcquireFastMutexUnsafe(m)
		if !c.at(func() { ExReleaseFastMutexUnsafeAndLeaveCriticalRegion(m) }) {
			ExReleaseFastMutexUnsafeAndLeaveCriticalRegion(m)
		}
	}},
}

func guardedMutex(c *caller) *KGUARDED_MUTEX {
	m := kit.New[KGUARDED_MUTEX](c)
	KeInitializeGuardedMutex(m)
	return m
}

var guardedMutexProbes = map[string]probe{
	"KeInitializeGuardedMutex": {call: func(c *caller) {
		m := kit.New[KGUARDED_MUTEX](c)
		c.at(func() { KeInitializeGuardedMutex(m) })
	}},
	"KeAcquireGuardedMutex": {call: func(c *caller) {
		m := guardedMutex(c)
		c.at(func() { KeAcquireGuardedMutex(m) }, func() { KeReleaseGuardedMutex(m) })
	}},
	"KeTryToAcquireGuardedMutex": {call: func(c *caller) {
		m, ok := guardedMutex(c), false
		if c.at(func() { ok = KeTryToAcquireGuardedMutex(m) }, func() { KeReleaseGuardedMutex(m) }) {
			c.want(ok, "not acquired")
		}
	}},
	"KeReleaseGuardedMutex": {call: func(c *caller) {
		m := guardedMutex(c)
		KeAcquireGuardedMutex(m)
		if !c.at(func() { KeReleaseGuardedMutex(m) }) {
			KeReleaseGuardedMutex(m)
		}
	}},
	"KeAcquireGuardedMutexUnsafe": {call: func(c *caller) {
		m := guardedMutex(c)
		KeEnterGuardedRegion()
		c.at(func() { KeAcquireGuardedMutexUnsafe(m) }, func() { KeReleaseGuardedMutexUnsafe(m) })
		KeLeaveGuardedRegion()
	}},
	"KeReleaseGuardedMutexUnsafe": {call: func(c *caller) {
		m := guardedMutex(c)
		KeEnterGuardedRegion()
		KeAcquireGuardedMutexUnsafe(m)
		if !c.at(func() { KeReleaseGuardedMutexUnsafe(m) }) {
			KeReleaseGuardedMutexUnsafe(m)
		}
		KeLeaveGuardedRegion()
	}},
}

// acquires is a probe of a push lock's acquisition.
func acquires(acquire, release func(PEX_PUSH_LOCK)) probe {
	return probe{call: inRegion(func(c *caller) {
		l := kit.New[EX_PUSH_LOCK](c)
		c.at(func() { acquire(l) }, func() { release(l) })
	})}
}

// releases is one of its release.
func releases(acquire, release func(PEX_PUSH_LOCK)) probe {
	return probe{call: inRegion(func(c *caller) {
		l := kit.New[EX_PUSH_LOCK](c)
		acquire(l)
		if !c.at(func() { release(l) }) {
			release(l)
		}
		c.want(l.Word() == 0, "still held")
	})}
}

// acquiresInRegion and releasesInRegion are for routines that enter and leave a
// critical region themselves.
func acquiresInRegion(acquire, release func(PEX_PUSH_LOCK)) probe {
	return probe{call: func(c *caller) {
		l := kit.New[EX_PUSH_LOCK](c)
		c.at(func() { acquire(l) }, func() { release(l) })
	}}
}

func releasesInRegion(acquire, release func(PEX_PUSH_LOCK)) probe {
	return probe{call: func(c *caller) {
		l := kit.New[EX_PUSH_LOCK](c)
		acquire(l)
		if !c.at(func() { release(l) }) {
			release(l)
		}
	}}
}

// tries is a probe of an attempt.
func tries(try func(PEX_PUSH_LOCK) bool) probe {
	return probe{call: inRegion(func(c *caller) {
		l, ok := kit.New[EX_PUSH_LOCK](c), false
		if c.at(func() { ok = try(l) }, func() { ExReleasePushLock(l) }) {
			c.want(ok, "not acquired")
		}
	})}
}

var pushLockProbes = map[string]probe{
	"ExInitializePushLock":          {call: func(c *caller) { l := kit.New[EX_PUSH_LOCK](c); c.at(func() { ExInitializePushLock(l) }) }},
	"ExAcquirePushLockExclusive":    acquires(ExAcquirePushLockExclusive, ExReleasePushLockExclusive),
	"ExAcquirePushLockShared":       acquires(ExAcquirePushLockShared, ExReleasePushLockShared),
	"ExReleasePushLockExclusive":    releases(ExAcquirePushLockExclusive, ExReleasePushLockExclusive),
	"ExReleasePushLockShared":       releases(ExAcquirePushLockShared, ExReleasePushLockShared),
	"ExTryAcquirePushLockExclusive": tries(ExTryAcquirePushLockExclusive),
	"ExTryAcquirePushLockShared":    tries(ExTryAcquirePushLockShared),
	"ExfAcquirePushLockExclusive":   acquires(ExfAcquirePushLockExclusive, ExfReleasePushLock),
	"ExfAcquirePushLockShared":      acquires(ExfAcquirePushLockShared, ExfReleasePushLock),
	"ExfReleasePushLock":            releases(ExfAcquirePushLockExclusive, ExfReleasePushLock),
	"ExfReleasePushLockExclusive":   releases(ExfAcquirePushLockExclusive, ExfReleasePushLockExclusive),
	"ExfReleasePushLockShared":      releases(ExfAcquirePushLockShared, ExfReleasePushLockShared),
	"ExfTryToWakePushLock":          {call: func(c *caller) { l := kit.New[EX_PUSH_LOCK](c); c.at(func() { ExfTryToWakePushLock(l) }) }},
	"FltInitializePushLock":         {call: func(c *caller) { l := kit.New[EX_PUSH_LOCK](c); c.at(func() { FltInitializePushLock(l) }) }},
	"FltDeletePushLock":             {call: func(c *caller) { l := kit.New[EX_PUSH_LOCK](c); c.at(func() { FltDeletePushLock(l) }) }},
	"FltAcquirePushLockExclusive":   acquiresInRegion(FltAcquirePushLockExclusive, FltReleasePushLock),
	"FltAcquirePushLockShared":      acquiresInRegion(FltAcquirePushLockShared, FltReleasePushLock),
	"FltReleasePushLock":            releasesInRegion(FltAcquirePushLockExclusive, FltReleasePushLock),
}

// resource returns one that is deleted at the end.
func resource(c *caller) *ERESOURCE {
	r := kit.New[ERESOURCE](c)
	ExInitializeResourceLite(r)
	c.Cleanup(func() { ExDeleteResourceLite(r) })
	return r
}

// takes is a probe of an acquisition of a resource, and owns of what an owner may
// call, which may be a release.
func takes(acquire func(PERESOURCE, bool) bool) probe {
	return probe{call: inRegion(func(c *caller) {
		r, ok := resource(c), false
		if c.at(func() { ok = acquire(r, true) }, func() { ExReleaseResourceLite(r) }) {
			c.want(ok, "not acquired")
		}
	})}
}

func owns(call func(r PERESOURCE), releases bool) probe {
	return probe{call: inRegion(func(c *caller) {
		r := resource(c)
		ExAcquireResourceExclusiveLite(r, true)
		if !c.at(func() { call(r) }) || !releases {
			ExReleaseResourceLite(r)
		}
	})}
}

// enters is a probe of a routine that enters a critical region as well.
func enters(acquire func(PERESOURCE) PVOID) probe {
	return probe{call: func(c *caller) {
		r := resource(c)
		c.at(func() { acquire(r) }, func() { ExReleaseResourceAndLeaveCriticalRegion(r) })
	}}
}

// counts is a probe of a query of a resource that is free.
func counts(query func(PERESOURCE) ULONG) probe {
	return probe{call: func(c *caller) {
		r, n := resource(c), ULONG(1)
		if c.at(func() { n = query(r) }) {
			c.want(n == 0, "%d", n)
		}
	}}
}

// pointers probes a routine that gives a resource's ownership a name.
func pointers(set func(r PERESOURCE, owner PVOID)) probe {
	return probe{call: inRegion(func(c *caller) {
		r := resource(c)
		owner := PVOID(uintptr(0xFFFF_8000_0000_1000) | 3)
		ExAcquireResourceExclusiveLite(r, true)
		if c.at(func() { set(r, owner) }) {
			ExReleaseResourceForThreadLite(r, ERESOURCE_THREAD(owner))
		} else {
			ExReleaseResourceLite(r)
		}
	})}
}

var resourceProbes = map[string]probe{
	"ExInitializeResourceLite": {call: func(c *caller) {
		r := kit.New[ERESOURCE](c)
		if c.at(func() { ExInitializeResourceLite(r) }) {
			ExDeleteResourceLite(r)
		}
	}},
	"ExReinitializeResourceLite": {call: func(c *caller) { r := resource(c); c.at(func() { ExReinitializeResourceLite(r) }) }},
	"ExDeleteResourceLite": {call: func(c *caller) {
		r := kit.New[ERESOURCE](c)
		ExInitializeResourceLite(r)
		if !c.at(func() { ExDeleteResourceLite(r) }) {
			ExDeleteResourceLite(r)
		}
	}},
	"ExAcquireResourceExclusiveLite":  takes(ExAcquireResourceExclusiveLite),
	"ExAcquireResourceSharedLite":     takes(ExAcquireResourceSharedLite),
	"ExAcquireSharedStarveExclusive":  takes(ExAcquireSharedStarveExclusive),
	"ExAcquireSharedWaitForExclusive": takes(ExAcquireSharedWaitForExclusive),
	"ExConvertExclusiveToSharedLite":  owns(ExConvertExclusiveToSharedLite, false),
	"ExDisableResourceBoostLite":      owns(ExDisableResourceBoostLite, false),
	"ExReleaseResourceLite":           owns(ExReleaseResourceLite, true),
	"ExReleaseResourceForThreadLite": owns(func(r PERESOURCE) {
		ExReleaseResourceForThreadLite(r, ExGetCurrentResourceThread())
	}, true),
	"ExSetResourceOwnerPointer":   pointers(ExSetResourceOwnerPointer),
	"ExSetResourceOwnerPointerEx": pointers(func(r PERESOURCE, owner PVOID) { ExSetResourceOwnerPointerEx(r, owner, 0) }),
	"ExIsResourceAcquiredExclusiveLite": {call: func(c *caller) {
		r, owned := resource(c), true
		if c.at(func() { owned = ExIsResourceAcquiredExclusiveLite(r) }) {
			c.want(!owned, "owned")
		}
	}},
	"ExIsResourceAcquiredSharedLite":                        counts(ExIsResourceAcquiredSharedLite),
	"ExIsResourceAcquiredLite":                              counts(ExIsResourceAcquiredLite),
	"ExGetExclusiveWaiterCount":                             counts(ExGetExclusiveWaiterCount),
	"ExGetSharedWaiterCount":                                counts(ExGetSharedWaiterCount),
	"ExEnterCriticalRegionAndAcquireResourceExclusive":      enters(ExEnterCriticalRegionAndAcquireResourceExclusive),
	"ExEnterCriticalRegionAndAcquireResourceShared":         enters(ExEnterCriticalRegionAndAcquireResourceShared),
	"ExEnterCriticalRegionAndAcquireSharedWaitForExclusive": enters(ExEnterCriticalRegionAndAcquireSharedWaitForExclusive),
	"ExTryEnterCriticalRegionAndAcquireResourceExclusive": {call: func(c *caller) {
		r, ok := resource(c), false
		if c.at(func() { ok = ExTryEnterCriticalRegionAndAcquireResourceExclusive(r) }, func() { ExReleaseResourceAndLeaveCriticalRegion(r) }) {
			c.want(ok, "not acquired")
		}
	}},
	"ExReleaseResourceAndLeaveCriticalRegion": {call: func(c *caller) {
		r := resource(c)
		ExEnterCriticalRegionAndAcquireResourceExclusive(r)
		if !c.at(func() { ExReleaseResourceAndLeaveCriticalRegion(r) }) {
			ExReleaseResourceAndLeaveCriticalRegion(r)
		}
	}},
	"ExGetCurrentResourceThread": {call: func(c *caller) {
		var t ERESOURCE_THREAD
		if c.at(func() { t = ExGetCurrentResourceThread() }) {
			c.want(t == ERESOURCE_THREAD(PVOID(KeGetCurrentThread())), "%#x", t)
		}
	}},
}

var regionProbes = map[string]probe{
	"KeEnterCriticalRegion": {call: func(c *caller) { c.at(KeEnterCriticalRegion, KeLeaveCriticalRegion) }},
	"KeLeaveCriticalRegion": {call: func(c *caller) {
		KeEnterCriticalRegion()
		if !c.at(KeLeaveCriticalRegion) {
			KeLeaveCriticalRegion()
		}
	}},
	"KeEnterGuardedRegion": {call: func(c *caller) { c.at(KeEnterGuardedRegion, KeLeaveGuardedRegion) }},
	"KeLeaveGuardedRegion": {call: func(c *caller) {
		KeEnterGuardedRegion()
		if !c.at(KeLeaveGuardedRegion) {
			KeLeaveGuardedRegion()
		}
	}},
	"KeAreApcsDisabled": {call: func(c *caller) {
		off := true
		if c.at(func() { off = KeAreApcsDisabled() }) {
			c.want(!off, "APCs are disabled")
		}
	}},
	"KeAreAllApcsDisabled": {call: func(c *caller) {
		off := false
		if c.at(func() { off = KeAreAllApcsDisabled() }) {
			c.want(off == (c.level >= irql.APC), "all APCs disabled: %v", off)
		}
	}},
}
