package wdk

import (
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
func KeInitializeQueue(Queue PRKQUEUE, Count ULONG) {
	atMost(irql.Dispatch)
	Queue.Init(Count)
}

// KeInsertQueue puts Entry at the end of the queue and returns how many entries
// there were.
//
// IRQL: <= DISPATCH_LEVEL
func KeInsertQueue(Queue PRKQUEUE, Entry PLIST_ENTRY) LONG {
	atMost(irql.Dispatch)
	return Queue.Insert(Entry)
}

// KeInsertHeadQueue puts Entry in front of the others.
//
// IRQL: <= DISPATCH_LEVEL
func KeInsertHeadQueue(Queue PRKQUEUE, Entry PLIST_ENTRY) LONG {
	atMost(irql.Dispatch)
	return Queue.InsertHead(Entry)
}

// KeRemoveQueue takes the first entry and waits for its turn if it must. C gets
// the statuses STATUS_TIMEOUT and STATUS_ABANDONED in place of the address; here
// they are a second result.
//
// IRQL: <= APC_LEVEL; <= DISPATCH_LEVEL with a zero timeout
func KeRemoveQueue(Queue PRKQUEUE, WaitMode KPROCESSOR_MODE, Timeout PLARGE_INTEGER) (PLIST_ENTRY, NTSTATUS) {
	mayWait(Timeout)
	return Queue.Remove(Timeout, WaitMode)
}

// KeReadStateQueue returns the number of entries.
//
// IRQL: <= DISPATCH_LEVEL
func KeReadStateQueue(Queue PRKQUEUE) LONG {
	atMost(irql.Dispatch)
	return Queue.Len()
}

// KeRundownQueue ends the queue: all who wait or come later get
// STATUS_ABANDONED. It returns the first of the entries that are left, in a
// circle, or nil.
//
// IRQL: <= DISPATCH_LEVEL
func KeRundownQueue(Queue PRKQUEUE) PLIST_ENTRY {
	atMost(irql.Dispatch)
	return Queue.Rundown()
}
