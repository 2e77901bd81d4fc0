package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/list"
)

// SLIST_HEADER is 16 bytes, and SLIST_ENTRY 8, of nonpaged pool. Both are aligned
// to 16 bytes, as pool is.
type (
	SLIST_HEADER       = list.SList
	PSLIST_HEADER      = *SLIST_HEADER
	SLIST_ENTRY        = list.Single
	PSLIST_ENTRY       = *SLIST_ENTRY
	SINGLE_LIST_ENTRY  = list.Single
	PSINGLE_LIST_ENTRY = *SINGLE_LIST_ENTRY
)

// InitializeSListHead makes SListHead an empty list.
//
// IRQL: any
//
// Documentation: "InitializeSListHead function (wdm.h)"
func InitializeSListHead(SListHead PSLIST_HEADER) {
	mayBecome(&anSList, unsafe.Pointer(SListHead))
	SListHead.Init()
}

// InterlockedPushEntrySList puts an entry in front and returns the one that was
// first, or nil.
//
// IRQL: any
//
// Documentation: "InterlockedPushEntrySList function (wdm.h)"
func InterlockedPushEntrySList(ListHead PSLIST_HEADER, ListEntry PSLIST_ENTRY) PSLIST_ENTRY {
	mustBe(&anSList, unsafe.Pointer(ListHead))
	mustBe(&aSListEntry, unsafe.Pointer(ListEntry))
	return ListHead.Push(ListEntry)
}

// InterlockedPopEntrySList takes out and returns the first entry, or nil.
//
// IRQL: any
//
// Documentation: "InterlockedPopEntrySList function (wdm.h)"
func InterlockedPopEntrySList(ListHead PSLIST_HEADER) PSLIST_ENTRY {
	mustBe(&anSList, unsafe.Pointer(ListHead))
	return ListHead.Pop()
}

// InterlockedFlushSList takes out all entries and returns the first, or nil.
//
// IRQL: any
//
// Documentation: "InterlockedFlushSList function (wdm.h)"
func InterlockedFlushSList(ListHead PSLIST_HEADER) PSLIST_ENTRY {
	mustBe(&anSList, unsafe.Pointer(ListHead))
	return ListHead.Flush()
}

// ExInterlockedPushEntrySList is InterlockedPushEntrySList; Lock is not used.
//
// IRQL: any
//
// Documentation: "ExInterlockedPushEntrySList function (wdm.h)"
func ExInterlockedPushEntrySList(ListHead PSLIST_HEADER, ListEntry PSLIST_ENTRY, Lock PKSPIN_LOCK) PSLIST_ENTRY {
	mustBe(&anSList, unsafe.Pointer(ListHead))
	mustBe(&aSListEntry, unsafe.Pointer(ListEntry))
	mustBe(&aSpinLock, unsafe.Pointer(Lock))
	return ListHead.Push(ListEntry)
}

// ExInterlockedPopEntrySList is InterlockedPopEntrySList; Lock is not used.
//
// IRQL: any
//
// Documentation: "ExInterlockedPopEntrySList function (wdm.h)"
func ExInterlockedPopEntrySList(ListHead PSLIST_HEADER, Lock PKSPIN_LOCK) PSLIST_ENTRY {
	mustBe(&anSList, unsafe.Pointer(ListHead))
	mustBe(&aSpinLock, unsafe.Pointer(Lock))
	return ListHead.Pop()
}

// ExInterlockedFlushSList is InterlockedFlushSList.
//
// IRQL: any
//
// Documentation: "ExInterlockedFlushSList function (wdm.h)"
func ExInterlockedFlushSList(ListHead PSLIST_HEADER) PSLIST_ENTRY {
	mustBe(&anSList, unsafe.Pointer(ListHead))
	return ListHead.Flush()
}

// ExQueryDepthSList returns the number of entries.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExQueryDepthSList function (wdm.h)"
func ExQueryDepthSList(SListHead PSLIST_HEADER) USHORT {
	atMostWith(irql.Dispatch, &anSList, unsafe.Pointer(SListHead))
	return SListHead.Depth()
}

// FirstEntrySList returns the first entry, which may be gone the next moment.
//
// IRQL: any
//
// Documentation: "FirstEntrySList function (wdm.h)"
func FirstEntrySList(SListHead PSLIST_HEADER) PSLIST_ENTRY {
	mustBe(&anSList, unsafe.Pointer(SListHead))
	return SListHead.First()
}
