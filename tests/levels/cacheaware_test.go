package levels

import (
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() { add(cacheAwareProbes) }

// onCacheAware probes a routine of a cache-aware run-down reference, begun with
// users.
func onCacheAware(users ULONG, routine func(PEX_RUNDOWN_REF_CACHE_AWARE)) probe {
	return probe{call: func(c *caller) {
		r := kit.New[EX_RUNDOWN_REF_CACHE_AWARE](c)
		ExInitializeRundownProtectionCacheAware(r, ExSizeOfRundownProtectionCacheAware())
		if users != 0 {
			ExAcquireRundownProtectionCacheAwareEx(r, users)
		}
		c.at(func() { routine(r) })
	}}
}

// ranDown is onCacheAware for one whose users have gone for good.
func ranDown(routine func(PEX_RUNDOWN_REF_CACHE_AWARE)) probe {
	return probe{call: func(c *caller) {
		r := kit.New[EX_RUNDOWN_REF_CACHE_AWARE](c)
		ExInitializeRundownProtectionCacheAware(r, ExSizeOfRundownProtectionCacheAware())
		ExWaitForRundownProtectionReleaseCacheAware(r)
		c.at(func() { routine(r) })
	}}
}

var cacheAwareProbes = map[string]probe{
	"ExSizeOfRundownProtectionCacheAware": simply(func() { ExSizeOfRundownProtectionCacheAware() }),
	"ExAllocateCacheAwareRundownProtection": {call: func(c *caller) {
		var r PEX_RUNDOWN_REF_CACHE_AWARE
		if c.at(func() { r = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, tag) }) {
			ExFreeCacheAwareRundownProtection(r)
		}
	}},
	"ExFreeCacheAwareRundownProtection": {call: func(c *caller) {
		r := ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, tag)
		if !c.at(func() { ExFreeCacheAwareRundownProtection(r) }) {
			ExFreeCacheAwareRundownProtection(r)
		}
	}},
	"ExInitializeRundownProtectionCacheAware": onCacheAware(0, func(r PEX_RUNDOWN_REF_CACHE_AWARE) {
		ExInitializeRundownProtectionCacheAware(r, 1<<20)
	}),
	"ExAcquireRundownProtectionCacheAware":        onCacheAware(0, func(r PEX_RUNDOWN_REF_CACHE_AWARE) { ExAcquireRundownProtectionCacheAware(r) }),
	"ExAcquireRundownProtectionCacheAwareEx":      onCacheAware(0, func(r PEX_RUNDOWN_REF_CACHE_AWARE) { ExAcquireRundownProtectionCacheAwareEx(r, 2) }),
	"ExReleaseRundownProtectionCacheAware":        onCacheAware(1, ExReleaseRundownProtectionCacheAware),
	"ExReleaseRundownProtectionCacheAwareEx":      onCacheAware(2, func(r PEX_RUNDOWN_REF_CACHE_AWARE) { ExReleaseRundownProtectionCacheAwareEx(r, 2) }),
	"ExWaitForRundownProtectionReleaseCacheAware": onCacheAware(0, ExWaitForRundownProtectionReleaseCacheAware),
	"ExReInitializeRundownProtectionCacheAware":   ranDown(ExReInitializeRundownProtectionCacheAware),
	"ExRundownCompletedCacheAware":                ranDown(ExRundownCompletedCacheAware),
}
