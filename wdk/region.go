package wdk

import (
	"irqlab/irql"
	"irqlab/kernel"
)

// KeEnterCriticalRegion disables the thread's user and normal kernel APCs until
// KeLeaveCriticalRegion. Regions nest, and must be left by the thread that
// entered them, before it ends.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeEnterCriticalRegion function (wdm.h)"
func KeEnterCriticalRegion() {
	atMost(irql.APC)
	kernel.EnterCriticalRegion()
}

// KeLeaveCriticalRegion undoes one KeEnterCriticalRegion. Leaving the outermost
// one at PASSIVE_LEVEL delivers the APCs that it held back.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeLeaveCriticalRegion function (wdm.h)"
func KeLeaveCriticalRegion() {
	atMost(irql.APC)
	kernel.LeaveCriticalRegion()
}

// KeEnterGuardedRegion disables all of the thread's APCs until
// KeLeaveGuardedRegion. Regions nest.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeEnterGuardedRegion function (wdm.h)"
func KeEnterGuardedRegion() {
	atMost(irql.APC)
	kernel.EnterGuardedRegion()
}

// KeLeaveGuardedRegion undoes one KeEnterGuardedRegion. Leaving the outermost
// one at PASSIVE_LEVEL delivers the APCs that it held back.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeLeaveGuardedRegion function (wdm.h)"
func KeLeaveGuardedRegion() {
	atMost(irql.APC)
	kernel.LeaveGuardedRegion()
}

// KeAreApcsDisabled reports whether the thread is in a critical or a guarded
// region, or owns a mutex. The level does not count.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeAreApcsDisabled function (wdm.h)"
func KeAreApcsDisabled() BOOLEAN {
	atMost(irql.Dispatch)
	return kernel.Current().APCsDisabled()
}

// KeAreAllApcsDisabled reports whether the thread is in a guarded region or at
// APC_LEVEL or above.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeAreAllApcsDisabled function (wdm.h)"
func KeAreAllApcsDisabled() BOOLEAN {
	atMost(irql.Dispatch)
	return kernel.Current().AllAPCsDisabled()
}
