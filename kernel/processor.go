package kernel

import (
	"math/bits"
	"unsafe"

	"irqlab/arch"
	"irqlab/dpc"
	"irqlab/list"
)

// processor is what the dispatcher keeps per processor (the KPRCB's part).
// Guarded by the dispatcher lock, except where noted.
type processor struct {
	// What has to be done before the dispatcher lock is released. The fast path
	// of package arch knows that these two are in front.
	preempt bool // a ready thread here should replace current
	rearm   bool // the clock's deadline may have moved

	dispatching bool // the dispatch interrupt is being served; own processor only
	quantumEnd  bool // current used up its quantum; own processor only

	id      uint32
	current *Thread
	idle    *Thread

	summary uint32         // bit n: ready[n] has threads
	ready   [32]list.Entry // ready queues by priority

	timers timerTable
	clock  clock
	times  Times

	reap *Thread // switched away from for the last time; its stack is free now
}

var processors [arch.MaxCPUs]processor

// Booted reports whether the kernel runs below this program. A test of the same
// packages on a host has none.
func Booted() bool { return processors[0].idle != nil }

// this returns the running processor's state. DISPATCH_LEVEL or above.
func this() *processor { return (*processor)(arch.Dispatcher()) }

// initProcessor prepares the running processor; idle becomes its idle thread.
func initProcessor(id uint32, idle *Thread) {
	p := &processors[id]
	p.id = id
	arch.CPUs[id].Dispatcher = unsafe.Pointer(p)
	for i := range p.ready {
		p.ready[i].Init()
	}
	p.timers.init()
	dpc.Start(id)
	p.idle = idle
	p.current = idle
	p.times.account.Last = arch.Counter()
	p.times.account.Bucket = &idle.Cycles
}

// enqueue puts t at the end of the ready queue of its priority.
func (p *processor) enqueue(t *Thread) {
	p.ready[t.Priority&MaxPriority].InsertTail(&t.Queue)
	p.enqueued(t)
}

// enqueueFirst puts t at the head of the ready queue of its priority.
func (p *processor) enqueueFirst(t *Thread) {
	p.ready[t.Priority&MaxPriority].InsertHead(&t.Queue)
	p.enqueued(t)
}

func (p *processor) enqueued(t *Thread) {
	p.summary |= bit(t.Priority)
	t.State = StateReady
	t.CPU = p.id
}

// dequeue takes a ready thread out of its queue.
func (p *processor) dequeue(t *Thread) {
	if t.Queue.Remove() {
		p.summary &^= bit(t.Priority)
	}
}

// bit is the bit of a priority in a summary. The mask spares the compiler what a
// shift by more would take.
func bit(priority int8) uint32 { return 1 << (uint8(priority) & MaxPriority) }

// highest returns the highest priority with a ready thread, or -1.
func (p *processor) highest() int { return bits.Len32(p.summary) - 1 }

// below returns the highest priority below another with a ready thread, or -1.
func (p *processor) below(priority int) int {
	return bits.Len32(p.summary&(1<<uint(priority&MaxPriority)-1)) - 1
}
