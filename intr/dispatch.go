package intr

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/irql"
)

// Stats counts a processor's device interrupts. (What time they take, package
// kernel knows.)
type Stats struct {
	Count     uint64
	Unclaimed uint64 // no routine said it was its device's
	_         [6]uint64
}

// stats are the processors' counts; only the processor itself writes them.
var stats [arch.MaxCPUs]Stats

// Essentials calls add for the memory that says what the processors did; see package
// kernel.
func Essentials(add func(va, n uintptr)) {
	add(uintptr(unsafe.Pointer(&stats)), unsafe.Sizeof(stats))
}

// Statistics returns the processor's counts.
//
// IRQL: any
func Statistics(cpu uint32) Stats { return stats[cpu] }

// Event is a moment in the life of an interrupt that Hook is told of.
type Event uint8

const (
	Entered Event = iota
	Exited
)

// Hook, if not nil, is called before and after every service routine: the one
// place that tracing needs. It must be a top-level resident function.
var Hook func(e Event, i *Interrupt)

// Dispatch runs the service routines of a vector. The processor is at the
// vector's level, on its interrupt stack, with interrupts enabled.
//
// IRQL: level
//
// Routines are called in order until one claims the interrupt. A shared latched
// line needs more: an edge that came while another device was being served makes
// no further interrupt, so all are asked again until a whole round finds nothing.
func Dispatch(cpu *arch.CPU, v board.Vector, level irql.Level) {
	s := &stats[cpu.ID%arch.MaxCPUs]
	atomic.AddUint64(&s.Count, 1) // interrupts nest
	c := chainOf(v)
	atomic.AddUint32(&c.active, 1)
	claimed := false
rounds:
	for again := true; again; {
		again = false
		for i := at(atomic.LoadUintptr(&c.first)); i != nil; i = at(atomic.LoadUintptr(&i.next)) {
			if i.vector != v || !i.call(level) {
				continue
			}
			claimed = true
			if i.mode == LevelSensitive {
				break rounds
			}
			again = again || i.shared
		}
	}
	atomic.AddUint32(&c.active, ^uint32(0))
	if !claimed {
		s.Unclaimed++
	}
}

// call runs the service routine.
func (i *Interrupt) call(level irql.Level) (claimed bool) {
	if i.synchronize > level {
		irql.Set(i.synchronize)
	}
	i.lock.AcquireAtDpc()
	if i.connected {
		i.entered()
		claimed = (*(*Routine)(unsafe.Pointer(&i.routine)))(i, i.context)
		if now := irql.Current(); now != i.synchronize {
			i.returnedAt(now, i.routine)
		}
		i.exited(claimed)
	}
	i.lock.ReleaseFromDpc()
	if i.synchronize > level {
		irql.Set(level)
	}
	return claimed
}

// entered and exited are where every service routine passes.
func (i *Interrupt) entered() {
	i.count++
	if Hook != nil {
		Hook(Entered, i)
	}
}

func (i *Interrupt) exited(claimed bool) {
	if claimed {
		i.claimed++
	}
	if Hook != nil {
		Hook(Exited, i)
	}
}
