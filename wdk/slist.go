package wdk

import (
	"irqlab/irql"
	"irqlab/list"
)

// SLIST_HEADER is 16 bytes, aligned to 16, of nonpaged pool.
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
func InitializeSListHead(SListHead PSLIST_HEADER) { SListHead.Init() }

// InterlockedPushEntrySList puts an entry in front and returns the one that was
// first, or nil.
//
// IRQL: any
func InterlockedPushEntrySList(ListHead PSLIST_HEADER, ListEntry PSLIST_ENTRY) PSLIST_ENTRY {
	return ListHead.Push(ListEntry)
}

// InterlockedPopEntrySList takes out and returns the first entry, or nil.
//
// IRQL: any
func InterlockedPopEntrySList(ListHead PSLIST_HEADER) PSLIST_ENTRY { return ListHead.Pop() }

// InterlockedFlushSList takes out all entries and returns the first, or nil.
//
// IRQL: any
func InterlockedFlushSList(ListHead PSLIST_HEADER) PSLIST_ENTRY { return ListHead.Flush() }

// ExInterlockedPushEntrySList is InterlockedPushEntrySList; Lock is not used.
//
// IRQL: any
func ExInterlockedPushEntrySList(ListHead PSLIST_HEADER, ListEntry PSLIST_ENTRY, Lock PKSPIN_LOCK) PSLIST_ENTRY {
	return ListHead.Push(ListEntry)
}

// ExInterlockedPopEntrySList is InterlockedPopEntrySList; Lock is not used.
//
// IRQL: any
func ExInterlockedPopEntrySList(ListHead PSLIST_HEADER, Lock PKSPIN_LOCK) PSLIST_ENTRY {
	return ListHead.Pop()
}

// ExInterlockedFlushSList is InterlockedFlushSList.
//
// IRQL: any
func ExInterlockedFlushSList(ListHead PSLIST_HEADER) PSLIST_ENTRY { return ListHead.Flush() }

// ExQueryDepthSList returns the number of entries.
//
// IRQL: <= DISPATCH_LEVEL
func ExQueryDepthSList(SListHead PSLIST_HEADER) USHORT {
	atMost(irql.Dispatch)
	return SListHead.Depth()
}

// FirstEntrySList returns the first entry, which may be gone the next moment.
//
// IRQL: any
func FirstEntrySList(SListHead PSLIST_HEADER) PSLIST_ENTRY { return SListHead.First() }
