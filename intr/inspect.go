package intr

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/irql"
)

// Info is a connected interrupt, for debuggers.
type Info struct {
	Address            uintptr
	Vector             board.Vector
	Line               int // -1 for a software vector
	Level, Synchronize irql.Level
	Mode               Mode
	Shared             bool
	CPU                uint32
	Routine            uintptr // address of its code
	Called, Claimed    uint64
}

// listing carries a request into kernel context.
type listing struct {
	buf []Info
	n   int
}

// List copies the connected interrupts to buf, those of one vector in the order
// in which they are asked, and returns how many there are.
//
// IRQL: any
func List(buf []Info) int {
	l := listing{buf: buf}
	if arch.InKernel() {
		listChains(unsafe.Pointer(&l))
	} else {
		arch.Gate(listChains, unsafe.Pointer(&l))
	}
	return l.n
}

func listChains(arg unsafe.Pointer) {
	l := (*listing)(arg)
	old := table.AcquireTo(irql.High)
	for n := range chains {
		for p := chains[n].first; p != 0; p = at(p).next {
			if l.n < len(l.buf) {
				i := at(p)
				l.buf[l.n] = Info{p, i.vector, int(i.line), i.level, i.synchronize, i.mode, i.shared, i.cpu,
					*(*uintptr)(unsafe.Pointer(i.routine)), i.count, i.claimed}
			}
			l.n++
		}
	}
	table.ReleaseTo(old)
}

// Request makes an interrupt of a software vector happen, as a device would.
//
// IRQL: any
func (i *Interrupt) Request() {
	if i.cpu == arch.ThisCPU().ID {
		board.RequestSelf(uintptr(i.level))
	} else {
		board.SendIPI(i.cpu, uintptr(i.level))
	}
}
