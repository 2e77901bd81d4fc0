package sync

import (
	"unsafe"

	"irqlab/kernel"
)

// eventIncrement is the boost of a thread that is handed a lock
// (EVENT_INCREMENT).
const eventIncrement = 1

// park waits for a lock's event, which whoever hands over the lock sets.
//
// IRQL: <= APC_LEVEL
func park(e *Event) {
	a := kernel.Args{P: unsafe.Pointer(e)}
	kernel.EnterBlocking(parked, &a)
}

func parked(a *kernel.Args) { (*Event)(a.P).Header.Wait(nil, false, kernel.KernelMode) }
