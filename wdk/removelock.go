package wdk

import (
	"unsafe"

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
//
// Documentation: "IoInitializeRemoveLock function (wdm.h)"
func IoInitializeRemoveLock(Lock PIO_REMOVE_LOCK, AllocateTag, MaxLockedMinutes, HighWatermark ULONG) {
	atMost(irql.Passive)
	mayBecome(&aRemoveLock, unsafe.Pointer(Lock))
	Lock.Init()
}

// IoAcquireRemoveLock keeps a device from being removed. It returns
// STATUS_DELETE_PENDING if that has begun.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoAcquireRemoveLock function (wdm.h)"
func IoAcquireRemoveLock(RemoveLock PIO_REMOVE_LOCK, Tag PVOID) NTSTATUS {
	atMostWith(irql.Dispatch, &aRemoveLock, unsafe.Pointer(RemoveLock))
	return RemoveLock.Acquire()
}

// IoReleaseRemoveLock undoes IoAcquireRemoveLock.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoReleaseRemoveLock function (wdm.h)"
func IoReleaseRemoveLock(RemoveLock PIO_REMOVE_LOCK, Tag PVOID) {
	atMostWith(irql.Dispatch, &aRemoveLock, unsafe.Pointer(RemoveLock))
	RemoveLock.Release()
}

// IoReleaseRemoveLockAndWait undoes the caller's IoAcquireRemoveLock, refuses
// others, and returns when all are undone.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "IoReleaseRemoveLockAndWait function (wdm.h)"
func IoReleaseRemoveLockAndWait(RemoveLock PIO_REMOVE_LOCK, Tag PVOID) {
	atMostWith(irql.Passive, &aRemoveLock, unsafe.Pointer(RemoveLock))
	RemoveLock.ReleaseAndWait()
}
