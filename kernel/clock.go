package kernel

import (
	"irqlab/arch"
	"irqlab/board"
	"irqlab/dpc"
	"irqlab/fault"
	"irqlab/irql"
)

// Quantum accounting as in NT: a tick takes three units, and a thread starts
// with two ticks' worth.
const (
	quantumTick  = 3
	quantumReset = 2 * quantumTick
)

// idleLimit bounds a sleep without a timer: ARM64 under -icount needs its timer
// armed.
const idleLimit = 10 * Second

// clock is a processor's clock interrupt: one-shot, armed for the next tick
// while a thread runs and for the next timer always.
type clock struct {
	idle     bool
	busy     uint64 // ticks that came while the processor did something
	nextTick uint64 // interrupt time
	armed    uint64 // interrupt time the hardware is set to; 0 while it is not
	retry    uint64 // interrupt time to try again to inject a call; 0 for none
	Ticks    uint64
}

// later reports whether the clock interrupt will come only after an interrupt
// time.
func (c *clock) later(t uint64) bool { return c.armed == 0 || c.armed > t }

// arm sets the hardware for whatever comes first. DISPATCH_LEVEL, lock not
// held.
func (p *processor) arm() {
	now := InterruptTime()
	due := now + idleLimit
	if !p.clock.idle {
		if p.clock.nextTick <= now {
			p.clock.nextTick = now + TimeIncrement
		}
		due = p.clock.nextTick
	}
	if t := p.timers.due; t < due {
		due = max(t, now)
	}
	if t := p.current; t.LockBoost && t.lentUntil < due {
		due = max(t.lentUntil, now)
	}
	if t := p.clock.retry; t != 0 && t < due {
		due = max(t, now)
	}
	if due == p.clock.armed {
		return
	}
	p.clock.armed = due
	setTimer(due)
}

// OnClock, if set, is called by the clock interrupts of all processors, a few
// times a second while a thread runs: for what must be looked after even when the
// dispatcher does not get to run.
//
// IRQL: CLOCK_LEVEL
var OnClock func()

// clockLook is how many clock interrupts of a busy processor there are to a call
// of OnClock.
const clockLook = 16

// ClockInterrupt accounts for the time since the last one and requests the
// dispatch interrupt when there is something for it to do. It touches nothing
// that the dispatcher lock guards but the running thread's quantum, which only
// this processor changes. interrupted is the level it came at.
//
// IRQL: CLOCK_LEVEL
func ClockInterrupt(interrupted irql.Level) {
	p := this()
	if fault.Now(fault.Spurious) {
		board.RequestSelf(uintptr(irql.DeviceMax))
	}
	now := InterruptTime()
	p.clock.armed, p.clock.retry = 0, 0
	p.clock.Ticks++
	if OnClock != nil && (p.clock.idle || p.clock.Ticks%clockLook == 0) {
		OnClock()
	}
	// Another processor's request to look may have been lost.
	want := p.timers.due <= now || p.current.lent(now) || p.preempt
	// A routine that keeps an idle processor busy is watched from the first clock
	// interrupt on that finds it, at most idleLimit after it has begun.
	busy := !p.clock.idle || interrupted >= irql.Dispatch
	if busy && p.clock.nextTick <= now {
		p.clock.nextTick = now + TimeIncrement
		p.clock.busy++
		if t := p.current; p.clock.idle {
			// its quantum does not end
		} else if t.Quantum > quantumTick {
			t.Quantum -= quantumTick
		} else {
			p.quantumEnd = true
			want = true
		}
		dpc.Tick(interrupted)
	}
	if want {
		board.RequestDispatch(arch.ThisCPU())
	}
	due := now + idleLimit
	if busy {
		due = p.clock.nextTick
	}
	if t := p.timers.due; t > now && t < due {
		due = t
	}
	if t := p.current; t.LockBoost && t.lentUntil > now && t.lentUntil < due {
		due = t.lentUntil
	}
	p.clock.armed = due
	setTimer(due)
}

// BusyTicks returns how many clock ticks this processor has seen while it did
// something. What takes so many of them has been executed for that long: a
// processor that its host does not let run sees one at most.
//
// IRQL: >= DISPATCH_LEVEL
func BusyTicks() uint64 { return this().clock.busy }

// setTimer has the clock interrupt come at an interrupt time.
func setTimer(due uint64) {
	if fault.Now(fault.Late) {
		due += Second / fault.LateBy
	}
	board.SetTimer(counterAt(due))
}

// DispatchInterrupt is the software interrupt at DISPATCH_LEVEL: timers that
// came due, deferred routines, then the end of a quantum or a preemption. It
// runs on the interrupted thread's kernel stack, so that it can switch there.
//
// IRQL: DISPATCH_LEVEL, interrupts enabled
func DispatchInterrupt() {
	p := this()
	p.dispatching = true
	dpc.Fell(p.id)
	if p.timers.due <= InterruptTime() {
		lockDatabase()
		p.timers.expire(InterruptTime())
		p.rearm = true
		p.unlock()
	}
	for dpc.Pending(p.id) {
		arch.DisableInterrupts()
		was := p.times.account.Bucket
		p.times.chargeDisabled(&p.times.Deferred)
		arch.CallOn(&arch.CPUs[p.id].Deferred, dpc.Drain, uintptr(p.id))
		p.times.chargeDisabled(was)
		arch.EnableInterrupts()
	}
	p.dispatching = false
	// What others want of this processor they say before they interrupt it.
	if p.preempt || p.quantumEnd || p.current.LockBoost {
		p.redispatch()
	}
}

// redispatch gives the processor to another thread if the running one's quantum
// or boost has ended, or a better one is ready. DISPATCH_LEVEL.
func (p *processor) redispatch() {
	lockDatabase()
	if p.quantumEnd {
		p.quantumEnd = false
		p.endQuantum()
		p = this()
	}
	if t := p.current; t.lent(InterruptTime()) {
		// It was let in front; now it goes to where it would be without that.
		t.endBoost()
		if p.rotate() {
			p = this()
		}
	}
	if p.preempt {
		p.reschedule()
		p = this()
	}
	p.unlock()
}

// endQuantum gives the running thread a fresh quantum, lets a boost decay by
// one, and passes the processor on if another thread of its priority waits.
func (p *processor) endQuantum() {
	t := p.current
	if t == p.idle {
		return
	}
	t.Quantum = quantumReset
	t.decay()
	p.rotate()
}
