package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/sync"
)

// EX_PUSH_LOCK is one word, zero while free. It may lie in a Go variable.
type (
	EX_PUSH_LOCK  = sync.PushLock
	PEX_PUSH_LOCK = *EX_PUSH_LOCK
)

// ExInitializePushLock makes PushLock free.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExInitializePushLock function (wdm.h)"
func ExInitializePushLock(PushLock PEX_PUSH_LOCK) {
	atMost(irql.APC)
	mayBecome(&aPushLock, unsafe.Pointer(PushLock))
	PushLock.Init()
}

// ExAcquirePushLockExclusive takes the lock for the caller alone. In a critical region
// only, or it is bug check DRIVER_VERIFIER_DETECTED_VIOLATION 0xEA.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExAcquirePushLockExclusive function (wdm.h)"
func ExAcquirePushLockExclusive(PushLock PEX_PUSH_LOCK) {
	atMostWith(irql.APC, &aPushLock, unsafe.Pointer(PushLock))
	PushLock.AcquireExclusive()
}

// ExAcquirePushLockShared takes the lock together with others. Somebody who waits
// for exclusive access comes first. In a critical region only.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExAcquirePushLockShared function (wdm.h)"
func ExAcquirePushLockShared(PushLock PEX_PUSH_LOCK) {
	atMostWith(irql.APC, &aPushLock, unsafe.Pointer(PushLock))
	PushLock.AcquireShared()
}

// ExReleasePushLock ends either acquisition.
//
// IRQL: <= APC_LEVEL
func ExReleasePushLock(PushLock PEX_PUSH_LOCK) {
	atMostWith(irql.APC, &aPushLock, unsafe.Pointer(PushLock))
	PushLock.Release()
}

// ExReleasePushLockExclusive ends ExAcquirePushLockExclusive.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExReleasePushLockExclusive function (wdm.h)"
func ExReleasePushLockExclusive(PushLock PEX_PUSH_LOCK) {
	atMostWith(irql.APC, &aPushLock, unsafe.Pointer(PushLock))
	PushLock.ReleaseExclusive()
}

// ExReleasePushLockShared ends ExAcquirePushLockShared.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExReleasePushLockShared function (wdm.h)"
func ExReleasePushLockShared(PushLock PEX_PUSH_LOCK) {
	atMostWith(irql.APC, &aPushLock, unsafe.Pointer(PushLock))
	PushLock.ReleaseShared()
}

// ExfAcquirePushLockExclusive is ExAcquirePushLockExclusive, as compiled drivers call it.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func ExfAcquirePushLockExclusive(PushLock PEX_PUSH_LOCK) { ExAcquirePushLockExclusive(PushLock) }

// ExfAcquirePushLockShared is ExAcquirePushLockShared, as compiled drivers call it.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func ExfAcquirePushLockShared(PushLock PEX_PUSH_LOCK) { ExAcquirePushLockShared(PushLock) }

// ExfReleasePushLock is ExReleasePushLock, as compiled drivers call it.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func ExfReleasePushLock(PushLock PEX_PUSH_LOCK) { ExReleasePushLock(PushLock) }

// ExfReleasePushLockExclusive is ExReleasePushLockExclusive, as compiled drivers call it.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func ExfReleasePushLockExclusive(PushLock PEX_PUSH_LOCK) { ExReleasePushLockExclusive(PushLock) }

// ExfReleasePushLockShared is ExReleasePushLockShared, as compiled drivers call it.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func ExfReleasePushLockShared(PushLock PEX_PUSH_LOCK) { ExReleasePushLockShared(PushLock) }

// ExTryAcquirePushLockExclusive takes a free lock and reports whether it did.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func ExTryAcquirePushLockExclusive(PushLock PEX_PUSH_LOCK) BOOLEAN {
	atMostWith(irql.APC, &aPushLock, unsafe.Pointer(PushLock))
	return PushLock.TryAcquireExclusive()
}

// ExTryAcquirePushLockShared takes the lock together with others if that need not wait,
// and reports whether it did.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func ExTryAcquirePushLockShared(PushLock PEX_PUSH_LOCK) BOOLEAN {
	atMostWith(irql.APC, &aPushLock, unsafe.Pointer(PushLock))
	return PushLock.TryAcquireShared()
}

// ExfTryToWakePushLock has nothing to do: a release hands the lock over itself.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func ExfTryToWakePushLock(PushLock PEX_PUSH_LOCK) {
	atMostWith(irql.APC, &aPushLock, unsafe.Pointer(PushLock))
}

// FltInitializePushLock is ExInitializePushLock.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "FltInitializePushLock function (fltkernel.h)"
func FltInitializePushLock(PushLock PEX_PUSH_LOCK) { ExInitializePushLock(PushLock) }

// FltDeletePushLock ends a lock that nobody holds.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "FltDeletePushLock function (fltkernel.h)"
func FltDeletePushLock(PushLock PEX_PUSH_LOCK) {
	atMostWith(irql.APC, &aPushLock, unsafe.Pointer(PushLock))
}

// FltAcquirePushLockExclusive enters a critical region and takes the lock for
// the caller alone.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "FltAcquirePushLockExclusive function (fltkernel.h)"
func FltAcquirePushLockExclusive(PushLock PEX_PUSH_LOCK) {
	atMostWith(irql.APC, &aPushLock, unsafe.Pointer(PushLock))
	kernel.EnterCriticalRegion()
	PushLock.AcquireExclusive()
}

// FltAcquirePushLockShared enters a critical region and takes the lock together
// with others.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "FltAcquirePushLockShared function (fltkernel.h)"
func FltAcquirePushLockShared(PushLock PEX_PUSH_LOCK) {
	atMostWith(irql.APC, &aPushLock, unsafe.Pointer(PushLock))
	kernel.EnterCriticalRegion()
	PushLock.AcquireShared()
}

// FltReleasePushLock ends either acquisition and leaves the critical region.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "FltReleasePushLock function (fltkernel.h)"
func FltReleasePushLock(PushLock PEX_PUSH_LOCK) {
	atMostWith(irql.APC, &aPushLock, unsafe.Pointer(PushLock))
	PushLock.Release()
	kernel.LeaveCriticalRegion()
}

// Flags of the Ex forms.
const (
	FLT_PUSH_LOCK_ENABLE_AUTO_BOOST  ULONG = 0x1
	FLT_PUSH_LOCK_DISABLE_AUTO_BOOST ULONG = 0x2
)

// FltAcquirePushLockExclusiveEx is FltAcquirePushLockExclusive. No owner is
// boosted, whatever the flags.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "FltAcquirePushLockExclusiveEx function (fltkernel.h)"
func FltAcquirePushLockExclusiveEx(PushLock PEX_PUSH_LOCK, Flags ULONG) {
	FltAcquirePushLockExclusive(PushLock)
}

// FltAcquirePushLockSharedEx is FltAcquirePushLockShared. No owner is boosted,
// whatever the flags.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "FltAcquirePushLockSharedEx function (fltkernel.h)"
func FltAcquirePushLockSharedEx(PushLock PEX_PUSH_LOCK, Flags ULONG) {
	FltAcquirePushLockShared(PushLock)
}

// FltReleasePushLockEx is FltReleasePushLock.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "FltReleasePushLockEx function (fltkernel.h)"
func FltReleasePushLockEx(PushLock PEX_PUSH_LOCK, Flags ULONG) { FltReleasePushLock(PushLock) }
