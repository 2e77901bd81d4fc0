package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/pool"
	"irqlab/sync"
)

// EX_RUNDOWN_REF_CACHE_AWARE counts its users by processor.
type (
	EX_RUNDOWN_REF_CACHE_AWARE  = sync.CacheAwareRundown
	PEX_RUNDOWN_REF_CACHE_AWARE = *EX_RUNDOWN_REF_CACHE_AWARE
)

// ExSizeOfRundownProtectionCacheAware returns the size of the structure in bytes.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExSizeOfRundownProtectionCacheAware function (wdm.h)"
func ExSizeOfRundownProtectionCacheAware() SIZE_T {
	atMost(irql.APC)
	return unsafe.Sizeof(EX_RUNDOWN_REF_CACHE_AWARE{})
}

// ExAllocateCacheAwareRundownProtection returns a structure that is ready, in
// nonpaged pool, or nil if there is no memory.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExAllocateCacheAwareRundownProtection function (wdm.h)"
func ExAllocateCacheAwareRundownProtection(PoolType POOL_TYPE, PoolTag ULONG) PEX_RUNDOWN_REF_CACHE_AWARE {
	atMost(irql.APC)
	r := PEX_RUNDOWN_REF_CACHE_AWARE(pool.Alloc(unsafe.Sizeof(EX_RUNDOWN_REF_CACHE_AWARE{}), pool.Tag(PoolTag)))
	if r != nil {
		r.Init()
	}
	return r
}

// ExFreeCacheAwareRundownProtection frees what
// ExAllocateCacheAwareRundownProtection returned.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExFreeCacheAwareRundownProtection function (wdm.h)"
func ExFreeCacheAwareRundownProtection(RunRefCacheAware PEX_RUNDOWN_REF_CACHE_AWARE) {
	atMostWith(irql.APC, &aCacheAware, unsafe.Pointer(RunRefCacheAware))
	ExFreePool(PVOID(RunRefCacheAware))
}

// ExInitializeRundownProtectionCacheAware makes ready a structure in memory of
// RunRefSize bytes, which are at least ExSizeOfRundownProtectionCacheAware.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExInitializeRundownProtectionCacheAware function (wdm.h)"
func ExInitializeRundownProtectionCacheAware(RunRefCacheAware PEX_RUNDOWN_REF_CACHE_AWARE, RunRefSize SIZE_T) {
	atMost(irql.APC)
	mayBecome(&aCacheAware, unsafe.Pointer(RunRefCacheAware))
	if RunRefSize < unsafe.Sizeof(*RunRefCacheAware) {
		ExRaiseStatus(STATUS_INVALID_PARAMETER)
	}
	RunRefCacheAware.Init()
}

// ExInitializeRundownProtectionCacheAwareEx is
// ExInitializeRundownProtectionCacheAware. Flags is reserved.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExInitializeRundownProtectionCacheAwareEx function (wdm.h)"
func ExInitializeRundownProtectionCacheAwareEx(RunRefCacheAware PEX_RUNDOWN_REF_CACHE_AWARE, Flags ULONG) {
	atMost(irql.APC)
	mayBecome(&aCacheAware, unsafe.Pointer(RunRefCacheAware))
	RunRefCacheAware.Init()
}

// ExAcquireRundownProtectionCacheAware counts the caller as a user and returns
// true, or returns false if the end has been asked for.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExAcquireRundownProtectionCacheAware function (wdm.h)"
func ExAcquireRundownProtectionCacheAware(RunRefCacheAware PEX_RUNDOWN_REF_CACHE_AWARE) BOOLEAN {
	return ExAcquireRundownProtectionCacheAwareEx(RunRefCacheAware, 1)
}

// ExAcquireRundownProtectionCacheAwareEx is ExAcquireRundownProtectionCacheAware
// Count times.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExAcquireRundownProtectionCacheAwareEx function (wdm.h)"
func ExAcquireRundownProtectionCacheAwareEx(RunRefCacheAware PEX_RUNDOWN_REF_CACHE_AWARE, Count ULONG) BOOLEAN {
	atMostWith(irql.Dispatch, &aCacheAware, unsafe.Pointer(RunRefCacheAware))
	return RunRefCacheAware.Acquire(Count)
}

// ExReleaseRundownProtectionCacheAware counts a user less.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExReleaseRundownProtectionCacheAware function (wdm.h)"
func ExReleaseRundownProtectionCacheAware(RunRefCacheAware PEX_RUNDOWN_REF_CACHE_AWARE) {
	ExReleaseRundownProtectionCacheAwareEx(RunRefCacheAware, 1)
}

// ExReleaseRundownProtectionCacheAwareEx is ExReleaseRundownProtectionCacheAware
// Count times.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExReleaseRundownProtectionCacheAwareEx function (wdm.h)"
func ExReleaseRundownProtectionCacheAwareEx(RunRef PEX_RUNDOWN_REF_CACHE_AWARE, Count ULONG) {
	atMostWith(irql.Dispatch, &aCacheAware, unsafe.Pointer(RunRef))
	RunRef.Release(Count)
}

// ExWaitForRundownProtectionReleaseCacheAware refuses further users and returns
// when those there are have left.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExWaitForRundownProtectionReleaseCacheAware function (wdm.h)"
func ExWaitForRundownProtectionReleaseCacheAware(RunRef PEX_RUNDOWN_REF_CACHE_AWARE) {
	atMostWith(irql.APC, &aCacheAware, unsafe.Pointer(RunRef))
	RunRef.Wait()
}

// ExReInitializeRundownProtectionCacheAware makes the structure ready again.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExReInitializeRundownProtectionCacheAware function (wdm.h)"
func ExReInitializeRundownProtectionCacheAware(RunRefCacheAware PEX_RUNDOWN_REF_CACHE_AWARE) {
	atMostWith(irql.APC, &aCacheAware, unsafe.Pointer(RunRefCacheAware))
	RunRefCacheAware.Reinit()
}

// ExRundownCompletedCacheAware makes the structure as it is after a wait.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExRundownCompletedCacheAware function (wdm.h)"
func ExRundownCompletedCacheAware(RunRefCacheAware PEX_RUNDOWN_REF_CACHE_AWARE) {
	atMostWith(irql.APC, &aCacheAware, unsafe.Pointer(RunRefCacheAware))
	RunRefCacheAware.Completed()
}
