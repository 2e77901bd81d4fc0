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
func KeEnterCriticalRegion() {
	atMost(irql.APC)
	kernel.EnterCriticalRegion()
}

// KeLeaveCriticalRegion undoes one KeEnterCriticalRegion. Leaving the outermost
// one at PASSIVE_LEVEL delivers the APCs that it held back.
//
// IRQL: <= APC_LEVEL
func KeLeaveCriticalRegion() {
	atMost(irql.APC)
	kernel.LeaveCriticalRegion()
}

// KeEnterGuardedRegion disables all of the thread's APCs until
// KeLeaveGuardedRegion. Regions nest.
//
// IRQL: <= APC_LEVEL
func KeEnterGuardedRegion() {
	atMost(irql.APC)
	kernel.EnterGuardedRegion()
}

// KeLeaveGuardedRegion undoes one KeEnterGuardedRegion. Leaving the outermost
// one at PASSIVE_LEVEL delivers the APCs that it held back.
//
// IRQL: <= APC_LEVEL
func KeLeaveGuardedRegion() {
	atMost(irql.APC)
	kernel.LeaveGuardedRegion()
}

// KeAreApcsDisabled reports whether the thread is in a critical or a guarded
// region, or owns a mutex. The level does not count.
//
// IRQL: <= DISPATCH_LEVEL
func KeAreApcsDisabled() BOOLEAN {
	atMost(irql.Dispatch)
	return kernel.Current().APCsDisabled()
}

// KeAreAllApcsDisabled reports whether the thread is in a guarded region or at
// APC_LEVEL or above.
//
// IRQL: <= DISPATCH_LEVEL
func KeAreAllApcsDisabled() BOOLEAN {
	atMost(irql.Dispatch)
	return kernel.Current().AllAPCsDisabled()
}
