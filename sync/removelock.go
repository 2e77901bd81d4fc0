package sync

import (
	"sync/atomic"
	"unsafe"

	"irqlab/chance"
	"irqlab/kernel"
	"irqlab/ntstatus"
)

// RemoveLock is an IO_REMOVE_LOCK (32 bytes): it keeps a device from being
// removed while requests use it. It counts, and is no lock in any other sense.
//
// Documentation: "Using Remove Locks".
type RemoveLock struct {
	Removed     uint8
	_           [3]uint8
	IoCount     int32 // acquisitions, and one more until the removal
	RemoveEvent Event
}

// Init makes l ready (IoInitializeRemoveLock).
//
// IRQL: PASSIVE_LEVEL
func (l *RemoveLock) Init() {
	checkResident(unsafe.Pointer(l), unsafe.Sizeof(*l))
	l.Removed, l.IoCount = 0, 1
	l.RemoveEvent.InitSynchronization(false)
}

// Acquire counts a user (IoAcquireRemoveLock). It returns
// STATUS_DELETE_PENDING once the removal has begun.
//
// IRQL: <= DISPATCH_LEVEL
func (l *RemoveLock) Acquire() ntstatus.Status {
	atomic.AddInt32(&l.IoCount, 1)
	chance.Point()
	if !l.removed() {
		return ntstatus.Success
	}
	l.Release()
	return ntstatus.DeletePending
}

func (l *RemoveLock) removed() bool {
	// The flag and its padding are one word.
	return atomic.LoadUint32((*uint32)(unsafe.Pointer(&l.Removed))) != 0
}

// Release counts a user less, and lets the removal go on if it was the last
// (IoReleaseRemoveLock).
//
// IRQL: <= DISPATCH_LEVEL
func (l *RemoveLock) Release() {
	n := atomic.AddInt32(&l.IoCount, -1)
	chance.Point()
	switch {
	case n == 0 && l.removed():
		l.RemoveEvent.Set(0)
	case n <= 0:
		notAcquired.violated("a remove lock is released that nobody holds", uintptr(unsafe.Pointer(l)))
	}
}

// ReleaseAndWait ends the caller's acquisition, refuses others, and returns when
// all have ended (IoReleaseRemoveLockAndWait).
//
// IRQL: PASSIVE_LEVEL
func (l *RemoveLock) ReleaseAndWait() {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&l.Removed)), 1)
	chance.Point()
	// The caller's, and the one of Init.
	switch n := atomic.AddInt32(&l.IoCount, -2); {
	case n > 0:
		Wait(&l.RemoveEvent.Header, nil, false, kernel.KernelMode)
	case n < 0:
		notAcquired.violated("a remove lock is released that nobody holds", uintptr(unsafe.Pointer(l)))
	}
}
