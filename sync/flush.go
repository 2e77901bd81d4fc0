package sync

import (
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
