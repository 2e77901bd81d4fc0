package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/sync/spin"
)

// KeInitializeSpinLock makes SpinLock free. It lies in resident memory.
//
// IRQL: any
//
// Documentation: "KeInitializeSpinLock function (wdm.h)"
func KeInitializeSpinLock(SpinLock PKSPIN_LOCK) {
	mayBecome(&aSpinLock, unsafe.Pointer(SpinLock))
	SpinLock.Init()
}

// KeAcquireSpinLock raises to DISPATCH_LEVEL, takes the lock and stores the
// level before at OldIrql.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeAcquireSpinLock function (wdm.h)"
func KeAcquireSpinLock(SpinLock PKSPIN_LOCK, OldIrql PKIRQL) {
	mustBe(&aSpinLock, unsafe.Pointer(SpinLock))
	mustBe(&aLevel, unsafe.Pointer(OldIrql))
	*OldIrql = SpinLock.Acquire()
}

// KeAcquireSpinLockRaiseToDpc is KeAcquireSpinLock that returns the level before.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeAcquireSpinLockRaiseToDpc function (wdm.h)"
func KeAcquireSpinLockRaiseToDpc(SpinLock PKSPIN_LOCK) KIRQL {
	mustBe(&aSpinLock, unsafe.Pointer(SpinLock))
	return SpinLock.Acquire()
}

// KeReleaseSpinLock frees the lock and restores the level.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KeReleaseSpinLock function (wdm.h)"
func KeReleaseSpinLock(SpinLock PKSPIN_LOCK, NewIrql KIRQL) {
	mustBe(&aSpinLock, unsafe.Pointer(SpinLock))
	SpinLock.Release(NewIrql)
}

// KeAcquireSpinLockAtDpcLevel takes the lock at the level in force.
//
// IRQL: >= DISPATCH_LEVEL
//
// Documentation: "KeAcquireSpinLockAtDpcLevel function (wdm.h)"
func KeAcquireSpinLockAtDpcLevel(SpinLock PKSPIN_LOCK) {
	mustBe(&aSpinLock, unsafe.Pointer(SpinLock))
	SpinLock.AcquireAtDpc()
}

// KeReleaseSpinLockFromDpcLevel frees the lock and leaves the level alone.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KeReleaseSpinLockFromDpcLevel function (wdm.h)"
func KeReleaseSpinLockFromDpcLevel(SpinLock PKSPIN_LOCK) {
	exactly(irql.Dispatch)
	mustBe(&aSpinLock, unsafe.Pointer(SpinLock))
	SpinLock.ReleaseFromDpc()
}

// KefReleaseSpinLockFromDpcLevel is KeReleaseSpinLockFromDpcLevel.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KefReleaseSpinLockFromDpcLevel function (wdm.h)"
func KefReleaseSpinLockFromDpcLevel(SpinLock PKSPIN_LOCK) { KeReleaseSpinLockFromDpcLevel(SpinLock) }

// KeTryToAcquireSpinLockAtDpcLevel takes the lock if it is free and reports
// whether it did.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KeTryToAcquireSpinLockAtDpcLevel function (wdm.h)"
func KeTryToAcquireSpinLockAtDpcLevel(SpinLock PKSPIN_LOCK) BOOLEAN {
	exactly(irql.Dispatch)
	mustBe(&aSpinLock, unsafe.Pointer(SpinLock))
	return SpinLock.TryAtDpc()
}

// KeTryToAcquireSpinLock takes the lock if it is free, at DISPATCH_LEVEL then,
// and reports whether it did. The level before is stored at OldIrql.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeTryToAcquireSpinLock(SpinLock PKSPIN_LOCK, OldIrql PKIRQL) BOOLEAN {
	mustBe(&aSpinLock, unsafe.Pointer(SpinLock))
	mustBe(&aLevel, unsafe.Pointer(OldIrql))
	old, ok := SpinLock.Try()
	*OldIrql = old
	return ok
}

// KeAcquireSpinLockForDpc takes the lock in a threaded DPC routine, raising only
// if that runs at PASSIVE_LEVEL.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeAcquireSpinLockForDpc function (wdm.h)"
func KeAcquireSpinLockForDpc(SpinLock PKSPIN_LOCK) KIRQL {
	atMostWith(irql.Dispatch, &aSpinLock, unsafe.Pointer(SpinLock))
	return SpinLock.AcquireForDpc()
}

// KeReleaseSpinLockForDpc ends what KeAcquireSpinLockForDpc began.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KeReleaseSpinLockForDpc function (wdm.h)"
func KeReleaseSpinLockForDpc(SpinLock PKSPIN_LOCK, OldIrql KIRQL) {
	exactly(irql.Dispatch)
	mustBe(&aSpinLock, unsafe.Pointer(SpinLock))
	SpinLock.ReleaseForDpc(OldIrql)
}

// KeTestSpinLock reports whether the lock is free. It never takes it.
//
// IRQL: any
//
// Documentation: "KeTestSpinLock function (wdm.h)"
func KeTestSpinLock(SpinLock PKSPIN_LOCK) BOOLEAN {
	mustBe(&aSpinLock, unsafe.Pointer(SpinLock))
	return SpinLock.Test()
}

// queued is the same word, used as an in-stack queued lock.
func queued(l PKSPIN_LOCK) *spin.Queued { return (*spin.Queued)(unsafe.Pointer(l)) }

// KeAcquireInStackQueuedSpinLock raises to DISPATCH_LEVEL and takes the lock, in
// order of arrival. A lock used this way is never used in another.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeAcquireInStackQueuedSpinLock function (wdm.h)"
func KeAcquireInStackQueuedSpinLock(SpinLock PKSPIN_LOCK, LockHandle PKLOCK_QUEUE_HANDLE) {
	mustBe(&aSpinLock, unsafe.Pointer(SpinLock))
	mustBe(&aQueueHandle, unsafe.Pointer(LockHandle))
	queued(SpinLock).Acquire(LockHandle)
}

// KeReleaseInStackQueuedSpinLock passes the lock on and restores the level.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KeReleaseInStackQueuedSpinLock function (wdm.h)"
func KeReleaseInStackQueuedSpinLock(LockHandle PKLOCK_QUEUE_HANDLE) {
	mustBe(&aQueueHandle, unsafe.Pointer(LockHandle))
	LockHandle.Release()
}

// KeAcquireInStackQueuedSpinLockAtDpcLevel takes the lock, in order of arrival,
// at the level in force.
//
// IRQL: >= DISPATCH_LEVEL
//
// Documentation: "KeAcquireInStackQueuedSpinLockAtDpcLevel function (wdm.h)"
func KeAcquireInStackQueuedSpinLockAtDpcLevel(SpinLock PKSPIN_LOCK, LockHandle PKLOCK_QUEUE_HANDLE) {
	mustBe(&aSpinLock, unsafe.Pointer(SpinLock))
	mustBe(&aQueueHandle, unsafe.Pointer(LockHandle))
	queued(SpinLock).AcquireAtDpc(LockHandle)
}

// KeReleaseInStackQueuedSpinLockFromDpcLevel passes the lock on and leaves the
// level alone.
//
// IRQL: >= DISPATCH_LEVEL
//
// Documentation: "KeReleaseInStackQueuedSpinLockFromDpcLevel function (wdm.h)"
func KeReleaseInStackQueuedSpinLockFromDpcLevel(LockHandle PKLOCK_QUEUE_HANDLE) {
	mustBe(&aQueueHandle, unsafe.Pointer(LockHandle))
	LockHandle.ReleaseFromDpc()
}

// KeAcquireInStackQueuedSpinLockForDpc takes the lock in a threaded DPC routine,
// raising only if that runs at PASSIVE_LEVEL.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeAcquireInStackQueuedSpinLockForDpc function (wdm.h)"
func KeAcquireInStackQueuedSpinLockForDpc(SpinLock PKSPIN_LOCK, LockHandle PKLOCK_QUEUE_HANDLE) {
	atMostWith(irql.Dispatch, &aSpinLock, unsafe.Pointer(SpinLock))
	mustBe(&aQueueHandle, unsafe.Pointer(LockHandle))
	queued(SpinLock).AcquireForDpc(LockHandle)
}

// KeReleaseInStackQueuedSpinLockForDpc ends what
// KeAcquireInStackQueuedSpinLockForDpc began.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KeReleaseInStackQueuedSpinLockForDpc function (wdm.h)"
func KeReleaseInStackQueuedSpinLockForDpc(LockHandle PKLOCK_QUEUE_HANDLE) {
	exactly(irql.Dispatch)
	mustBe(&aQueueHandle, unsafe.Pointer(LockHandle))
	LockHandle.ReleaseForDpc()
}

// KeAcquireSpinLockRaiseToSynch raises to SYNCH_LEVEL, takes the lock and returns
// the level before.
//
// IRQL: <= SYNCH_LEVEL
//
// Documentation: none of its own.
func KeAcquireSpinLockRaiseToSynch(SpinLock PKSPIN_LOCK) KIRQL {
	mustBe(&aSpinLock, unsafe.Pointer(SpinLock))
	return SpinLock.AcquireTo(irql.Synch)
}
