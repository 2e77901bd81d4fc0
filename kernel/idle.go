package kernel

import (
	"irqlab/arch"
	"irqlab/board"
	"irqlab/dpc"
	"irqlab/irql"
)

// idleThreads need no pool: they exist before it does.
var idleThreads [arch.MaxCPUs]Thread

// InitIdle gives a processor its idle thread, which runs fn(id) on the given
// stack once the processor switches to it.
func InitIdle(id uint32, lo, hi uintptr, fn func(uintptr)) {
	t := &idleThreads[id]
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
	arch.Switch(&bootContexts[id], &processors[id].idle.Context)
}

// StartThreads starts the kernel's own threads. Boot processor, once.
func StartThreads() {
	StartBalanceSet()
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
