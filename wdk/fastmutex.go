package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/sync"
)

// FAST_MUTEX is 56 bytes of nonpaged pool.
type (
	FAST_MUTEX  = sync.FastMutex
	PFAST_MUTEX = *FAST_MUTEX
)

// ExInitializeFastMutex makes FastMutex a free mutex.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExInitializeFastMutex function (wdm.h)"
func ExInitializeFastMutex(FastMutex PFAST_MUTEX) {
	atMost(irql.Dispatch)
	mayBecome(&aFastMutex, unsafe.Pointer(FastMutex))
	FastMutex.Init()
}

// ExAcquireFastMutex raises to APC_LEVEL and takes the mutex, waiting for it if
// need be. The owner must not ask for it again. Above APC_LEVEL it is bug check
// DRIVER_VERIFIER_DETECTED_VIOLATION 0x33.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExAcquireFastMutex function (wdm.h)"
func ExAcquireFastMutex(FastMutex PFAST_MUTEX) {
	mustBe(&aFastMutex, unsafe.Pointer(FastMutex))
	FastMutex.Acquire()
}

// ExTryToAcquireFastMutex takes the mutex if it is free, at APC_LEVEL then, and
// reports whether it did.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExTryToAcquireFastMutex function (wdm.h)"
func ExTryToAcquireFastMutex(FastMutex PFAST_MUTEX) BOOLEAN {
	mustBe(&aFastMutex, unsafe.Pointer(FastMutex))
	return FastMutex.Try()
}

// ExReleaseFastMutex gives the mutex up and restores the level that it was
// acquired at. At another level it is bug check
// DRIVER_VERIFIER_DETECTED_VIOLATION 0x34.
//
// IRQL: APC_LEVEL
//
// Documentation: "ExReleaseFastMutex function (wdm.h)"
func ExReleaseFastMutex(FastMutex PFAST_MUTEX) {
	mustBe(&aFastMutex, unsafe.Pointer(FastMutex))
	FastMutex.Release()
}

// ExAcquireFastMutexUnsafe takes the mutex at the level in force; the caller has
// APCs disabled, or it is bug check DRIVER_VERIFIER_DETECTED_VIOLATION 0x39.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExAcquireFastMutexUnsafe function (wdm.h)"
func ExAcquireFastMutexUnsafe(FastMutex PFAST_MUTEX) {
	mustBe(&aFastMutex, unsafe.Pointer(FastMutex))
	FastMutex.AcquireUnsafe()
}

// ExReleaseFastMutexUnsafe ends what ExAcquireFastMutexUnsafe began.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExReleaseFastMutexUnsafe function (wdm.h)"
func ExReleaseFastMutexUnsafe(FastMutex PFAST_MUTEX) {
	atMostWith(irql.APC, &aFastMutex, unsafe.Pointer(FastMutex))
	FastMutex.ReleaseUnsafe()
}

// ExEnterCriticalRegionAndAcquireFastMutexUnsafe enters a critical region and
// takes the mutex.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func ExEnterCriticalRegionAndAcquireFastMutexUnsafe(FastMutex PFAST_MUTEX) {
	atMostWith(irql.APC, &aFastMutex, unsafe.Pointer(FastMutex))
	kernel.EnterCriticalRegion()
	FastMutex.AcquireUnsafe()
}

// ExReleaseFastMutexUnsafeAndLeaveCriticalRegion undoes
// ExEnterCriticalRegionAndAcquireFastMutexUnsafe.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func ExReleaseFastMutexUnsafeAndLeaveCriticalRegion(FastMutex PFAST_MUTEX) {
	atMostWith(irql.APC, &aFastMutex, unsafe.Pointer(FastMutex))
	FastMutex.ReleaseUnsafe()
	kernel.LeaveCriticalRegion()
}
