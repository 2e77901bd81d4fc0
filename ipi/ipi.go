// Package ipi makes other processors do something now: the inter-processor
// interrupt at level IPI (14).
//
// One request is under way at a time, guarded by a lock that is taken at
// DISPATCH_LEVEL or above with interrupts enabled, so a processor that waits
// for it still serves the request before its own.
package ipi

import (
	"sync/atomic"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/irql"
)

var (
	lock    uint32
	routine func(uintptr)
	arg     uintptr
	pending uint32 // processors that have not run routine yet
)

// Broadcast runs fn(arg) at IPI_LEVEL on every other processor and returns when
// all have. fn must be a top-level function of resident code.
//
// IRQL: < IPI_LEVEL
func Broadcast(fn func(uintptr), a uintptr) {
	old := irql.Current()
	if old < irql.Dispatch {
		irql.Set(irql.Dispatch)
	}
	for !atomic.CompareAndSwapUint32(&lock, 0, 1) {
		arch.Pause()
	}
	others := atomic.LoadUint32(&arch.NumCPUs) - 1
	if others != 0 {
		routine, arg = fn, a
		atomic.StoreUint32(&pending, others)
		me := arch.ThisCPU().ID
		for i := uint32(0); i <= others; i++ {
			if i != me {
				board.SendIPI(i, uintptr(irql.IPI))
			}
		}
		for atomic.LoadUint32(&pending) != 0 {
			arch.Pause()
		}
	}
	atomic.StoreUint32(&lock, 0)
	irql.Set(old)
}

// Call runs fn(arg) at IPI_LEVEL on every processor, this one included, and
// returns when all have (KeIpiGenericCall).
//
// IRQL: <= IPI_LEVEL - 1
func Call(fn func(uintptr), a uintptr) {
	old := irql.Current()
	if old < irql.Dispatch {
		irql.Set(irql.Dispatch)
	}
	Broadcast(fn, a)
	l := irql.Current()
	irql.Set(irql.IPI)
	fn(a)
	irql.Set(l)
	irql.Set(old)
}

// Interrupt serves a request. The processor was at the given level.
//
// IRQL: IPI_LEVEL
func Interrupt(interrupted irql.Level) {
	levels[arch.ThisCPU().ID] = interrupted
	if atomic.LoadUint32(&pending) == 0 {
		return
	}
	routine(arg)
	atomic.AddUint32(&pending, ^uint32(0))
}

// FlushTLB drops every translation on all processors.
//
// IRQL: < IPI_LEVEL
func FlushTLB() {
	arch.FlushTLB()
	Broadcast(flush, 0)
}

func flush(uintptr) { arch.FlushTLB() }
