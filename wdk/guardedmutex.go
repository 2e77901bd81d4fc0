package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/sync"
)

// KGUARDED_MUTEX is 56 bytes of nonpaged pool.
type (
	KGUARDED_MUTEX  = sync.GuardedMutex
	PKGUARDED_MUTEX = *KGUARDED_MUTEX
)

// KeInitializeGuardedMutex makes GuardedMutex a free mutex.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeInitializeGuardedMutex function (wdm.h)"
func KeInitializeGuardedMutex(GuardedMutex PKGUARDED_MUTEX) {
	atMost(irql.APC)
	mayBecome(&aGuarded, unsafe.Pointer(GuardedMutex))
	GuardedMutex.Init()
}

// KeAcquireGuardedMutex enters a guarded region and takes the mutex, waiting for it if
// need be. The owner must not ask for it again.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeAcquireGuardedMutex function (wdm.h)"
func KeAcquireGuardedMutex(GuardedMutex PKGUARDED_MUTEX) {
	atMostWith(irql.APC, &aGuarded, unsafe.Pointer(GuardedMutex))
	GuardedMutex.Acquire()
}

// KeTryToAcquireGuardedMutex takes the mutex if it is free, in a guarded region
// then, and reports whether it did.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeTryToAcquireGuardedMutex function (wdm.h)"
func KeTryToAcquireGuardedMutex(GuardedMutex PKGUARDED_MUTEX) BOOLEAN {
	atMostWith(irql.APC, &aGuarded, unsafe.Pointer(GuardedMutex))
	return GuardedMutex.Try()
}

// KeReleaseGuardedMutex gives the mutex up and leaves the guarded region.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeReleaseGuardedMutex function (wdm.h)"
func KeReleaseGuardedMutex(GuardedMutex PKGUARDED_MUTEX) {
	atMostWith(irql.APC, &aGuarded, unsafe.Pointer(GuardedMutex))
	GuardedMutex.Release()
}

// KeAcquireGuardedMutexUnsafe takes the mutex without a region; the caller has all
// APCs disabled.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeAcquireGuardedMutexUnsafe function (wdm.h)"
func KeAcquireGuardedMutexUnsafe(GuardedMutex PKGUARDED_MUTEX) {
	atMostWith(irql.APC, &aGuarded, unsafe.Pointer(GuardedMutex))
	GuardedMutex.AcquireUnsafe()
}

// KeReleaseGuardedMutexUnsafe ends what KeAcquireGuardedMutexUnsafe began.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeReleaseGuardedMutexUnsafe function (wdm.h)"
func KeReleaseGuardedMutexUnsafe(GuardedMutex PKGUARDED_MUTEX) {
	atMostWith(irql.APC, &aGuarded, unsafe.Pointer(GuardedMutex))
	GuardedMutex.ReleaseUnsafe()
}
