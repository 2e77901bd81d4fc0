package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/sync/spin"
)

// EX_SPIN_LOCK is four bytes of resident memory, zero while free.
type (
	EX_SPIN_LOCK  = spin.Shared
	PEX_SPIN_LOCK = *EX_SPIN_LOCK
)

// ExAcquireSpinLockShared raises to DISPATCH_LEVEL, takes the lock together with others
// and returns the level before.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExAcquireSpinLockShared function (wdm.h)"
func ExAcquireSpinLockShared(SpinLock PEX_SPIN_LOCK) KIRQL {
	mustBe(&aSharedSpin, unsafe.Pointer(SpinLock))
	return SpinLock.AcquireShared()
}

// ExReleaseSpinLockShared ends what ExAcquireSpinLockShared began.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "ExReleaseSpinLockShared function (wdm.h)"
func ExReleaseSpinLockShared(SpinLock PEX_SPIN_LOCK, OldIrql KIRQL) {
	mustBe(&aSharedSpin, unsafe.Pointer(SpinLock))
	SpinLock.ReleaseShared(OldIrql)
}

// ExAcquireSpinLockSharedAtDpcLevel takes the lock at the level in force.
//
// IRQL: >= DISPATCH_LEVEL
//
// Documentation: "ExAcquireSpinLockSharedAtDpcLevel function (wdm.h)"
func ExAcquireSpinLockSharedAtDpcLevel(SpinLock PEX_SPIN_LOCK) {
	mustBe(&aSharedSpin, unsafe.Pointer(SpinLock))
	SpinLock.AcquireSharedAtDpc()
}

// ExReleaseSpinLockSharedFromDpcLevel frees the lock and leaves the level alone.
//
// IRQL: >= DISPATCH_LEVEL
//
// Documentation: "ExReleaseSpinLockSharedFromDpcLevel function (wdm.h)"
func ExReleaseSpinLockSharedFromDpcLevel(SpinLock PEX_SPIN_LOCK) {
	mustBe(&aSharedSpin, unsafe.Pointer(SpinLock))
	SpinLock.ReleaseSharedFromDpc()
}

// ExAcquireSpinLockExclusive raises to DISPATCH_LEVEL, takes the lock for this processor alone
// and returns the level before.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExAcquireSpinLockExclusive function (wdm.h)"
func ExAcquireSpinLockExclusive(SpinLock PEX_SPIN_LOCK) KIRQL {
	mustBe(&aSharedSpin, unsafe.Pointer(SpinLock))
	return SpinLock.AcquireExclusive()
}

// ExReleaseSpinLockExclusive ends what ExAcquireSpinLockExclusive began.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "ExReleaseSpinLockExclusive function (wdm.h)"
func ExReleaseSpinLockExclusive(SpinLock PEX_SPIN_LOCK, OldIrql KIRQL) {
	mustBe(&aSharedSpin, unsafe.Pointer(SpinLock))
	SpinLock.ReleaseExclusive(OldIrql)
}

// ExAcquireSpinLockExclusiveAtDpcLevel takes the lock at the level in force.
//
// IRQL: >= DISPATCH_LEVEL
//
// Documentation: "ExAcquireSpinLockExclusiveAtDpcLevel function (wdm.h)"
func ExAcquireSpinLockExclusiveAtDpcLevel(SpinLock PEX_SPIN_LOCK) {
	mustBe(&aSharedSpin, unsafe.Pointer(SpinLock))
	SpinLock.AcquireExclusiveAtDpc()
}

// ExReleaseSpinLockExclusiveFromDpcLevel frees the lock and leaves the level alone.
//
// IRQL: >= DISPATCH_LEVEL
//
// Documentation: "ExReleaseSpinLockExclusiveFromDpcLevel function (wdm.h)"
func ExReleaseSpinLockExclusiveFromDpcLevel(SpinLock PEX_SPIN_LOCK) {
	mustBe(&aSharedSpin, unsafe.Pointer(SpinLock))
	SpinLock.ReleaseExclusiveFromDpc()
}

// ExTryConvertSharedSpinLockExclusive makes the caller's shared hold exclusive
// if it is the only one and nobody waits for exclusive access, and reports
// whether it did.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "ExTryConvertSharedSpinLockExclusive function (wdm.h)"
func ExTryConvertSharedSpinLockExclusive(SpinLock PEX_SPIN_LOCK) BOOLEAN {
	exactly(irql.Dispatch)
	mustBe(&aSharedSpin, unsafe.Pointer(SpinLock))
	return SpinLock.TryConvert()
}
