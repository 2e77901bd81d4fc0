package intr

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/irql"
)

// SetActive lets a connected interrupt happen, or not for a while
// (IoReportInterruptActive, IoReportInterruptInactive): its routine is not called
// then, and its line is masked unless an active interrupt shares it. When it
// returns after making the interrupt inactive, the routine does not run.
//
// IRQL: <= DISPATCH_LEVEL
func (i *Interrupt) SetActive(on bool) {
	o := activation{i, on}
	if arch.InKernel() {
		setActive(unsafe.Pointer(&o))
	} else {
		arch.Gate(setActive, unsafe.Pointer(&o))
	}
}

type activation struct {
	object *Interrupt
	on     bool
}

func setActive(arg unsafe.Pointer) {
	o := (*activation)(arg)
	i := o.object
	irql.AssertAtMost(irql.Dispatch)
	old := i.lock.AcquireTo(i.synchronize)
	i.connected = i.linked && o.on
	i.lock.ReleaseTo(old)
	if i.line < 0 {
		return
	}
	old = table.AcquireTo(irql.High)
	switch {
	case !i.linked:
	case o.on:
		board.ConnectLine(int(i.line), uintptr(i.level), i.cpu)
	case !i.lineActive():
		board.DisconnectLine(int(i.line))
	}
	table.ReleaseTo(old)
}

// lineActive reports whether an interrupt of the same line is active. Table's lock
// held.
func (i *Interrupt) lineActive() bool {
	for n := range chains {
		for p := chains[n].first; p != 0; p = at(p).next {
			if o := at(p); o.line == i.line && o.connected {
				return true
			}
		}
	}
	return false
}
