package wdk

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/registry"
	"irqlab/sync"
)

// KeInitializeDpc makes Dpc a DPC of medium importance that runs on the
// processor that queues it. A closure and a context on the Go heap stay alive
// as long as the object.
//
// IRQL: any
//
// Documentation: "KeInitializeDpc function (wdm.h)"
func KeInitializeDpc(Dpc PRKDPC, DeferredRoutine PKDEFERRED_ROUTINE, DeferredContext PVOID) {
	mayBecome(&aDPC, unsafe.Pointer(Dpc))
	mustCall(DeferredRoutine)
	hold(unsafe.Pointer(Dpc), DeferredRoutine, DeferredContext)
	Dpc.Init(DeferredRoutine, DeferredContext)
}

// KeInitializeThreadedDpc makes Dpc a threaded DPC: its routine runs at
// PASSIVE_LEVEL in a thread of the highest priority.
//
// IRQL: any
//
// Documentation: "KeInitializeThreadedDpc function (wdm.h)"
func KeInitializeThreadedDpc(Dpc PRKDPC, DeferredRoutine PKDEFERRED_ROUTINE, DeferredContext PVOID) {
	mayBecome(&aDPC, unsafe.Pointer(Dpc))
	mustCall(DeferredRoutine)
	hold(unsafe.Pointer(Dpc), DeferredRoutine, DeferredContext)
	Dpc.InitThreaded(DeferredRoutine, DeferredContext)
}

// hold keeps a routine and its context alive for the object.
func hold[F any](object unsafe.Pointer, routine F, context PVOID) {
	registry.Hold(object, *(*unsafe.Pointer)(unsafe.Pointer(&routine)), context)
}

// KeInsertQueueDpc queues the DPC and reports whether it did: false means that
// it was queued already, and these arguments are forgotten.
//
// IRQL: any
//
// Documentation: "KeInsertQueueDpc function (wdm.h)"
func KeInsertQueueDpc(Dpc PRKDPC, SystemArgument1, SystemArgument2 PVOID) BOOLEAN {
	mustBe(&aDPC, unsafe.Pointer(Dpc))
	return Dpc.Insert(SystemArgument1, SystemArgument2)
}

// KeRemoveQueueDpc takes the DPC out of its queue and reports whether it was in
// one. It does not wait for a routine that runs already.
//
// IRQL: any
//
// Documentation: "KeRemoveQueueDpc function (wdm.h)"
func KeRemoveQueueDpc(Dpc PRKDPC) BOOLEAN {
	mustBe(&aDPC, unsafe.Pointer(Dpc))
	return Dpc.Remove()
}

// KeSetImportanceDpc decides how later inserts queue the DPC.
//
// IRQL: any
//
// Documentation: "KeSetImportanceDpc function (wdm.h)"
func KeSetImportanceDpc(Dpc PRKDPC, Importance KDPC_IMPORTANCE) {
	mustBe(&aDPC, unsafe.Pointer(Dpc))
	Dpc.SetImportance(Importance)
}

// KeSetTargetProcessorDpc makes later inserts queue the DPC on a processor.
//
// IRQL: any
//
// Documentation: "KeSetTargetProcessorDpc function (wdm.h)"
func KeSetTargetProcessorDpc(Dpc PRKDPC, Number CCHAR) {
	mustBe(&aDPC, unsafe.Pointer(Dpc))
	Dpc.SetTarget(uint32(Number))
}

// KeSetTargetProcessorDpcEx is KeSetTargetProcessorDpc with a processor number;
// one that does not exist is STATUS_INVALID_PARAMETER.
//
// IRQL: any
//
// Documentation: "KeSetTargetProcessorDpcEx function (wdm.h)"
func KeSetTargetProcessorDpcEx(Dpc PKDPC, ProcNumber *PROCESSOR_NUMBER) NTSTATUS {
	mustBe(&aDPC, unsafe.Pointer(Dpc))
	mustReach(unsafe.Pointer(ProcNumber), unsafe.Sizeof(*ProcNumber))
	if ProcNumber.Group != 0 || ProcNumber.Reserved != 0 ||
		uint32(ProcNumber.Number) >= atomic.LoadUint32(&arch.NumCPUs) {
		return STATUS_INVALID_PARAMETER
	}
	Dpc.SetTarget(uint32(ProcNumber.Number))
	return STATUS_SUCCESS
}

// KeFlushQueuedDpcs waits until all DPCs queued before the call, on any
// processor, have finished.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "KeFlushQueuedDpcs function (wdm.h)"
func KeFlushQueuedDpcs() {
	atMost(irql.Passive)
	sync.FlushDPCs()
}

// KeIsExecutingDpc reports whether the processor is in a DPC routine.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KeIsExecutingDpc function (wdm.h)"
func KeIsExecutingDpc() BOOLEAN {
	exactly(irql.Dispatch)
	return dpc.Executing()
}
