package wdk

import (
	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/sync"
)

// IO_REMOVE_LOCK is 32 bytes of nonpaged pool.
type (
	IO_REMOVE_LOCK  = sync.RemoveLock
	PIO_REMOVE_LOCK = *IO_REMOVE_LOCK
)

// STATUS_DELETE_PENDING is what IoAcquireRemoveLock returns during a removal.
const STATUS_DELETE_PENDING = ntstatus.DeletePending

// IoInitializeRemoveLock makes Lock ready. The other parameters are for a
// checker that is not there.
//
// IRQL: PASSIVE_LEVEL
func IoInitializeRemoveLock(Lock PIO_REMOVE_LOCK, AllocateTag, MaxLockedMinutes, HighWatermark ULONG) {
	atMost(irql.Passive)
	Lock.Init()
}

// IoAcquireRemoveLock keeps a device from being removed. It returns
// STATUS_DELETE_PENDING if that has begun.
//
// IRQL: <= DISPATCH_LEVEL
func IoAcquireRemoveLock(RemoveLock PIO_REMOVE_LOCK, Tag PVOID) NTSTATUS {
	atMost(irql.Dispatch)
	return RemoveLock.Acquire()
}

// IoReleaseRemoveLock undoes IoAcquireRemoveLock.
//
// IRQL: <= DISPATCH_LEVEL
func IoReleaseRemoveLock(RemoveLock PIO_REMOVE_LOCK, Tag PVOID) {
	atMost(irql.Dispatch)
	RemoveLock.Release()
}

// IoReleaseRemoveLockAndWait undoes the caller's IoAcquireRemoveLock, refuses
// others, and returns when all are undone.
//
// IRQL: PASSIVE_LEVEL
func IoReleaseRemoveLockAndWait(RemoveLock PIO_REMOVE_LOCK, Tag PVOID) {
	atMost(irql.Passive)
	RemoveLock.ReleaseAndWait()
}
