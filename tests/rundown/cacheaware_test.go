package rundown

import (
	"sync/atomic"
	"testing"
	"time"

	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func cacheAware(t *testing.T) PEX_RUNDOWN_REF_CACHE_AWARE {
	r := ExAllocateCacheAwareRundownProtection(0, ULONG(kit.Tag))
	if r == nil {
		t.Fatal("out of pool")
	}
	t.Cleanup(func() { ExFreeCacheAwareRundownProtection(r) })
	return r
}

// rule: rundown-acquire
// rule: rundown-wait
// rule: rundown-reinit
func TestCacheAware(t *testing.T) {
	r := cacheAware(t)
	last := kit.CPUs() - 1
	// Users that come on one processor and leave on another.
	kit.Run(t, func() {
		kit.OnCPU(last)
		if !ExAcquireRundownProtectionCacheAwareEx(r, 3) {
			t.Error("a new object is refused")
		}
		kit.OnCPU(0)
		kit.At(irql.Dispatch, func() { ExReleaseRundownProtectionCacheAware(r) })
	})
	var over atomic.Bool
	owner := kit.Go(t, func() ntstatus.Status {
		ExWaitForRundownProtectionReleaseCacheAware(r)
		over.Store(true)
		return ntstatus.Success
	})
	kit.Until(t, "the end to be asked for", func() bool {
		if ExAcquireRundownProtectionCacheAware(r) {
			ExReleaseRundownProtectionCacheAware(r)
			return false
		}
		return true
	})
	ExReleaseRundownProtectionCacheAware(r)
	time.Sleep(5 * time.Millisecond)
	if over.Load() {
		t.Error("the owner did not wait for the last user")
	}
	ExReleaseRundownProtectionCacheAware(r)
	owner.Join(t)
	kit.Run(t, func() { ExWaitForRundownProtectionReleaseCacheAware(r) })
	if ExAcquireRundownProtectionCacheAware(r) {
		t.Error("acquired after the end")
	}
	ExReInitializeRundownProtectionCacheAware(r)
	if !ExAcquireRundownProtectionCacheAware(r) {
		t.Error("refused when ready again")
	}
	ExReleaseRundownProtectionCacheAware(r)
	ExRundownCompletedCacheAware(r)
	if ExAcquireRundownProtectionCacheAware(r) {
		t.Error("acquired after ExRundownCompletedCacheAware")
	}
}

// Users come and go, and change processors, while the owner runs the object down
// again and again.
func TestCacheAwareRace(t *testing.T) {
	r := cacheAware(t)
	var alive, bad atomic.Int32
	alive.Store(1)
	var stop atomic.Bool
	var users []*kit.Thread
	for range 3 {
		users = append(users, kit.Go(t, func() ntstatus.Status {
			for i := uint32(0); !stop.Load(); i++ {
				if ExAcquireRundownProtectionCacheAware(r) {
					if alive.Load() == 0 {
						bad.Add(1)
					}
					if i%8 == 0 {
						kit.OnCPU(i / 8 % kit.CPUs())
					}
					if alive.Load() == 0 {
						bad.Add(1)
					}
					ExReleaseRundownProtectionCacheAware(r)
				}
			}
			return ntstatus.Success
		}))
	}
	for range 60 {
		kit.Run(t, func() { ExWaitForRundownProtectionReleaseCacheAware(r) })
		alive.Store(0)
		KeStallExecutionProcessor(20)
		alive.Store(1)
		ExReInitializeRundownProtectionCacheAware(r)
	}
	stop.Store(true)
	for _, u := range users {
		u.Join(t)
	}
	if n := bad.Load(); n != 0 {
		t.Errorf("%d users of an object that was gone", n)
	}
}
