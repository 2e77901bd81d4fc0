//go:build !irqlab

package kernel

import (
	"irqlab/arch"
	"irqlab/dpc"
	"irqlab/irql"
)

// What follows lets the dispatcher run on the host, on simulated processors; see
// arch.Machine and package internal/explore.

// SimulateProcessors makes n processors that run their idle threads.
func SimulateProcessors(n uint32) {
	arch.NumCPUs = n
	arch.DispatcherLock = 0
	for i := range n {
		idleThreads[i], processors[i] = threadObject{}, processor{}
		t := &idleThreads[i].Thread
		t.init(0, 0)
		t.BasePriority, t.Priority = 0, 0
		t.State = StateRunning
		t.Affinity = 1 << i
		t.CPU, t.Ideal = i, i
		arch.CPUs[i] = arch.CPU{Self: &arch.CPUs[i], ID: i, Context: &t.Context}
		initProcessor(i, t)
		processors[i].clock.idle = true
		dpc.SetIdle(i, true)
	}
}

// EndSimulation forgets the processors and their threads, whose stacks are gone.
func EndSimulation() {
	for i := range arch.NumCPUs {
		idleThreads[i], simulated[i] = threadObject{}, threadObject{}
		processors[i], arch.CPUs[i] = processor{}, arch.CPU{}
	}
}

// SimulatedThread makes a thread that stays on one processor, in a critical
// region as those that use locks are.
func SimulatedThread(cpu uint32) *Thread {
	simulated[cpu] = threadObject{}
	t := &simulated[cpu].Thread
	t.init(0, 0)
	t.Affinity = 1 << cpu
	t.CPU, t.Ideal = cpu, cpu
	t.Locked = true
	t.KernelAPCs = -1
	return t
}

var simulated [arch.MaxCPUs]threadObject

// ReadySimulated makes threads ready, none of which runs before all are.
func ReadySimulated(threads []*Thread) {
	irql.Set(irql.Dispatch)
	for _, t := range threads {
		Ready(t)
	}
	irql.Set(irql.Passive)
}

// EndSimulated ends the running thread. It does not return.
func EndSimulated() {
	LockDispatcher()
	p := this()
	p.current.quit()
	p.current.State = StateTerminated
	p.switchTo(p.next(0))
}

// HasWork reports whether a processor has something to run: a thread, or, while
// it idles, a thread to switch to.
func HasWork(cpu uint32) bool {
	p := &processors[cpu]
	return p.current != p.idle || p.preempt
}

// Idling reports whether a processor runs its idle thread.
func Idling(cpu uint32) bool { return processors[cpu].current == processors[cpu].idle }

// Interruptible reports whether an interrupt of a level would come through to the
// thread that runs; that of APC_LEVEL is a special kernel APC of the thread.
func Interruptible(l irql.Level) bool {
	t := this().current
	return irql.Current() < l && t != this().idle && (l != irql.APC || t.SpecialAPCs == 0)
}

// TakeInterrupt is what the DISPATCH interrupt does for an idle processor.
func TakeInterrupt() {
	old := LockDispatcher()
	UnlockDispatcher(old)
}

// IdleContext returns the context of a processor's idle thread.
func IdleContext(cpu uint32) *arch.Context { return &processors[cpu].idle.Context }
