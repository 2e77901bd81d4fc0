//go:build amd64 && !irqlab

// Package explore runs the kernel's own dispatcher and locks on the host, on
// simulated processors, and tries all interleavings of a few threads with up to
// a given number of preemptions. Most bugs of synchronization need no more than
// two (Musuvathi and Qadeer, "Iterative Context Bounding for Systematic Testing
// of Multithreaded Programs", PLDI 2007).
//
// Each thread has a processor of its own, so a preemption stands for any moment
// at which one processor gets ahead of another. The points where that can happen
// are those of package chance, which the kernel has at each step of a lock, and
// arch.Pause, where a processor waits for another. A program may have interrupts as
// well: each comes once, at any point where its processor's level lets it.
package explore

import (
	"fmt"
	"math/bits"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"

	"irqlab/arch"
	"irqlab/chance"
	_ "irqlab/entry" // the linker looks for what assembly refers to
	"irqlab/irql"
	"irqlab/kernel"
)

// Program is what is explored: a fresh state, and the threads that work on it, each
// on the processor of its number.
type Program struct {
	Threads    []func(*Run)
	Interrupts []Interrupt
	Check      func() error // of the state at the end
}

// Interrupt is a routine that interrupts a thread: a DPC at DISPATCH_LEVEL, a special
// kernel APC at APC_LEVEL, above that a service routine.
type Interrupt struct {
	CPU     uint32
	Level   irql.Level
	Routine func(*Run)
}

// Run is one execution.
type Run struct {
	machine  arch.Machine
	cpu      uint32
	routines map[*arch.Context]*routine
	waiting  []Interrupt // those that have come have no routine any more
	plan     []choice
	step     int
	options  []uint32 // at each step, what could have run instead, as bits of choice.next
	forced   []bool   // the processor had nothing to run, so any other is free to choose
	ended    int
	threads  int
	pauses   int // of the running processor, without a point in between
	spins    int
	now      int64
	err      error
	over     chan struct{}
	left     sync.WaitGroup // goroutines that are not gone yet
}

// routine is a thread's goroutine. Only the one that has the token runs.
type routine struct {
	token chan struct{}
}

// choice is a preemption: at a step, go on with another processor or, from
// arch.MaxCPUs on, with an interrupt.
type choice struct {
	step int
	next uint32
}

// maxSpins is how often processors may wait for each other, and maxSteps how many
// steps they may take, before the run counts as stuck.
const (
	maxSpins = 10_000
	maxSteps = 10_000
)

// Fail ends the run with an error.
func (r *Run) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// Point is a schedule point of the program's own.
func (r *Run) Point() { r.point() }

// Now is a time stamp.
func (r *Run) Now() int64 {
	r.now++
	return r.now
}

// Explore tries the interleavings of programs made by fresh, and returns how
// many it tried and the first error.
func Explore(preemptions int, fresh func() *Program) (runs int, err error) {
	type todo struct {
		plan []choice
		cost int // preemptions in it
	}
	stack := []todo{{}}
	for len(stack) > 0 {
		plan, cost := stack[len(stack)-1].plan, stack[len(stack)-1].cost
		stack = stack[:len(stack)-1]
		r := execute(fresh(), plan)
		if runs++; runs%1000 == 0 {
			runtime.GC()
		}
		if r.err != nil {
			return runs, fmt.Errorf("with preemptions %v: %w", plan, r.err)
		}
		from := 0
		if len(plan) > 0 {
			from = plan[len(plan)-1].step + 1
		}
		for s := from; s < len(r.options); s++ {
			more := 1
			if r.forced[s] {
				more = 0
			}
			for rest := r.options[s]; rest != 0 && cost+more <= preemptions; rest &= rest - 1 {
				next := choice{s, uint32(bits.TrailingZeros32(rest))}
				stack = append(stack, todo{append(plan[:len(plan):len(plan)], next), cost + more})
			}
		}
	}
	return runs, nil
}

// Try runs a program once. The choices are pairs of a step and a processor that
// goes on there, if it has something to run; any bytes will do.
func Try(p *Program, choices []byte) error {
	var plan []choice
	for i := 0; i+1 < len(choices); i += 2 {
		plan = append(plan, choice{int(choices[i]), uint32(choices[i+1]) % uint32(len(p.Threads))})
	}
	if tries++; tries%1000 == 0 {
		runtime.GC()
	}
	return execute(p, plan).err
}

var tries int

// execute runs a program once, with the given preemptions.
func execute(p *Program, plan []choice) *Run {
	r := &Run{plan: plan, waiting: slices.Clone(p.Interrupts), threads: len(p.Threads), routines: map[*arch.Context]*routine{}, over: make(chan struct{})}
	r.machine = arch.Machine{CPU: func() *arch.CPU { return &arch.CPUs[r.cpu] }, Switch: r.switchTo, Pause: r.pause}
	arch.Simulate(&r.machine)
	n := uint32(len(p.Threads))
	kernel.SimulateProcessors(n)
	var threads []*kernel.Thread
	for i, body := range p.Threads {
		t := kernel.SimulatedThread(uint32(i))
		threads = append(threads, t)
		r.start(&t.Context, func() {
			kernel.Started()
			body(r)
			r.ended++
			kernel.EndSimulated()
		})
	}
	for i := range n {
		r.start(kernel.IdleContext(i), func() {
			if i == 0 {
				chance.Explore(func() {})
				kernel.ReadySimulated(threads)
				chance.Explore(r.point)
			}
			r.idle(i)
		})
	}
	r.routines[kernel.IdleContext(0)].token <- struct{}{}
	<-r.over
	r.left.Wait()
	if r.err == nil {
		r.err = p.Check()
	}
	r.routines = nil
	kernel.EndSimulation()
	return r
}

// start makes a goroutine that waits for the token and then runs fn.
func (r *Run) start(c *arch.Context, fn func()) {
	q := &routine{token: make(chan struct{})}
	r.routines[c] = q
	r.left.Go(func() {
		select {
		case <-q.token:
			grow(1)
			fn()
		case <-r.over:
		}
	})
}

// grow makes the goroutine's stack as large as it will ever have to be: the
// kernel's wait blocks lie on it, so it must not move.
//
//go:noinline
func grow(n byte) byte {
	var room [64 << 10]byte
	room[n] = n
	return room[n/2]
}

// give passes the token from the routine that has it to the one that runs on
// the present processor, and waits to get it back.
func (r *Run) give(me *routine) {
	to := r.routines[arch.CPUs[r.cpu].Context]
	if to == me {
		return
	}
	to.token <- struct{}{}
	r.await(me)
}

// await waits for the token. A routine that is still waiting when the run is
// over ends.
func (r *Run) await(me *routine) {
	select {
	case <-me.token:
	case <-r.over:
		runtime.Goexit()
	}
}

func (r *Run) switchTo(from, _ *arch.Context) { r.give(r.routines[from]) }

// move goes on with another processor.
func (r *Run) move(cpu uint32) {
	me := r.routines[arch.CPUs[r.cpu].Context]
	r.cpu, r.pauses = cpu, 0
	r.give(me)
}

// others is the set of further processors that have something to run.
func (r *Run) others() (set uint32) {
	for i := range arch.NumCPUs {
		if i != r.cpu && kernel.HasWork(i) {
			set |= 1 << i
		}
	}
	return set
}

// interrupts is the set of interrupts that the running processor would take.
func (r *Run) interrupts() (set uint32) {
	for i, x := range r.waiting {
		if x.Routine != nil && x.CPU == r.cpu && kernel.Interruptible(x.Level) {
			set |= 1 << (arch.MaxCPUs + i)
		}
	}
	return set
}

// interrupt runs an interrupt's routine on the stack of the thread that it
// interrupts.
func (r *Run) interrupt(x *Interrupt) {
	routine, old := x.Routine, irql.Current()
	x.Routine = nil
	irql.Set(x.Level)
	routine(r)
	irql.Set(old)
}

// point is a step: the run may go on with another processor, or an interrupt.
func (r *Run) point() {
	if r.step > maxSteps {
		r.Fail("the threads go on and on")
	}
	if r.err != nil {
		r.stop()
	}
	switch next, ok := r.decide(r.others()|r.interrupts(), false); {
	case ok && next >= arch.MaxCPUs:
		r.interrupt(&r.waiting[next-arch.MaxCPUs])
	case ok:
		r.move(next)
	}
}

// decide counts a step and returns what the plan has for it.
func (r *Run) decide(others uint32, forced bool) (next uint32, ok bool) {
	s := r.step
	r.step++
	r.pauses = 0
	r.options, r.forced = append(r.options, others), append(r.forced, forced)
	for _, p := range r.plan {
		if p.step == s && others&(1<<p.next) != 0 {
			return p.next, true
		}
	}
	return 0, false
}

// pause lets another processor run if this one waits for it, which it does when
// it pauses twice in a row: to set the clock takes a pause as well.
func (r *Run) pause() {
	if r.pauses++; r.pauses < 2 {
		return
	}
	if r.spins++; r.spins > maxSpins {
		r.Fail("threads wait for each other without an end")
		r.stop()
	}
	if cpu, ok := r.next(); ok {
		r.move(cpu)
	}
}

// next is the next processor that has something to run, in turn.
func (r *Run) next() (cpu uint32, ok bool) {
	others := r.others()
	for i := uint32(1); i < arch.NumCPUs; i++ {
		if c := (r.cpu + i) % arch.NumCPUs; others&(1<<c) != 0 {
			return c, true
		}
	}
	return 0, false
}

// idle is a processor's idle thread.
func (r *Run) idle(cpu uint32) {
	for {
		next, ok := r.next()
		switch {
		case kernel.HasWork(cpu):
			kernel.TakeInterrupt()
		case ok:
			if other, planned := r.decide(r.others()&^(1<<next), true); planned {
				next = other
			}
			r.move(next)
		default:
			if r.ended != r.threads {
				r.Fail("%d of %d threads wait for ever", r.threads-r.ended, r.threads)
			}
			r.stop()
		}
	}
}

// stop ends the run.
func (r *Run) stop() {
	close(r.over)
	runtime.Goexit()
}

// The garbage collector would shrink stacks, and does not like pointers into
// those of goroutines that are gone: it runs between the runs only.
func init() { debug.SetGCPercent(-1) }

// The local APIC's registers, where the dispatcher sends its interrupts, are a
// page of plain memory here.
func init() {
	const local = 0xFEE00000
	addr, _, errno := syscall.Syscall6(syscall.SYS_MMAP, local, 4096,
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANONYMOUS|syscall.MAP_FIXED, ^uintptr(0), 0)
	if errno != 0 || addr != local {
		panic(fmt.Sprint("no memory at the local APIC's address: ", errno))
	}
}
