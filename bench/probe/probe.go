// Package probe is the part of the benchmarks that runs in kernel context: the
// operations of drivers and of the kernel itself, measured by a kernel thread,
// without the Go runtime in between. It is resident code.
package probe

import (
	"irqlab/arch"
	"irqlab/kernel"
)

// Op is an operation to measure. Run does it n times and returns the guest
// instructions that took, the loop included, or the sum of n latencies. Before
// and After, if not nil, surround all rounds.
type Op struct {
	Before, After func()
	Run           func(n int) uint64
}

// Rounds is how often an operation is measured. The caller takes the median, so
// that a clock interrupt in one of them does not count.
const Rounds = 9

// Priority is that of the threads that measure: above what Go's own threads
// have, so that these do not come in between, and variable, so that what the
// dispatcher does for such threads is counted.
const Priority = 12

// job is the measurement under way.
var job struct {
	op     *Op
	n      int
	rounds [Rounds]uint64
}

// Measure runs the operation in a kernel thread and returns what each round of
// n took. It reports false if there is no memory for the thread.
//
// IRQL: PASSIVE_LEVEL
func Measure(op *Op, n int) ([Rounds]uint64, bool) {
	job.op, job.n = op, n
	var a kernel.Args
	kernel.EnterBlocking(run, &a)
	return job.rounds, a.R != 0
}

// run starts the measuring thread and waits for its end.
func run(a *kernel.Args) {
	t := start(measure)
	if t == nil {
		return
	}
	join(t)
	a.R = 1
}

func measure(uintptr) {
	if job.op.Before != nil {
		job.op.Before()
	}
	for i := range job.rounds {
		job.rounds[i] = job.op.Run(job.n)
	}
	if job.op.After != nil {
		job.op.After()
	}
	kernel.Exit(0)
}

// start starts a kernel thread and returns a reference to it.
func start(fn func(uintptr)) *kernel.Thread {
	t, ok := kernel.NewKernelThread(fn, 0, Priority, "bench")
	if !ok {
		return nil
	}
	t.Reference() // nobody else knows it yet
	kernel.Ready(t)
	return t
}

// join waits until the thread has ended, and drops the reference.
func join(t *kernel.Thread) {
	t.Header.Wait(nil, false, kernel.KernelMode)
	old := kernel.LockDispatcher()
	t.Dereference()
	kernel.UnlockDispatcher(old)
}

// Loop is the cost of the loop in the other operations.
var Loop = Op{Run: func(n int) uint64 {
	t := arch.Cycles()
	for range n {
		nothing()
	}
	return arch.Cycles() - t
}}

// nothing keeps the loop from being optimized into a countdown; the compiler
// inlines it away.
func nothing() {}

// Clock is the cost of reading the counter, which a latency contains once.
var Clock = Op{Run: func(n int) uint64 {
	sum := uint64(0)
	for range n {
		t := arch.Cycles()
		sum += arch.Cycles() - t
	}
	return sum
}}
