package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/sync"
)

// EX_RUNDOWN_REF is 8 bytes.
type (
	EX_RUNDOWN_REF  = sync.Rundown
	PEX_RUNDOWN_REF = *EX_RUNDOWN_REF
)

// ExInitializeRundownProtection makes RunRef ready.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExInitializeRundownProtection function (wdm.h)"
func ExInitializeRundownProtection(RunRef PEX_RUNDOWN_REF) {
	atMost(irql.APC)
	mayBecome(&aRundown, unsafe.Pointer(RunRef))
	RunRef.Init()
}

// ExReInitializeRundownProtection makes RunRef ready again after it was run down.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExReInitializeRundownProtection function (wdm.h)"
func ExReInitializeRundownProtection(RunRef PEX_RUNDOWN_REF) {
	atMostWith(irql.APC, &aRundown, unsafe.Pointer(RunRef))
	RunRef.Reinit()
}

// ExAcquireRundownProtection keeps the object alive and returns true, or returns
// false if it is being run down.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExAcquireRundownProtection function (wdm.h)"
func ExAcquireRundownProtection(RunRef PEX_RUNDOWN_REF) BOOLEAN {
	atMostWith(irql.Dispatch, &aRundown, unsafe.Pointer(RunRef))
	return RunRef.Acquire()
}

// ExAcquireRundownProtectionEx is ExAcquireRundownProtection Count times.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExAcquireRundownProtectionEx function (wdm.h)"
func ExAcquireRundownProtectionEx(RunRef PEX_RUNDOWN_REF, Count ULONG) BOOLEAN {
	atMostWith(irql.Dispatch, &aRundown, unsafe.Pointer(RunRef))
	return RunRef.AcquireMany(Count)
}

// ExReleaseRundownProtection undoes ExAcquireRundownProtection.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExReleaseRundownProtection function (wdm.h)"
func ExReleaseRundownProtection(RunRef PEX_RUNDOWN_REF) {
	atMostWith(irql.Dispatch, &aRundown, unsafe.Pointer(RunRef))
	RunRef.Release()
}

// ExReleaseRundownProtectionEx is ExReleaseRundownProtection Count times.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExReleaseRundownProtectionEx function (wdm.h)"
func ExReleaseRundownProtectionEx(RunRef PEX_RUNDOWN_REF, Count ULONG) {
	atMostWith(irql.Dispatch, &aRundown, unsafe.Pointer(RunRef))
	RunRef.ReleaseMany(Count)
}

// ExWaitForRundownProtectionRelease refuses further users and returns when those
// there are have left.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExWaitForRundownProtectionRelease function (wdm.h)"
func ExWaitForRundownProtectionRelease(RunRef PEX_RUNDOWN_REF) {
	atMostWith(irql.APC, &aRundown, unsafe.Pointer(RunRef))
	RunRef.Wait()
}

// ExRundownCompleted makes RunRef as it is after it was run down.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExRundownCompleted function (wdm.h)"
func ExRundownCompleted(RunRef PEX_RUNDOWN_REF) {
	atMostWith(irql.APC, &aRundown, unsafe.Pointer(RunRef))
	RunRef.Completed()
}
