package wdk

import (
	"math/bits"
	"unsafe"

	"irqlab/board"
	"irqlab/intr"
	"irqlab/irql"
	"irqlab/pool"
)

const interruptTag pool.Tag = 'I' | 'n'<<8 | 't'<<16 | 'r'<<24

// SoftwareVector is the Vector of an interrupt without a line: software raises
// it, at the interrupt's level.
const SoftwareVector = ^ULONG(0)

// IoConnectInterrupt ties ServiceRoutine to an interrupt and stores the
// interrupt object. Vector is a line of the board, or SoftwareVector; Irql is
// the device level, 3 to 12; SynchronizeIrql is the highest level of those that
// share SpinLock, which may be nil. The interrupt is delivered to the first
// processor of ProcessorEnableMask.
//
// It returns STATUS_INVALID_PARAMETER and STATUS_INSUFFICIENT_RESOURCES.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "IoConnectInterrupt function (wdm.h)"
func IoConnectInterrupt(InterruptObject *PKINTERRUPT, ServiceRoutine PKSERVICE_ROUTINE, ServiceContext PVOID, SpinLock PKSPIN_LOCK, Vector ULONG, Irql, SynchronizeIrql KIRQL, InterruptMode KINTERRUPT_MODE, ShareVector BOOLEAN, ProcessorEnableMask KAFFINITY, FloatingSave BOOLEAN) NTSTATUS {
	atMost(irql.Passive)
	mustReach(unsafe.Pointer(InterruptObject), unsafe.Sizeof(*InterruptObject))
	if SpinLock != nil {
		mustBe(&aSpinLock, unsafe.Pointer(SpinLock))
	}
	mustCall(ServiceRoutine)
	*InterruptObject = nil
	ProcessorEnableMask &= KeQueryActiveProcessors()
	if ProcessorEnableMask == 0 || SynchronizeIrql < Irql || SynchronizeIrql > HIGH_LEVEL ||
		Vector >= board.Lines && Vector != SoftwareVector {
		return STATUS_INVALID_PARAMETER
	}
	p := pool.Alloc(unsafe.Sizeof(KINTERRUPT{}), interruptTag)
	if p == nil {
		return STATUS_INSUFFICIENT_RESOURCES
	}
	hold(p, ServiceRoutine, ServiceContext)
	i := PKINTERRUPT(p)
	i.Init(&intr.Config{
		Routine: ServiceRoutine, Context: ServiceContext, Line: int(int32(Vector)),
		Level: Irql, Synchronize: SynchronizeIrql, Mode: InterruptMode, Shared: ShareVector,
		CPU: uint32(bits.TrailingZeros64(uint64(ProcessorEnableMask))), Lock: SpinLock,
	})
	if s := i.Connect(); !NT_SUCCESS(s) {
		pool.Free(p, interruptTag)
		return s
	}
	*InterruptObject = i
	return STATUS_SUCCESS
}

// IoDisconnectInterrupt ends what IoConnectInterrupt began: the service routine
// does not run any more when it returns.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "IoDisconnectInterrupt function (wdm.h)"
func IoDisconnectInterrupt(InterruptObject PKINTERRUPT) {
	atMostWith(irql.Passive, &anInterrupt, unsafe.Pointer(InterruptObject))
	InterruptObject.Disconnect()
	pool.Free(unsafe.Pointer(InterruptObject), interruptTag)
}

// KeSynchronizeExecution runs SynchronizeRoutine at the interrupt's
// SynchronizeIrql with its lock held, so that the service routine does not run
// meanwhile, and returns what it returns.
//
// IRQL: <= the interrupt's SynchronizeIrql
//
// Documentation: "KeSynchronizeExecution function (wdm.h)"
func KeSynchronizeExecution(Interrupt PKINTERRUPT, SynchronizeRoutine PKSYNCHRONIZE_ROUTINE, SynchronizeContext PVOID) BOOLEAN {
	mustBe(&anInterrupt, unsafe.Pointer(Interrupt))
	mustCall(SynchronizeRoutine)
	// A bool and a byte are returned the same way.
	routine := *(*func(PVOID) uint8)(unsafe.Pointer(&SynchronizeRoutine))
	return Interrupt.Synchronize(routine, SynchronizeContext) != 0
}

// KeAcquireInterruptSpinLock raises to the interrupt's SynchronizeIrql, takes its
// lock and returns the level before.
//
// IRQL: <= the interrupt's SynchronizeIrql
//
// Documentation: "KeAcquireInterruptSpinLock function (wdm.h)"
func KeAcquireInterruptSpinLock(Interrupt PKINTERRUPT) KIRQL {
	mustBe(&anInterrupt, unsafe.Pointer(Interrupt))
	return Interrupt.Acquire()
}

// KeReleaseInterruptSpinLock ends what KeAcquireInterruptSpinLock began.
//
// IRQL: the interrupt's SynchronizeIrql
//
// Documentation: "KeReleaseInterruptSpinLock function (wdm.h)"
func KeReleaseInterruptSpinLock(Interrupt PKINTERRUPT, OldIrql KIRQL) {
	mustBe(&anInterrupt, unsafe.Pointer(Interrupt))
	exactly(Interrupt.SynchronizeLevel())
	Interrupt.Release(OldIrql)
}
