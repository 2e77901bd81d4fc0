package sync

import (
	"unsafe"

	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/pool"
)

// flush is a barrier at the end of all DPC queues and who waits for it.
type flush struct {
	barrier dpc.Barrier // first, so that its address is the flush's
	passed  Event
}

const flushTag pool.Tag = 'F' | 'l'<<8 | 's'<<16 | 'h'<<24

// FlushDPCs returns when every DPC that was queued before the call, on any
// processor, has finished (KeFlushQueuedDpcs). DPCs queued meanwhile are not
// waited for. It raises STATUS_INSUFFICIENT_RESOURCES when out of memory.
//
// IRQL: PASSIVE_LEVEL
func FlushDPCs() {
	irql.AssertAtMost(irql.Passive)
	f := (*flush)(pool.Alloc(unsafe.Sizeof(flush{}), flushTag))
	if f == nil {
		kernel.RaiseStatus(ntstatus.NoResources)
	}
	f.passed.InitNotification(false)
	f.barrier.Begin(flushed)
	f.passed.Wait(nil, false, kernel.KernelMode)
	pool.Free(unsafe.Pointer(f), flushTag)
}

func flushed(b *dpc.Barrier) { (*flush)(unsafe.Pointer(b)).passed.Set(0) }
