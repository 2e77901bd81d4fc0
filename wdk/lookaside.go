package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/pool"
	"irqlab/sync"
)

// The lookaside lists differ in the pool that their blocks come from. The lists
// themselves all lie in nonpaged pool.
type (
	NPAGED_LOOKASIDE_LIST  = sync.Lookaside
	PNPAGED_LOOKASIDE_LIST = *NPAGED_LOOKASIDE_LIST
	PAGED_LOOKASIDE_LIST   = sync.Lookaside
	PPAGED_LOOKASIDE_LIST  = *PAGED_LOOKASIDE_LIST
	LOOKASIDE_LIST_EX      = sync.Lookaside
	PLOOKASIDE_LIST_EX     = *LOOKASIDE_LIST_EX

	// PALLOCATE_FUNCTION_EX and PFREE_FUNCTION_EX take the place of the pool.
	//
	// IRQL: <= DISPATCH_LEVEL
	PALLOCATE_FUNCTION_EX = sync.AllocateRoutine
	PFREE_FUNCTION_EX     = sync.FreeRoutine
)

// Flags of ExInitializeLookasideListEx.
const (
	EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL ULONG = 1
	EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE ULONG = 2
)

// ExInitializeLookasideListEx makes Lookaside an empty list of blocks of Size
// bytes. Allocate and Free may be nil. With EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL
// an allocation that fails raises STATUS_INSUFFICIENT_RESOURCES. Depth is reserved.
//
// It returns STATUS_INVALID_PARAMETER_4 for a kind of pool that does not exist
// and STATUS_INVALID_PARAMETER_5 for such flags.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExInitializeLookasideListEx function (wdm.h)"
func ExInitializeLookasideListEx(Lookaside PLOOKASIDE_LIST_EX, Allocate PALLOCATE_FUNCTION_EX, Free PFREE_FUNCTION_EX, PoolType POOL_TYPE, Flags ULONG, Size SIZE_T, Tag ULONG, Depth USHORT) NTSTATUS {
	atMost(irql.Dispatch)
	mayBecome(&aLookaside, unsafe.Pointer(Lookaside))
	switch PoolType {
	case NonPagedPool, PagedPool, NonPagedPoolNx:
	default:
		return ntstatus.InvalidParameter4
	}
	hold(unsafe.Pointer(Lookaside), Allocate, *(*PVOID)(unsafe.Pointer(&Free)))
	return Lookaside.Init(Allocate, Free, uint32(PoolType), uint32(Flags), Size, pool.Tag(Tag))
}

// ExInitializeNPagedLookasideList makes Lookaside an empty list of blocks of Size
// bytes. Of the Flags POOL_RAISE_IF_ALLOCATION_FAILURE counts: an allocation that
// fails raises STATUS_INSUFFICIENT_RESOURCES then. Depth is reserved.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExInitializeNPagedLookasideList function (wdm.h)"
func ExInitializeNPagedLookasideList(Lookaside PNPAGED_LOOKASIDE_LIST, Allocate PALLOCATE_FUNCTION_EX, Free PFREE_FUNCTION_EX, Flags ULONG, Size SIZE_T, Tag ULONG, Depth USHORT) {
	atMost(irql.Dispatch)
	mayBecome(&aLookaside, unsafe.Pointer(Lookaside))
	hold(unsafe.Pointer(Lookaside), Allocate, *(*PVOID)(unsafe.Pointer(&Free)))
	Lookaside.Init(Allocate, Free, uint32(NonPagedPool)|Flags&POOL_RAISE_IF_ALLOCATION_FAILURE, 0, Size, pool.Tag(Tag))
}

// ExAllocateFromNPagedLookasideList returns a block, or nil if there is no memory.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExAllocateFromNPagedLookasideList function (wdm.h)"
func ExAllocateFromNPagedLookasideList(Lookaside PNPAGED_LOOKASIDE_LIST) PVOID {
	atMostWith(irql.Dispatch, &aLookaside, unsafe.Pointer(Lookaside))
	return Lookaside.Get()
}

// ExFreeToNPagedLookasideList takes a block back.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExFreeToNPagedLookasideList function (wdm.h)"
func ExFreeToNPagedLookasideList(Lookaside PNPAGED_LOOKASIDE_LIST, Entry PVOID) {
	atMostWith(irql.Dispatch, &aLookaside, unsafe.Pointer(Lookaside))
	mustReach(Entry, unsafe.Sizeof(Entry))
	Lookaside.Put(Entry)
}

// ExDeleteNPagedLookasideList frees the blocks that are kept.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExDeleteNPagedLookasideList function (wdm.h)"
func ExDeleteNPagedLookasideList(Lookaside PNPAGED_LOOKASIDE_LIST) {
	atMostWith(irql.Dispatch, &aLookaside, unsafe.Pointer(Lookaside))
	Lookaside.Flush()
}

// ExInitializePagedLookasideList makes Lookaside an empty list of blocks of Size
// bytes. Flags and Depth are as in ExInitializeNPagedLookasideList.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExInitializePagedLookasideList function (wdm.h)"
func ExInitializePagedLookasideList(Lookaside PPAGED_LOOKASIDE_LIST, Allocate PALLOCATE_FUNCTION_EX, Free PFREE_FUNCTION_EX, Flags ULONG, Size SIZE_T, Tag ULONG, Depth USHORT) {
	atMost(irql.APC)
	mayBecome(&aLookaside, unsafe.Pointer(Lookaside))
	hold(unsafe.Pointer(Lookaside), Allocate, *(*PVOID)(unsafe.Pointer(&Free)))
	Lookaside.Init(Allocate, Free, uint32(PagedPool)|Flags&POOL_RAISE_IF_ALLOCATION_FAILURE, 0, Size, pool.Tag(Tag))
}

// ExAllocateFromPagedLookasideList returns a block, or nil if there is no memory.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExAllocateFromPagedLookasideList function (wdm.h)"
func ExAllocateFromPagedLookasideList(Lookaside PPAGED_LOOKASIDE_LIST) PVOID {
	atMostWith(irql.APC, &aLookaside, unsafe.Pointer(Lookaside))
	return Lookaside.Get()
}

// ExFreeToPagedLookasideList takes a block back.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExFreeToPagedLookasideList function (wdm.h)"
func ExFreeToPagedLookasideList(Lookaside PPAGED_LOOKASIDE_LIST, Entry PVOID) {
	atMostWith(irql.APC, &aLookaside, unsafe.Pointer(Lookaside))
	mustReach(Entry, unsafe.Sizeof(Entry))
	Lookaside.Put(Entry)
}

// ExDeletePagedLookasideList frees the blocks that are kept.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExDeletePagedLookasideList function (wdm.h)"
func ExDeletePagedLookasideList(Lookaside PPAGED_LOOKASIDE_LIST) {
	atMostWith(irql.APC, &aLookaside, unsafe.Pointer(Lookaside))
	Lookaside.Flush()
}

// ExAllocateFromLookasideListEx returns a block, or nil if there is no memory.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExAllocateFromLookasideListEx function (wdm.h)"
func ExAllocateFromLookasideListEx(Lookaside PLOOKASIDE_LIST_EX) PVOID {
	mustBe(&aLookaside, unsafe.Pointer(Lookaside))
	atMost(levelFor(Lookaside.Type&1 != 0))
	return Lookaside.Get()
}

// ExFreeToLookasideListEx takes a block back.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExFreeToLookasideListEx function (wdm.h)"
func ExFreeToLookasideListEx(Lookaside PLOOKASIDE_LIST_EX, Entry PVOID) {
	mustBe(&aLookaside, unsafe.Pointer(Lookaside))
	atMost(levelFor(Lookaside.Type&1 != 0))
	mustReach(Entry, unsafe.Sizeof(Entry))
	Lookaside.Put(Entry)
}

// ExDeleteLookasideListEx frees the blocks that are kept.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExDeleteLookasideListEx function (wdm.h)"
func ExDeleteLookasideListEx(Lookaside PLOOKASIDE_LIST_EX) {
	mustBe(&aLookaside, unsafe.Pointer(Lookaside))
	atMost(levelFor(Lookaside.Type&1 != 0))
	Lookaside.Flush()
}

// ExFlushLookasideListEx frees the blocks that are kept; the list goes on.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExFlushLookasideListEx function (wdm.h)"
func ExFlushLookasideListEx(Lookaside PLOOKASIDE_LIST_EX) {
	mustBe(&aLookaside, unsafe.Pointer(Lookaside))
	atMost(levelFor(Lookaside.Type&1 != 0))
	Lookaside.Flush()
}
