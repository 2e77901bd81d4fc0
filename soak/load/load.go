// Package load is the part of the soak that runs in kernel context: workers
// that use every service of the kernel at once and count what they do. When
// they have stopped, all counts must add up. It is resident code.
//
// Each worker is a kernel thread with a random generator of its own, so that a
// run on one processor under -icount repeats.
package load

import (
	"sync/atomic"

	"irqlab/arch"
	"irqlab/kernel"
)

// Worker is one source of load. Those with a Body are kernel threads; the
// others are the Go program's, and are here to be watched.
type Worker struct {
	Name   string
	body   func(w *Worker)
	steps  uint64 // atomic; grows for as long as the worker gets on
	random uint64
	thread *kernel.Thread
}

const maxWorkers = 64

var (
	workers  [maxWorkers]Worker
	nworkers uint32
	stopped  uint32 // atomic
)

func numCPUs() uint32 { return arch.NumCPUs }

// Register adds a worker of the Go program, between Init and Start.
func Register(name string) *Worker {
	w := &workers[nworkers]
	nworkers++
	w.Name = name
	return w
}

// Step says that the worker has got on.
func (w *Worker) Step() { atomic.AddUint64(&w.steps, 1) }

// Steps returns how often it has.
func (w *Worker) Steps() uint64 { return atomic.LoadUint64(&w.steps) }

// Workers calls fn for each worker.
func Workers(fn func(*Worker)) {
	for i := range nworkers {
		fn(&workers[i])
	}
}

// Stopping reports whether the workers are to end.
func Stopping() bool { return atomic.LoadUint32(&stopped) != 0 }

// bodies are the kernel threads' jobs, copies of some included.
var bodies = [...]struct {
	name string
	body func(*Worker)
}{
	{"DPC", deferrer}, {"DPC", deferrer},
	{"timer", oneShot}, {"timer", oneShot},
	{"periodic timer", periodic},
	{"mutex", mutexHolder}, {"mutex", mutexHolder},
	{"producer", producer}, {"producer", producer},
	{"consumer", consumer}, {"consumer", consumer}, {"consumer", consumer},
	{"ping", pinger}, {"pong", ponger},
	{"wait all", waitAll}, {"wait any", waitAny}, {"signals", signaller},
	{"alert", alerter}, {"sleeper", sleeper}, {"alerted", alertable},
	{"IPI", broadcaster},
	{"interrupt", triggerer}, {"interrupt", triggerer},
	{"pool", allocator}, {"pool", allocator},
	{"thread", creator},
	{"spin lock", spinner}, {"spin lock", spinner},
	{"priority", shuffler},
}

// Init prepares what the workers share, the Go program's too.
//
// IRQL: PASSIVE_LEVEL
func Init() {
	var a kernel.Args
	kernel.Enter(initialize, &a)
}

func initialize(*kernel.Args) {
	initDeferred()
	initMutex()
	initSemaphore()
	initEvents()
	initInterrupts()
}

// Start starts the workers and the watchdog. It reports false if there is no
// memory for their threads.
//
// IRQL: PASSIVE_LEVEL
func Start(seed uint64) bool {
	a := kernel.Args{A: uintptr(seed)}
	kernel.EnterBlocking(start, &a)
	return a.R != 0
}

func start(a *kernel.Args) {
	first := nworkers
	for i := range bodies {
		w := &workers[nworkers]
		nworkers++
		w.Name, w.body = bodies[i].name, bodies[i].body
	}
	for i := range nworkers {
		// Any seed gives every worker a state of its own, and none gives 0.
		workers[i].random = (uint64(a.A)+uint64(i)+1)*0x9E3779B97F4A7C15 | 1
	}
	for i := first; i < nworkers; i++ {
		if workers[i].thread = thread(work, uintptr(i), kernel.DefaultPriority); workers[i].thread == nil {
			return
		}
	}
	watchdog = thread(watch, 0, kernel.MaxPriority)
	if watchdog == nil {
		return
	}
	for i := first; i < nworkers; i++ {
		kernel.Ready(workers[i].thread)
	}
	kernel.Ready(watchdog)
	a.R = 1
}

// thread makes a thread and keeps a reference to it.
func thread(fn func(uintptr), arg uintptr, priority int8) *kernel.Thread {
	t, ok := kernel.NewKernelThread(fn, arg, priority, threadName)
	if !ok {
		return nil
	}
	t.Reference() // nobody else knows it yet
	return t
}

const threadName = "soak"

func work(i uintptr) {
	w := &workers[i]
	for !Stopping() {
		w.body(w)
		w.Step()
	}
	kernel.Exit(0)
}

// Stop ends the workers and waits for them and for all that they have queued.
//
// IRQL: PASSIVE_LEVEL
func Stop() {
	var a kernel.Args
	kernel.EnterBlocking(stop, &a)
}

func stop(*kernel.Args) {
	atomic.StoreUint32(&stopped, 1)
	for i := range nworkers {
		if t := workers[i].thread; t != nil {
			join(t)
		}
	}
	join(watchdog)
	kernel.FlushDPCs()
	disconnect()
	settle()
}

// join waits for the end of a thread and drops the reference to it.
func join(t *kernel.Thread) {
	t.Header.Wait(nil, false, kernel.KernelMode)
	old := kernel.LockDispatcher()
	leftAlerted = leftAlerted || t.Alerted[kernel.KernelMode]
	t.Dereference()
	kernel.UnlockDispatcher(old)
}

// rand returns a number below n (xorshift64).
func (w *Worker) rand(n uint64) uint64 {
	x := w.random
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	w.random = x
	return (x >> 11) % n
}

// pause lets others run: a worker's threads must not fill the machine.
func (w *Worker) pause() {
	switch w.rand(8) {
	case 0:
		kernel.Yield()
	case 1:
		kernel.Delay(0, false, kernel.KernelMode)
	case 2, 3:
		w.nap()
	}
}

// nap sleeps for up to 2 ms.
func (w *Worker) nap() {
	kernel.Delay(-int64(w.rand(2*kernel.Millisecond)), false, kernel.KernelMode)
}

// Sum is a count that must equal another when all workers have stopped.
type Sum struct {
	Name      string
	Want, Got uint64
}

// Holds reports whether it does.
func (s *Sum) Holds() bool { return s.Want == s.Got }

// Sums calls fn for each.
func Sums(fn func(Sum)) {
	sumDeferred(fn)
	sumTimers(fn)
	sumMutex(fn)
	sumSemaphore(fn)
	sumEvents(fn)
	sumInterrupts(fn)
	sumPool(fn)
	sumThreads(fn)
	sumSpin(fn)
}
