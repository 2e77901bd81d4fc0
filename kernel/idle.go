package kernel

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/dpc"
	"irqlab/irql"
)

// idleThreads need no pool: they exist before it does.
var idleThreads [arch.MaxCPUs]threadObject

// InitIdle gives a processor its idle thread, which runs fn(id) on the given
// stack once the processor switches to it.
func InitIdle(id uint32, lo, hi uintptr, fn func(uintptr)) {
	t := &idleThreads[id].Thread
	t.init(lo, hi)
	t.BasePriority, t.Priority = 0, 0
	t.State = StateRunning
	t.Affinity = 1 << id
	t.CPU, t.Ideal = id, id
	copy(t.Name[:], "idle")
	initProcessor(id, t)
	processors[id].clock.idle = true
	dpc.SetIdle(id, true)
	t.Context.PrepareKernel(fn, uintptr(id))
	arch.CPUs[id].Context = &t.Context
}

// bootContexts are left for ever when a processor launches.
var bootContexts [arch.MaxCPUs]arch.Context

// Launch continues as the running processor's idle thread, on its own stack.
//
// IRQL: HIGH_LEVEL
func Launch(id uint32) {
	lockDatabase() // released by Started, as after any first switch
	p := &processors[id]
	arch.Switch(&bootContexts[id], &p.idle.Context, &p.times.account, &p.idle.Cycles)
}

// Idle waits for interrupts for ever; the dispatch interrupt switches away when
// a thread is ready.
//
// IRQL: PASSIVE_LEVEL
func Idle() {
	arch.DisableInterrupts()
	for {
		if id := arch.ThisCPU().ID; dpc.Pending(id) {
			board.RequestSelf(uintptr(irql.Dispatch)) // nobody else will
		}
		arch.Halt()
	}
}

// threadedDPC has, for each processor, what its thread for threaded DPCs waits
// for.
var threadedDPC [arch.MaxCPUs]Header

// threadDPCs is the thread for threaded DPCs of a processor.
func threadDPCs(cpu uintptr) {
	for {
		threadedDPC[cpu].Wait(nil, false, KernelMode)
		dpc.DrainThread(uint32(cpu))
	}
}

func wakeThreadDPCs(cpu uint32) { SignalHeader(&threadedDPC[cpu], 0) }

// StartThreads starts the kernel's own threads. Boot processor, once.
func StartThreads() {
	for i := range arch.NumCPUs {
		threadedDPC[i].Init(TypeSynchronizationEvent, unsafe.Sizeof(Header{}), 0)
		t, ok := NewKernelThread(threadDPCs, uintptr(i), MaxPriority, "threaded DPC")
		if !ok {
			return // they stay ordinary DPCs
		}
		t.Affinity = 1 << i
		t.CPU, t.Ideal = i, i
		Ready(t)
	}
	dpc.WakeThread = wakeThreadDPCs
	startBalanceSet()
}
