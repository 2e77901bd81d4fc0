// Package ipi makes other processors do something now: the inter-processor
// interrupt at level IPI (14).
//
// One request is under way at a time, guarded by a lock that is taken at
// DISPATCH_LEVEL or above with interrupts enabled, so a processor that waits
// for it still serves the request before its own.
package ipi

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/irql"
)

var (
	lock    uint32
	routine func(uintptr)
	arg     uintptr
	pending uint32 // processors that have not run routine yet

	answered [arch.MaxCPUs]uint32 // 1 for those that have
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
		clear(answered[:])
		atomic.StoreUint32(&pending, others)
		me := arch.ThisCPU().ID
		for i := uint32(0); i <= others; i++ {
			if i != me {
				board.SendIPI(i, uintptr(irql.IPI))
			}
		}
		await()
	}
	atomic.StoreUint32(&lock, 0)
	irql.Set(old)
}

// Patience is how many seconds Broadcast waits for the other processors.
var Patience uint64 = 30

// clockHz is how often the clock ticks, for the bug check that counts ticks.
const clockHz = 64

// await returns when all processors have answered. One that does not, because it
// runs at IPI_LEVEL or above or with interrupts disabled, is bug check
// CLOCK_WATCHDOG_TIMEOUT.
func await() {
	since := arch.Counter()
	for atomic.LoadUint32(&pending) != 0 {
		arch.Pause()
		if arch.Counter()-since < Patience*board.CounterHz() {
			continue
		}
		for i := range arch.NumCPUs {
			if c := &arch.CPUs[i]; i != arch.ThisCPU().ID && atomic.LoadUint32(&answered[i]) == 0 {
				bugcheck.Stop(bugcheck.ClockWatchdogTimeout, uintptr(Patience*clockHz), 0, uintptr(unsafe.Pointer(c)), uintptr(i))
			}
		}
	}
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
	atomic.StoreUint32(&answered[arch.ThisCPU().ID], 1)
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
