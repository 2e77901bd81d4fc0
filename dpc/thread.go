package dpc

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
)

// WakeThread wakes a processor's DPC thread, which then calls DrainThread. It
// is set once those threads exist; while it is nil, threaded DPCs are disabled
// and run as ordinary ones.
//
// IRQL: called at DISPATCH_LEVEL, on the processor itself
var WakeThread func(cpu uint32)

// DrainThread runs all DPCs of the processor's threaded queue. The processor's
// DPC thread calls it each time it is woken, and never leaves that processor.
//
// IRQL: PASSIVE_LEVEL
func DrainThread(cpu uint32) {
	p := &processors[cpu]
	var c call
	for p.nextThreaded(&c) {
		started(cpu, &c)
		p.threadRuns = uintptr(unsafe.Pointer(arch.ThisContext()))
		(*(*Routine)(unsafe.Pointer(&c.routine)))(c.object, c.context, c.arg1, c.arg2)
		if level := irql.Current(); level != irql.Passive {
			returnedAt(level, irql.Passive, &c)
		}
		p.threadRuns = 0
		ended(cpu, &c)
	}
}

// ExecutingThreaded reports whether the running thread is in the routine of a
// threaded DPC.
//
// IRQL: any
func ExecutingThreaded() bool {
	return processors[arch.ThisCPU().ID].threadRuns == uintptr(unsafe.Pointer(arch.ThisContext()))
}

func (p *processor) nextThreaded(c *call) bool {
	old := p.threaded.acquire()
	ok := p.threaded.take(c)
	p.threadBusy = ok
	p.threaded.release(old)
	return ok
}
