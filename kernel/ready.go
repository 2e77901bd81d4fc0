package kernel

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/list"
)

// threadOf returns the thread whose Queue entry e is.
func threadOf(e *list.Entry) *Thread {
	return (*Thread)(e.Container(unsafe.Offsetof(Thread{}.Queue)))
}

// makeReady finds a processor for t and lets it know if it should switch.
// Dispatcher lock held.
func makeReady(t *Thread, head bool) {
	t.ReadyTime = arch.Counter()
	p := &processors[0]
	if arch.NumCPUs > 1 {
		p = choose(t)
	}
	if head {
		p.enqueueFirst(t)
	} else {
		p.enqueue(t)
	}
	if p.current == p.idle || t.Priority > p.current.Priority {
		p.kick()
	}
}

// choose picks the processor t is queued on: an idle one, else the one that
// runs the least of what t may preempt, else the one it ran on last, or its ideal
// one if it may not run there. That one wins ties.
func choose(t *Thread) *processor {
	last := &processors[t.CPU]
	if !t.allowed(t.CPU) {
		last = &processors[t.Ideal]
	}
	best, bestPriority := (*processor)(nil), int8(MaxPriority+1)
	for i := uint32(0); i < arch.NumCPUs; i++ {
		p := &processors[i]
		if !t.allowed(i) || p.current == nil {
			continue
		}
		priority := p.current.Priority
		if p.current == p.idle && p.summary == 0 {
			priority = -1
		}
		if priority < bestPriority || priority == bestPriority && p == last {
			best, bestPriority = p, priority
		}
	}
	if best == nil {
		return last
	}
	if bestPriority >= t.Priority && t.allowed(last.id) {
		return last
	}
	return best
}

// allowed reports whether t may run on processor i.
func (t *Thread) allowed(i uint32) bool { return t.Affinity&(1<<i) != 0 }

// kick makes p look at its ready queues as soon as its level allows.
func (p *processor) kick() {
	if p.preempt {
		return
	}
	p.preempt = true
	if p.id != arch.ThisCPU().ID {
		board.SendIPI(p.id, uintptr(irql.Dispatch))
	}
	// On this processor UnlockDispatcher or the dispatch interrupt acts on it.
}

// next removes and returns the thread that should run on p: the best of its
// own queues, or of another processor's when that has a better one. It returns
// nil if nothing is ready at floor or above.
func (p *processor) next(floor int) *Thread {
	if arch.NumCPUs > 1 {
		return p.nextOfAll(floor)
	}
	best := p.highest()
	if best < 0 || best < floor {
		return nil
	}
	t := threadOf(p.ready[best&MaxPriority].Flink)
	p.dequeue(t)
	return t
}

func (p *processor) nextOfAll(floor int) *Thread {
	var t *Thread
	from, best := p, p.highest()
	for i := uint32(0); i < arch.NumCPUs; i++ {
		q := &processors[i]
		if q == p {
			continue
		}
		// The best of them may have to stay where they are.
		for level := q.highest(); level > best; level = q.below(level) {
			if other := q.first(level, p.id); other != nil {
				t, from, best = other, q, level
			}
		}
	}
	if best < 0 || best < floor {
		return nil
	}
	if from == p {
		t = p.first(best, p.id)
	}
	if t != nil {
		from.dequeue(t)
	}
	return t
}

// first returns the first ready thread of a priority that may run on cpu.
func (p *processor) first(priority int, cpu uint32) *Thread {
	q := &p.ready[priority]
	for e := q.Flink; e != q; e = e.Flink {
		if t := threadOf(e); t.allowed(cpu) {
			return t
		}
	}
	return nil
}

// reschedule gives the processor to the best ready thread if that has a higher
// priority than the running one, which goes to the head of its queue: it was
// preempted. Dispatcher lock held, DISPATCH_LEVEL.
func (p *processor) reschedule() {
	p.preempt = false
	t := p.current
	floor := int(t.Priority) + 1
	if t == p.idle || !t.allowed(p.id) {
		floor = 0
	}
	n := p.next(floor)
	if n == nil {
		if t.allowed(p.id) {
			return
		}
		// Its affinity changed: it must leave.
	}
	if t != p.idle {
		makeReady(t, true)
	}
	p.switchTo(n)
}

// rotate ends the running thread's turn: the next ready thread of the same or
// a higher priority gets the processor, and this one goes to the tail.
func (p *processor) rotate() bool {
	t := p.current
	n := p.next(int(t.Priority))
	if n == nil {
		return false
	}
	makeReady(t, false)
	p.switchTo(n)
	return true
}

// switchTo is the one place where threads change: to n, or to the idle thread
// if that is nil. It returns when the thread that called it runs again, perhaps
// on another processor. Dispatcher lock held, DISPATCH_LEVEL.
func (p *processor) switchTo(n *Thread) {
	p.preempt = false
	if n == nil {
		n = p.idle
	}
	t := p.current
	n.State = StateRunning
	if n == t {
		return
	}
	n.CPU = p.id
	n.Switches++
	if n.LockBoost {
		n.lentUntil = InterruptTime() + uint64(n.lentFor)
		p.rearm = true
	}
	p.current = n
	p.quantumEnd = false
	if (t == p.idle) != (n == p.idle) {
		p.clock.idle = n == p.idle
		dpc.SetIdle(p.id, p.clock.idle)
		p.rearm = true
	}
	if traceSwitch != nil {
		traceSwitch(t, n)
	}
	p = (*processor)(arch.Switch(&t.Context, &n.Context, &p.times.account, &n.Cycles))
	if p.current.APCPending || p.reap != nil {
		p.finishSwitch()
	}
}

// traceSwitch sees every thread switch, when set.
var traceSwitch func(from, to *Thread)

// finishSwitch releases the stack of a thread that ended, and has the one that
// goes on look for APCs as soon as its level allows.
func (p *processor) finishSwitch() {
	if p.current.APCPending {
		board.RequestSelf(uintptr(irql.APC))
	}
	if t := p.reap; t != nil {
		p.reap = nil
		t.release()
	}
}

// Started is the first thing a new thread does: it releases the dispatcher lock
// that the switch left held, and lowers to PASSIVE_LEVEL.
func Started() {
	p := this()
	p.finishSwitch()
	p.unlock()
	irql.Set(irql.Passive)
}
