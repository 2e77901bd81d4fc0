package dpc

import (
	"sync/atomic"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/irql"
)

// Stats counts what a processor's ordinary DPCs did. Times are in ticks of
// arch.Counter and include the interrupts that came in between.
type Stats struct {
	Run            uint64  // routines called
	Time           uint64  // in all
	Longest        uint64  // of one call
	LongestRoutine uintptr // that took longest
}

// Running is the DPC that a processor executes.
type Running struct {
	Start   uint64  // arch.Counter when it was called
	Routine uintptr // 0: none
}

// Depth returns how many ordinary and threaded DPCs wait on the processor, and
// how many ordinary ones it ever got.
//
// IRQL: any
func Depth(cpu uint32) (ordinary, threaded uint32, inserted uint64) {
	p := &processors[cpu]
	return atomic.LoadUint32(&p.ordinary.depth), atomic.LoadUint32(&p.threaded.depth), p.ordinary.inserted
}

// Statistics returns the processor's counts.
//
// IRQL: any
func Statistics(cpu uint32) Stats { return processors[cpu].stats }

// RunningOn returns the DPC that the processor executes.
//
// IRQL: any
func RunningOn(cpu uint32) Running { return processors[cpu].running }

// Executing reports whether this processor is in an ordinary DPC routine, or in
// an interrupt that came meanwhile (KeIsExecutingDpc).
//
// IRQL: >= DISPATCH_LEVEL
func Executing() bool { return processors[arch.ThisCPU().ID].running.Routine != 0 }

// Event is a moment in the life of a DPC that Hook is told of.
type Event uint8

const (
	Started Event = iota
	Ended
)

// Hook, if not nil, is called before and after every routine: the one place
// that tracing needs. It must be a top-level resident function.
var Hook func(e Event, cpu uint32, d *Object, routine uintptr)

// started and ended are where every routine passes, threaded or not.
func started(cpu uint32, c *call) {
	if Hook != nil {
		Hook(Started, cpu, c.object, c.routine)
	}
}

func ended(cpu uint32, c *call) {
	if Hook != nil {
		Hook(Ended, cpu, c.object, c.routine)
	}
}

// add counts one call that took t.
func (s *Stats) add(t uint64, routine uintptr) {
	s.Run++
	s.Time += t
	if t > s.Longest {
		s.Longest, s.LongestRoutine = t, routine
	}
}

// watch counts clock ticks for the DPC watchdog.
type watch struct {
	single, sum uint32
}

// Limits of the DPC watchdog in clock ticks, 0 for none: for one DPC, and for
// the time that a processor stays at DISPATCH_LEVEL or above. Set at boot.
var (
	SingleLimit uint32
	SumLimit    uint32
)

// Tick does once a clock tick what depends on time: it has DPCs served that
// wait for company, and stops the machine if the watchdog's patience is at its
// end (DPC_WATCHDOG_VIOLATION). The clock interrupt calls it with the level
// that it interrupted.
//
// IRQL: CLOCK_LEVEL
func Tick(interrupted irql.Level) {
	p := &processors[arch.ThisCPU().ID]
	old := p.ordinary.acquire()
	wake := p.demand.tick(p.ordinary.inserted, p.ordinary.depth)
	p.ordinary.release(old)
	if wake {
		board.RequestDispatch(arch.ThisCPU())
	}

	w := &p.watch
	if interrupted < irql.Dispatch {
		w.sum = 0
		return
	}
	if w.sum++; SumLimit != 0 && w.sum > SumLimit {
		violation(1, w.sum, SumLimit)
	}
	if p.running.Routine == 0 {
		return
	}
	if w.single++; SingleLimit != 0 && w.single > SingleLimit {
		violation(0, w.single, SingleLimit)
	}
}

// Fell says that the level was below DISPATCH_LEVEL a moment ago, which clock
// ticks may happen never to see.
//
// IRQL: DISPATCH_LEVEL
func Fell(cpu uint32) { processors[cpu].watch.sum = 0 }

// violation stops the machine. Parameter 1 is 0 for one DPC, whose ticks and
// limit follow, and 1 for the sum, whose limit follows.
func violation(kind uintptr, ticks, limit uint32) {
	if kind == 1 {
		ticks, limit = limit, 0
	}
	bugcheck.Stop(bugcheck.DPCWatchdogViolation, kind, uintptr(ticks), uintptr(limit), 0)
}

// Watchdog is what KeQueryDpcWatchdogInformation tells, in clock ticks.
type Watchdog struct {
	SingleLimit, Single uint32 // one DPC
	SumLimit, Sum       uint32 // time at DISPATCH_LEVEL or above
}

// QueryWatchdog returns how far this processor has used up the watchdog's
// patience, and false where that means nothing: no DPC runs and the level is
// below DISPATCH_LEVEL.
//
// IRQL: any
func QueryWatchdog() (Watchdog, bool) {
	level := irql.Current()
	if level < irql.Dispatch {
		return Watchdog{}, false
	}
	w := &processors[arch.ThisCPU().ID].watch
	return Watchdog{SingleLimit, w.single, SumLimit, w.sum}, true
}

// yieldTicks is after how many clock ticks at DISPATCH_LEVEL ShouldYield says so.
const yieldTicks = 1

// ShouldYield reports whether this processor has been at DISPATCH_LEVEL for so
// long that others need it (KeShouldYieldProcessor): for a clock tick, while
// Windows takes less.
//
// IRQL: DISPATCH_LEVEL
func ShouldYield() bool {
	w := &processors[arch.ThisCPU().ID].watch
	return w.sum >= yieldTicks
}
