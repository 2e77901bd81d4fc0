package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/mm"
	"irqlab/paging"
)

// MDL describes a buffer and the pages that it lies in.
type (
	MDL              = paging.MDL
	PMDL             = *MDL
	LOCK_OPERATION   = paging.Access
	PHYSICAL_ADDRESS = uintptr
	PFN_NUMBER       = uintptr
)

const (
	IoReadAccess   = paging.ForRead
	IoWriteAccess  = paging.ForWrite
	IoModifyAccess = paging.ForModify

	MDL_MAPPED_TO_SYSTEM_VA     = paging.MDLMapped
	MDL_PAGES_LOCKED            = paging.MDLLocked
	MDL_SOURCE_IS_NONPAGED_POOL = paging.MDLNonPaged
	MDL_WRITE_OPERATION         = paging.MDLWrite
)

// MEMORY_CACHING_TYPE is how a mapping is cached. RAM always is.
type MEMORY_CACHING_TYPE int32

const (
	MmNonCached     MEMORY_CACHING_TYPE = 0
	MmCached        MEMORY_CACHING_TYPE = 1
	MmWriteCombined MEMORY_CACHING_TYPE = 2
)

// IoAllocateMdl returns an MDL for a buffer, or nil if there is no memory. Irp is
// nil: requests have no MDLs of their own yet, so there is none that it could be
// secondary to, and no quota to charge.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoAllocateMdl function (wdm.h)"
func IoAllocateMdl(VirtualAddress PVOID, Length ULONG, SecondaryBuffer, ChargeQuota BOOLEAN, Irp PVOID) PMDL {
	atMost(irql.Dispatch)
	return paging.NewMDL(uintptr(VirtualAddress), uintptr(Length))
}

// IoFreeMdl gives an MDL back.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoFreeMdl function (wdm.h)"
func IoFreeMdl(Mdl PMDL) {
	atMostWith(irql.Dispatch, &anMDL, unsafe.Pointer(Mdl))
	Mdl.Free()
}

// MmGetMdlVirtualAddress returns the address of the buffer.
//
// IRQL: any
//
// Documentation: "MmGetMdlVirtualAddress macro (wdm.h)"
func MmGetMdlVirtualAddress(Mdl PMDL) PVOID {
	mustBe(&anMDL, unsafe.Pointer(Mdl))
	return PVOID(Mdl.VirtualAddress())
}

// MmGetMdlByteCount returns the length of the buffer.
//
// IRQL: any
//
// Documentation: "MmGetMdlByteCount macro (wdm.h)"
func MmGetMdlByteCount(Mdl PMDL) ULONG {
	mustBe(&anMDL, unsafe.Pointer(Mdl))
	return Mdl.ByteCount
}

// MmGetMdlByteOffset returns where the buffer begins in its first page.
//
// IRQL: any
//
// Documentation: "MmGetMdlByteOffset macro (wdm.h)"
func MmGetMdlByteOffset(Mdl PMDL) ULONG {
	mustBe(&anMDL, unsafe.Pointer(Mdl))
	return Mdl.ByteOffset
}

// MmGetMdlPfnArray returns the numbers of the buffer's pages.
//
// IRQL: any
//
// Documentation: "MmGetMdlPfnArray macro (wdm.h)"
func MmGetMdlPfnArray(Mdl PMDL) []PFN_NUMBER {
	mustBe(&anMDL, unsafe.Pointer(Mdl))
	return Mdl.Pages()
}

// MmProbeAndLockPages brings the pages of the buffer into memory and keeps them
// there until MmUnlockPages. Memory that does not exist raises
// STATUS_ACCESS_VIOLATION.
//
// IRQL: <= APC_LEVEL; <= DISPATCH_LEVEL for nonpaged memory
//
// Documentation: "MmProbeAndLockPages function (wdm.h)"
func MmProbeAndLockPages(MemoryDescriptorList PMDL, AccessMode KPROCESSOR_MODE, Operation LOCK_OPERATION) {
	mustBe(&anMDL, unsafe.Pointer(MemoryDescriptorList))
	atMost(levelFor(mm.InPaged(MemoryDescriptorList.VirtualAddress())))
	if s := MemoryDescriptorList.LockPages(Operation); !NT_SUCCESS(s) {
		ExRaiseStatus(s)
	}
}

// MmUnlockPages lets go of pages that MmProbeAndLockPages locked.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "MmUnlockPages function (wdm.h)"
func MmUnlockPages(MemoryDescriptorList PMDL) {
	atMostWith(irql.Dispatch, &anMDL, unsafe.Pointer(MemoryDescriptorList))
	MemoryDescriptorList.UnlockPages()
}

// MmBuildMdlForNonPagedPool fills in the pages of a buffer in nonpaged pool.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "MmBuildMdlForNonPagedPool function (wdm.h)"
func MmBuildMdlForNonPagedPool(MemoryDescriptorList PMDL) {
	atMostWith(irql.Dispatch, &anMDL, unsafe.Pointer(MemoryDescriptorList))
	MemoryDescriptorList.Describe()
}

// MmMapLockedPagesSpecifyCache returns an address of the pages, which are locked or
// nonpaged, for use at any level. It is the buffer's: there is one address space.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "MmMapLockedPagesSpecifyCache function (wdm.h)"
func MmMapLockedPagesSpecifyCache(MemoryDescriptorList PMDL, AccessMode KPROCESSOR_MODE, CacheType MEMORY_CACHING_TYPE, RequestedAddress PVOID, BugCheckOnFailure, Priority ULONG) PVOID {
	atMostWith(irql.Dispatch, &anMDL, unsafe.Pointer(MemoryDescriptorList))
	return PVOID(MemoryDescriptorList.Map())
}

// MmUnmapLockedPages undoes MmMapLockedPagesSpecifyCache.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "MmUnmapLockedPages function (wdm.h)"
func MmUnmapLockedPages(BaseAddress PVOID, MemoryDescriptorList PMDL) {
	atMostWith(irql.Dispatch, &anMDL, unsafe.Pointer(MemoryDescriptorList))
	MemoryDescriptorList.Unmap()
}

// MmGetSystemAddressForMdlSafe returns an address of the pages for use at any
// level, mapping them if they are not.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "MmGetSystemAddressForMdlSafe macro (wdm.h)"
func MmGetSystemAddressForMdlSafe(Mdl PMDL, Priority ULONG) PVOID {
	atMostWith(irql.Dispatch, &anMDL, unsafe.Pointer(Mdl))
	if Mdl.Flags&(MDL_MAPPED_TO_SYSTEM_VA|MDL_SOURCE_IS_NONPAGED_POOL) == 0 {
		Mdl.Map()
	}
	return PVOID(Mdl.MappedSystemVa)
}

// MmIsAddressValid reports whether a read at the address would not fault now. A
// page of paged pool that is away is not valid, though a read below
// DISPATCH_LEVEL would bring it in.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "MmIsAddressValid function (ntddk.h)"
func MmIsAddressValid(VirtualAddress PVOID) BOOLEAN {
	atMost(irql.Dispatch)
	_, ok := paging.Physical(uintptr(VirtualAddress))
	return ok
}

// MmGetPhysicalAddress returns the physical address behind an address, 0 if there
// is none.
//
// IRQL: any
//
// Documentation: "MmGetPhysicalAddress function (ntddk.h)"
func MmGetPhysicalAddress(BaseAddress PVOID) PHYSICAL_ADDRESS {
	pa, _ := paging.Physical(uintptr(BaseAddress))
	return pa
}

// MmAllocateContiguousMemory returns cleared memory that is contiguous in physical
// memory, up to the given address, or nil if there is none.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "MmAllocateContiguousMemory function (wdm.h)"
func MmAllocateContiguousMemory(NumberOfBytes SIZE_T, HighestAcceptableAddress PHYSICAL_ADDRESS) PVOID {
	atMost(irql.Dispatch)
	return PVOID(paging.AllocContiguous(NumberOfBytes, HighestAcceptableAddress))
}

// MmFreeContiguousMemory gives back what MmAllocateContiguousMemory returned.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "MmFreeContiguousMemory function (wdm.h)"
func MmFreeContiguousMemory(BaseAddress PVOID) {
	atMost(irql.Dispatch)
	paging.FreeContiguous(BaseAddress)
}
