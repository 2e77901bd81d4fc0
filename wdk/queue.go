package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/sync"
)

// KQUEUE is 64 bytes of nonpaged pool.
type (
	KQUEUE   = sync.Queue
	PKQUEUE  = *KQUEUE
	PRKQUEUE = *KQUEUE
)

// KeInitializeQueue makes Queue an empty queue whose threads run at most Count at
// a time, 0 meaning the number of processors.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeInitializeQueue function (ntifs.h)"
func KeInitializeQueue(Queue PRKQUEUE, Count ULONG) {
	atMost(irql.Dispatch)
	mayBecome(&aQueue, unsafe.Pointer(Queue))
	Queue.Init(Count)
}

// KeInsertQueue puts Entry at the end of the queue and returns how many entries
// there were.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeInsertQueue function (ntifs.h)"
func KeInsertQueue(Queue PRKQUEUE, Entry PLIST_ENTRY) LONG {
	atMostWith(irql.Dispatch, &aQueue, unsafe.Pointer(Queue))
	mustBe(&aListEntry, unsafe.Pointer(Entry))
	return Queue.Insert(Entry)
}

// KeInsertHeadQueue puts Entry in front of the others.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeInsertHeadQueue function (ntifs.h)"
func KeInsertHeadQueue(Queue PRKQUEUE, Entry PLIST_ENTRY) LONG {
	atMostWith(irql.Dispatch, &aQueue, unsafe.Pointer(Queue))
	mustBe(&aListEntry, unsafe.Pointer(Entry))
	return Queue.InsertHead(Entry)
}

// KeRemoveQueue takes the first entry and waits for its turn if it must. C gets
// the statuses STATUS_TIMEOUT, STATUS_ABANDONED, and in UserMode STATUS_USER_APC, if
// a user APC is due, in place of the address; here they are a second result.
//
// IRQL: <= APC_LEVEL; <= DISPATCH_LEVEL with a zero timeout
//
// Documentation: "KeRemoveQueue function (ntifs.h)"
func KeRemoveQueue(Queue PRKQUEUE, WaitMode KPROCESSOR_MODE, Timeout PLARGE_INTEGER) (PLIST_ENTRY, NTSTATUS) {
	mayWait(Timeout)
	mustBe(&aQueue, unsafe.Pointer(Queue))
	mustTake(WaitMode <= UserMode, uintptr(WaitMode))
	return Queue.Remove(Timeout, WaitMode)
}

// KeReadStateQueue returns the number of entries.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeReadStateQueue function (ntifs.h)"
func KeReadStateQueue(Queue PRKQUEUE) LONG {
	atMostWith(irql.Dispatch, &aQueue, unsafe.Pointer(Queue))
	return Queue.Len()
}

// KeRundownQueue ends the queue: all who wait or come later get
// STATUS_ABANDONED. It returns the first of the entries that are left, in a
// circle, or nil.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeRundownQueue function (ntifs.h)"
func KeRundownQueue(Queue PRKQUEUE) PLIST_ENTRY {
	atMostWith(irql.Dispatch, &aQueue, unsafe.Pointer(Queue))
	return Queue.Rundown()
}
