package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/sync"
)

// ERESOURCE is 104 bytes of nonpaged pool.
type (
	ERESOURCE  = sync.Resource
	PERESOURCE = *ERESOURCE

	// ERESOURCE_THREAD is the address of a thread, or an owner pointer.
	ERESOURCE_THREAD = ULONG_PTR
)

// FLAG_OWNER_POINTER_IS_THREAD says that an owner pointer leads to a thread.
const FLAG_OWNER_POINTER_IS_THREAD ULONG = 1

// ExInitializeResourceLite makes Resource a free resource and returns
// STATUS_SUCCESS. It raises STATUS_ACCESS_VIOLATION for nil.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExInitializeResourceLite function (wdm.h)"
func ExInitializeResourceLite(Resource PERESOURCE) NTSTATUS {
	atMost(irql.Dispatch)
	mayBecome(&aResource, unsafe.Pointer(Resource))
	return Resource.Init()
}

// ExReinitializeResourceLite makes a resource that nobody owns as new.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExReinitializeResourceLite function (wdm.h)"
func ExReinitializeResourceLite(Resource PERESOURCE) NTSTATUS {
	atMostWith(irql.Dispatch, &aResource, unsafe.Pointer(Resource))
	return Resource.Reinit()
}

// ExDeleteResourceLite ends a resource that nobody owns, before its memory is
// freed.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExDeleteResourceLite function (wdm.h)"
func ExDeleteResourceLite(Resource PERESOURCE) NTSTATUS {
	atMostWith(irql.APC, &aResource, unsafe.Pointer(Resource))
	return Resource.Delete()
}

// ExAcquireResourceExclusiveLite makes the caller the only owner, or owner once more.
// Without Wait it returns false instead of waiting. In a critical region only.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExAcquireResourceExclusiveLite function (wdm.h)"
func ExAcquireResourceExclusiveLite(Resource PERESOURCE, Wait BOOLEAN) BOOLEAN {
	atMostWith(irql.APC, &aResource, unsafe.Pointer(Resource))
	return Resource.AcquireExclusive(Wait)
}

// ExAcquireResourceSharedLite makes the caller an owner together with others, or owner
// once more. Somebody who waits for exclusive access comes first, unless the
// caller is an owner already. In a critical region only.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExAcquireResourceSharedLite function (wdm.h)"
func ExAcquireResourceSharedLite(Resource PERESOURCE, Wait BOOLEAN) BOOLEAN {
	atMostWith(irql.APC, &aResource, unsafe.Pointer(Resource))
	return Resource.AcquireShared(Wait)
}

// ExAcquireSharedStarveExclusive is ExAcquireResourceSharedLite that lets nobody who
// waits for exclusive access come first.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExAcquireSharedStarveExclusive function (wdm.h)"
func ExAcquireSharedStarveExclusive(Resource PERESOURCE, Wait BOOLEAN) BOOLEAN {
	atMostWith(irql.APC, &aResource, unsafe.Pointer(Resource))
	return Resource.AcquireSharedStarveExclusive(Wait)
}

// ExAcquireSharedWaitForExclusive is ExAcquireResourceSharedLite that lets everybody
// who waits for exclusive access come first, even if the caller is an owner.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExAcquireSharedWaitForExclusive function (wdm.h)"
func ExAcquireSharedWaitForExclusive(Resource PERESOURCE, Wait BOOLEAN) BOOLEAN {
	atMostWith(irql.APC, &aResource, unsafe.Pointer(Resource))
	return Resource.AcquireSharedWaitForExclusive(Wait)
}

// ExTryToAcquireResourceExclusiveLite is ExAcquireResourceExclusiveLite without
// Wait.
//
// IRQL: <= APC_LEVEL
func ExTryToAcquireResourceExclusiveLite(Resource PERESOURCE) BOOLEAN {
	return ExAcquireResourceExclusiveLite(Resource, false)
}

// ExReleaseResourceLite gives up one acquisition of the caller. One that it does
// not have is bug check RESOURCE_NOT_OWNED.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExReleaseResourceLite function (wdm.h)"
func ExReleaseResourceLite(Resource PERESOURCE) {
	atMostWith(irql.Dispatch, &aResource, unsafe.Pointer(Resource))
	Resource.Release()
}

// ExReleaseResourceForThreadLite gives up one acquisition of a thread, or of an
// owner pointer.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExReleaseResourceForThreadLite function (wdm.h)"
func ExReleaseResourceForThreadLite(Resource PERESOURCE, ResourceThreadId ERESOURCE_THREAD) {
	atMostWith(irql.Dispatch, &aResource, unsafe.Pointer(Resource))
	Resource.ReleaseForThread(ResourceThreadId)
}

// ExGetCurrentResourceThread returns the running thread as an owner.
//
// IRQL: any
//
// Documentation: "ExGetCurrentResourceThread macro (wdm.h)"
func ExGetCurrentResourceThread() ERESOURCE_THREAD {
	return ERESOURCE_THREAD(unsafe.Pointer(kernel.Current()))
}

// ExConvertExclusiveToSharedLite makes the exclusive owner a sharer, and admits
// all who wait for shared access.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExConvertExclusiveToSharedLite function (wdm.h)"
func ExConvertExclusiveToSharedLite(Resource PERESOURCE) {
	atMostWith(irql.APC, &aResource, unsafe.Pointer(Resource))
	Resource.ConvertToShared()
}

// ExSetResourceOwnerPointer hands the caller's acquisitions over to
// OwnerPointer, whose two low bits are set. From then on
// ExReleaseResourceForThreadLite releases them.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExSetResourceOwnerPointer function (wdm.h)"
func ExSetResourceOwnerPointer(Resource PERESOURCE, OwnerPointer PVOID) {
	atMostWith(irql.Dispatch, &aResource, unsafe.Pointer(Resource))
	Resource.SetOwnerPointer(ULONG_PTR(OwnerPointer))
}

// ExSetResourceOwnerPointerEx is ExSetResourceOwnerPointer. Flags are 0 or
// FLAG_OWNER_POINTER_IS_THREAD, which makes no difference: no owner pointer is
// boosted.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExSetResourceOwnerPointerEx function (wdm.h)"
func ExSetResourceOwnerPointerEx(Resource PERESOURCE, OwnerPointer PVOID, Flags ULONG) {
	atMostWith(irql.Dispatch, &aResource, unsafe.Pointer(Resource))
	mustTake(Flags&^FLAG_OWNER_POINTER_IS_THREAD == 0, uintptr(Flags))
	Resource.SetOwnerPointer(ULONG_PTR(OwnerPointer))
}

// ExIsResourceAcquiredExclusiveLite reports whether the caller owns the resource
// exclusively.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExIsResourceAcquiredExclusiveLite function (wdm.h)"
func ExIsResourceAcquiredExclusiveLite(Resource PERESOURCE) BOOLEAN {
	atMostWith(irql.Dispatch, &aResource, unsafe.Pointer(Resource))
	return Resource.OwnedExclusive()
}

// ExIsResourceAcquiredSharedLite returns how often the caller has acquired the
// resource, in whatever way.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExIsResourceAcquiredSharedLite function (wdm.h)"
func ExIsResourceAcquiredSharedLite(Resource PERESOURCE) ULONG {
	atMostWith(irql.Dispatch, &aResource, unsafe.Pointer(Resource))
	return Resource.Owned()
}

// ExIsResourceAcquiredLite is ExIsResourceAcquiredSharedLite.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExIsResourceAcquiredLite macro (wdm.h)"
func ExIsResourceAcquiredLite(Resource PERESOURCE) ULONG {
	return ExIsResourceAcquiredSharedLite(Resource)
}

// ExGetExclusiveWaiterCount returns how many threads wait for exclusive access.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExGetExclusiveWaiterCount function (wdm.h)"
func ExGetExclusiveWaiterCount(Resource PERESOURCE) ULONG {
	atMostWith(irql.Dispatch, &aResource, unsafe.Pointer(Resource))
	return Resource.WaitingExclusive()
}

// ExGetSharedWaiterCount returns how many threads wait for shared access.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExGetSharedWaiterCount function (wdm.h)"
func ExGetSharedWaiterCount(Resource PERESOURCE) ULONG {
	atMostWith(irql.Dispatch, &aResource, unsafe.Pointer(Resource))
	return Resource.WaitingShared()
}

// ExDisableResourceBoostLite leaves the priority of owners alone while others
// wait.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExDisableResourceBoostLite function (ntifs.h)"
func ExDisableResourceBoostLite(Resource PERESOURCE) {
	atMostWith(irql.Dispatch, &aResource, unsafe.Pointer(Resource))
	Resource.DisableBoost()
}

// ExEnterCriticalRegionAndAcquireResourceExclusive enters a critical region and
// acquires the resource exclusively. What it returns means nothing.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExEnterCriticalRegionAndAcquireResourceExclusive function (wdm.h)"
func ExEnterCriticalRegionAndAcquireResourceExclusive(Resource PERESOURCE) PVOID {
	atMostWith(irql.APC, &aResource, unsafe.Pointer(Resource))
	kernel.EnterCriticalRegion()
	Resource.AcquireExclusive(true)
	return nil
}

// ExTryEnterCriticalRegionAndAcquireResourceExclusive is
// ExEnterCriticalRegionAndAcquireResourceExclusive that does not wait: if it
// returns false it has left the region again.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func ExTryEnterCriticalRegionAndAcquireResourceExclusive(Resource PERESOURCE) BOOLEAN {
	atMostWith(irql.APC, &aResource, unsafe.Pointer(Resource))
	kernel.EnterCriticalRegion()
	if Resource.AcquireExclusive(false) {
		return true
	}
	kernel.LeaveCriticalRegion()
	return false
}

// ExEnterCriticalRegionAndAcquireResourceShared enters a critical region and
// acquires the resource shared.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func ExEnterCriticalRegionAndAcquireResourceShared(Resource PERESOURCE) PVOID {
	atMostWith(irql.APC, &aResource, unsafe.Pointer(Resource))
	kernel.EnterCriticalRegion()
	Resource.AcquireShared(true)
	return nil
}

// ExEnterCriticalRegionAndAcquireSharedWaitForExclusive enters a critical region
// and acquires the resource shared, behind all who wait for exclusive access.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func ExEnterCriticalRegionAndAcquireSharedWaitForExclusive(Resource PERESOURCE) PVOID {
	atMostWith(irql.APC, &aResource, unsafe.Pointer(Resource))
	kernel.EnterCriticalRegion()
	Resource.AcquireSharedWaitForExclusive(true)
	return nil
}

// ExReleaseResourceAndLeaveCriticalRegion gives up one acquisition and leaves
// the critical region.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExReleaseResourceAndLeaveCriticalRegion function (wdm.h)"
func ExReleaseResourceAndLeaveCriticalRegion(Resource PERESOURCE) {
	atMostWith(irql.APC, &aResource, unsafe.Pointer(Resource))
	Resource.Release()
	kernel.LeaveCriticalRegion()
}
