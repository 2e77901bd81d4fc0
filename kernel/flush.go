package kernel

import (
	"unsafe"

	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/pool"
)

// flush is a barrier behind all queued DPCs and what its caller waits for.
type flush struct {
	barrier dpc.Barrier
	passed  Header
}

const flushTag pool.Tag = 'F' | 'l'<<8 | 's'<<16 | 'h'<<24

// FlushDPCs returns when every DPC queued before the call, on any processor,
// has finished (KeFlushQueuedDpcs). Kernel context.
//
// IRQL: PASSIVE_LEVEL
func FlushDPCs() ntstatus.Status {
	irql.AssertAtMost(irql.Passive)
	p := pool.Alloc(unsafe.Sizeof(flush{}), flushTag)
	if p == nil {
		return ntstatus.NoResources
	}
	f := (*flush)(p)
	f.passed.Init(TypeSynchronizationEvent, unsafe.Sizeof(Header{}), 0)
	f.barrier.Begin(flushed)
	f.passed.Wait(nil, false, KernelMode)
	pool.Free(p, flushTag)
	return ntstatus.Success
}

// flushed is called by the last marker; the barrier is the flush's first field.
func flushed(b *dpc.Barrier) { SignalHeader(&(*flush)(unsafe.Pointer(b)).passed, 0) }
