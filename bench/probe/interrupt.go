package probe

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/dpc"
	"irqlab/intr"
	"irqlab/irql"
	"irqlab/kernel"
)

// device is the level of the interrupt, a software vector of this processor.
const device irql.Level = 5

var (
	interrupt intr.Interrupt
	deferred  dpc.Object
	from      uint64 // arch.Cycles where a latency begins
	sum       uint64 // of the latencies of a round
)

func connect(isr intr.Routine) {
	interrupt.Init(&intr.Config{Routine: isr, Line: -1, Level: device, Mode: intr.Latched})
	interrupt.Connect()
}

func disconnect() { interrupt.Disconnect() }

// trigger makes the interrupt pending under a mask and removes the mask, so
// that the controller's registers are not part of the latency.
func trigger() {
	old := irql.Raise(device)
	board.RequestSelf(uintptr(device))
	from = arch.Cycles()
	irql.Lower(old)
}

func triggers(n int) uint64 {
	sum = 0
	for range n {
		trigger()
	}
	return sum
}

// Interrupt is the latency from the lowering of the mask to the service
// routine's first instruction.
var Interrupt = Op{
	Before: func() { connect(service) },
	Run:    triggers,
	After:  disconnect,
}

func service(*intr.Interrupt, unsafe.Pointer) bool {
	sum += arch.Cycles() - from
	return true
}

// Deferred is the latency from a service routine that queues a DPC to that
// DPC's first instruction.
var Deferred = Op{
	Before: func() {
		deferred.Init(arrive, nil)
		connect(queue)
	},
	Run:   triggers,
	After: disconnect,
}

func queue(*intr.Interrupt, unsafe.Pointer) bool {
	from = arch.Cycles()
	deferred.Insert(nil, nil)
	return true
}

func arrive(_ *dpc.Object, _, _, _ unsafe.Pointer) { sum += arch.Cycles() - from }

// Wake is the latency from a service routine, by a DPC that sets an event, to
// the thread that waits for the event.
var Wake = Op{
	Before: func() {
		ping.InitSynchronization(false)
		pong.InitSynchronization(false)
		deferred.Init(wake, nil)
		connect(queue)
		startPartner(idleTrigger)
	},
	Run: func(n int) uint64 {
		sum = 0
		for range n {
			pong.Set(0)
			ping.Wait(nil, false, kernel.KernelMode)
			sum += arch.Cycles() - from
		}
		return sum
	},
	After: func() {
		stop = true
		pong.Set(0)
		join(partner)
		disconnect()
	},
}

// idleTrigger triggers the interrupt while the measuring thread waits.
func idleTrigger(uintptr) {
	for {
		pong.Wait(nil, false, kernel.KernelMode)
		if stop {
			break
		}
		trigger()
	}
	kernel.Exit(0)
}

func wake(*dpc.Object, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) { ping.Set(1) }
