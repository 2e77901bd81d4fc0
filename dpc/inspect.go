package dpc

import (
	"unsafe"

	"irqlab/arch"
)

// Info is a DPC in a queue, for debuggers.
type Info struct {
	Address    uintptr
	Type       Type
	Importance Importance
	Routine    uintptr // address of its code
	Context    uintptr
}

// listing carries a request into kernel context.
type listing struct {
	cpu uint32
	buf []Info
	n   int
}

// List copies the DPCs in a processor's queues to buf, ordinary ones first, in
// the order in which they would run, and returns how many there are.
//
// IRQL: any
func List(cpu uint32, buf []Info) int {
	l := listing{cpu: cpu, buf: buf}
	if arch.InKernel() {
		listQueues(unsafe.Pointer(&l))
	} else {
		arch.Gate(listQueues, unsafe.Pointer(&l))
	}
	return l.n
}

func listQueues(arg unsafe.Pointer) {
	l := (*listing)(arg)
	p := &processors[l.cpu]
	for _, q := range [...]*queue{&p.ordinary, &p.threaded} {
		old := q.acquire()
		for e := q.entries.Flink; e != nil && e != &q.entries; e = e.Flink {
			if l.n < len(l.buf) {
				d := (*Object)(e.Container(offset))
				l.buf[l.n] = Info{uintptr(unsafe.Pointer(d)), d.Type, d.Importance,
					EntryPoint(d.Routine), uintptr(d.Context)}
			}
			l.n++
		}
		q.release(old)
	}
}

// EntryPoint returns the address of a routine's code, given the word of its func
// value.
func EntryPoint(routine uintptr) uintptr {
	if routine == 0 {
		return 0
	}
	return *(*uintptr)(unsafe.Pointer(routine))
}
