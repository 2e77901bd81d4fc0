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
	absent  uint32 // processors that have not come to a Call yet

	progress [arch.MaxCPUs]uint32 // of each processor with the request
)

// A processor's progress.
const (
	called = iota
	came
	done
)

// Broadcast runs fn(arg) at IPI_LEVEL on every other processor and returns when
// all have. fn must be a top-level function of resident code.
//
// IRQL: < IPI_LEVEL
func Broadcast(fn func(uintptr), a uintptr) {
	old := begin()
	post(fn, a)
	await(&pending, done)
	end(old)
}

// Call runs fn(arg) at IPI_LEVEL on every processor, this one included, once all
// of them have come, and returns when all are done (KeIpiGenericCall).
//
// IRQL: < IPI_LEVEL
func Call(fn func(uintptr), a uintptr) {
	old := begin()
	together = fn
	atomic.StoreUint32(&absent, arch.NumCPUs)
	post(meet, a)
	l := irql.Current()
	irql.Set(irql.IPI)
	meet(a)
	irql.Set(l)
	await(&pending, done)
	end(old)
}

// together is what a Call runs.
var together func(uintptr)

func meet(a uintptr) {
	atomic.AddUint32(&absent, ^uint32(0))
	await(&absent, came)
	together(a)
}

// begin waits until no request is under way.
func begin() (old irql.Level) {
	old = irql.Current()
	if old < irql.Dispatch {
		irql.Set(irql.Dispatch)
	}
	for !atomic.CompareAndSwapUint32(&lock, 0, 1) {
		arch.Pause()
	}
	return old
}

func end(old irql.Level) {
	atomic.StoreUint32(&lock, 0)
	irql.Set(old)
}

// post makes a request of the other processors.
func post(fn func(uintptr), a uintptr) {
	routine, arg = fn, a
	clear(progress[:])
	atomic.StoreUint32(&pending, arch.NumCPUs-1)
	me := arch.ThisCPU().ID
	progress[me] = done
	for i := range arch.NumCPUs {
		if i != me {
			board.SendIPI(i, uintptr(irql.IPI))
		}
	}
}

// Patience is how many seconds a processor has to do what it is asked.
var Patience uint64 = 30

// clockHz is how often the clock ticks, for the bug check that counts ticks.
const clockHz = 64

// await returns when a count of processors has fallen to 0, as it does when all
// have made some progress. One that makes none, because it is at IPI_LEVEL or
// above or has interrupts disabled, is bug check CLOCK_WATCHDOG_TIMEOUT.
func await(count *uint32, stage uint32) {
	last, waited := arch.Counter(), uint64(0)
	for atomic.LoadUint32(count) != 0 {
		arch.Pause()
		now := arch.Counter()
		// A longer step is a machine that its host has not run, all of it.
		waited += min(now-last, board.CounterHz()/10)
		last = now
		if waited < Patience*board.CounterHz() {
			continue
		}
		for i := range arch.NumCPUs {
			if atomic.LoadUint32(&progress[i]) < stage {
				bugcheck.Stop(bugcheck.ClockWatchdogTimeout, uintptr(Patience*clockHz), 0,
					uintptr(unsafe.Pointer(&arch.CPUs[i])), uintptr(i))
			}
		}
	}
}

// Interrupt serves a request. The processor was at the given level.
//
// IRQL: IPI_LEVEL
func Interrupt(interrupted irql.Level) {
	me := arch.ThisCPU().ID
	levels[me] = interrupted
	if atomic.LoadUint32(&pending) == 0 {
		return
	}
	atomic.StoreUint32(&progress[me], came)
	routine(arg)
	atomic.StoreUint32(&progress[me], done)
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
