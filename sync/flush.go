package sync

import (
	"runtime"
	"unsafe"

	"irqlab/dpc"
	"irqlab/kernel"
	"irqlab/ntstatus"
)

// FlushDPCs returns when every DPC that was queued before the call, on any
// processor, has finished (KeFlushQueuedDpcs). DPCs queued meanwhile are not
// waited for. It raises STATUS_INSUFFICIENT_RESOURCES when out of memory.
//
// IRQL: PASSIVE_LEVEL
func FlushDPCs() {
	var a kernel.Args
	kernel.EnterBlocking(flush, &a)
	if s := ntstatus.Status(int32(a.R)); s != ntstatus.Success {
		kernel.RaiseStatus(s)
	}
}

func flush(a *kernel.Args) { a.R = uintptr(uint32(kernel.FlushDPCs())) }

// CallGenericDPC runs the routine in a DPC on every processor, and returns when
// each has called kernel.GenericCall.Done (KeGenericCallDpc). It raises
// STATUS_INSUFFICIENT_RESOURCES when out of memory.
//
// IRQL: <= APC_LEVEL
func CallGenericDPC(routine dpc.Routine, context unsafe.Pointer) {
	a := kernel.Args{P: context, A: *(*uintptr)(unsafe.Pointer(&routine))}
	kernel.EnterBlocking(callGeneric, &a)
	runtime.KeepAlive(routine)
	runtime.KeepAlive(context)
	if s := ntstatus.Status(int32(a.R)); s != ntstatus.Success {
		kernel.RaiseStatus(s)
	}
}

func callGeneric(a *kernel.Args) {
	a.R = uintptr(uint32(kernel.CallGenericDPC(*(*dpc.Routine)(unsafe.Pointer(&a.A)), a.P)))
}
