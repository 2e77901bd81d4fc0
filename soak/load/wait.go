package load

import (
	"sync/atomic"

	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
)

// mutex guards a plain counter, which threads of the kernel and of Go add to.
var (
	Mutex      sync.Mutex
	MutexCount uint64 // guarded by Mutex
	MutexAdds  uint64 // atomic
)

func initMutex() { Mutex.Init() }

// mutexHolder holds the mutex, at times twice and across other work.
func mutexHolder(w *Worker) {
	var timeout *int64
	short := -int64(w.rand(kernel.Millisecond))
	if w.rand(4) == 0 {
		timeout = &short
	}
	if Mutex.Wait(timeout, false, kernel.KernelMode) != ntstatus.Success {
		return
	}
	again := w.rand(3) == 0
	if again {
		Mutex.Wait(nil, false, kernel.KernelMode)
	}
	n := MutexCount
	if w.rand(16) == 0 {
		w.pause()
	}
	MutexCount = n + 1
	atomic.AddUint64(&MutexAdds, 1)
	if again {
		Mutex.Release()
	}
	Mutex.Release()
	w.pause()
}

func sumMutex(fn func(Sum)) {
	fn(Sum{"count under the mutex", MutexAdds, MutexCount})
}

// units is a semaphore that passes units of work.
var (
	units                 sync.Semaphore
	unitsMade, unitsTaken uint64 // atomic
)

const unitLimit = 1 << 20

func initSemaphore() { units.Init(0, unitLimit) }

func producer(w *Worker) {
	if units.State() < 100 {
		n := 1 + w.rand(4)
		atomic.AddUint64(&unitsMade, n)
		units.Release(1, int32(n))
	}
	w.pause()
}

func consumer(w *Worker) {
	timeout := -int64(w.rand(2 * kernel.Millisecond))
	if units.Wait(&timeout, w.rand(2) == 0, kernel.KernelMode) == ntstatus.Success {
		atomic.AddUint64(&unitsTaken, 1)
	}
}

func sumSemaphore(fn func(Sum)) {
	fn(Sum{"semaphore units", unitsMade, unitsTaken + uint64(units.State())})
}

// Events of three games. Those that count tokens are synchronization events: a
// Set that finds the event not signalled makes a token, and a wait takes it.
var (
	never         sync.Event // is never set
	pingEvent     sync.Event
	pongEvent     sync.Event
	pings, pongs  uint64
	all, any      [3]token
	shared        sync.Semaphore // part of the wait for all
	sharedMade    uint64         // atomic
	allTaken      uint64
	anyTaken      [3]uint64
	alertsMade    uint64 // atomic
	alertsTaken   uint64
	leftAlerted   bool
	wrongStatuses uint64 // atomic
	allObjects    [4]*kernel.Header
	anyObjects    [3]*kernel.Header
	allBlocks     [4]kernel.WaitBlock
)

// token is a synchronization event whose effective signals are counted.
type token struct {
	event sync.Event
	made  uint64 // atomic
}

func (t *token) set() {
	if t.event.Set(1) == 0 {
		atomic.AddUint64(&t.made, 1)
	}
}

func initEvents() {
	never.InitNotification(false)
	pingEvent.InitSynchronization(false)
	pongEvent.InitSynchronization(false)
	for i := range all {
		all[i].event.InitSynchronization(false)
		any[i].event.InitSynchronization(false)
		allObjects[i] = &all[i].event.Header
		anyObjects[i] = &any[i].event.Header
	}
	shared.Init(0, unitLimit)
	allObjects[len(all)] = &shared.Header
}

// pinger and ponger wake each other in turns.
func pinger(w *Worker) {
	w.pause()
	pingEvent.Set(1)
	atomic.AddUint64(&pings, 1)
	for !Stopping() {
		timeout := int64(-100 * kernel.Millisecond)
		if pongEvent.Wait(&timeout, false, kernel.KernelMode) == ntstatus.Success {
			return
		}
	}
}

func ponger(w *Worker) {
	timeout := int64(-100 * kernel.Millisecond)
	if pingEvent.Wait(&timeout, false, kernel.KernelMode) == ntstatus.Success {
		atomic.AddUint64(&pongs, 1)
		pongEvent.Set(1)
	}
}

// waitAll takes three events and a semaphore unit together or not at all.
func waitAll(w *Worker) {
	timeout := -int64(w.rand(5 * kernel.Millisecond))
	switch kernel.WaitMany(&allObjects[0], len(allObjects), kernel.WaitAll, &timeout, false, kernel.KernelMode, &allBlocks[0]) {
	case ntstatus.Success:
		allTaken++
	case ntstatus.Timeout:
	default:
		atomic.AddUint64(&wrongStatuses, 1)
	}
}

func waitAny(w *Worker) {
	timeout := -int64(w.rand(5 * kernel.Millisecond))
	switch s := kernel.WaitMany(&anyObjects[0], len(anyObjects), kernel.WaitAny, &timeout, false, kernel.KernelMode, nil); s {
	case 0, 1, 2:
		anyTaken[s]++
	case ntstatus.Timeout:
	default:
		atomic.AddUint64(&wrongStatuses, 1)
	}
}

// signaller makes tokens for both.
func signaller(w *Worker) {
	switch i := w.rand(8); i {
	case 0, 1, 2:
		all[i].set()
	case 3, 4, 5:
		any[i-3].set()
	default:
		if shared.State() < 100 {
			atomic.AddUint64(&sharedMade, 1)
			shared.Release(1, 1)
		}
	}
	w.pause()
}

// alerter alerts a thread that sleeps alertably: each alert that is not merged
// with one before it ends one wait.
func alerter(w *Worker) {
	if t := alertee(); t != nil && !kernel.Alert(t, kernel.KernelMode) {
		alertsMade++
	}
	w.nap()
}

// alertee returns the thread of the worker that wants alerts.
func alertee() *kernel.Thread {
	for i := range nworkers {
		if workers[i].Name == alertedName {
			return workers[i].thread
		}
	}
	return nil
}

const alertedName = "alerted"

func alertable(w *Worker) {
	switch kernel.Delay(-int64(w.rand(3*kernel.Millisecond)), true, kernel.KernelMode) {
	case ntstatus.Success:
	case ntstatus.Alerted:
		alertsTaken++
	default:
		atomic.AddUint64(&wrongStatuses, 1)
	}
}

// settle takes what is left when the workers have stopped.
func settle() {
	for i := range all {
		allLeft[i] = uint64(all[i].event.State())
		anyTaken[i] += uint64(any[i].event.State())
	}
	if leftAlerted {
		alertsTaken++
	}
}

var allLeft [3]uint64

func sumEvents(fn func(Sum)) {
	fn(Sum{"answers to pings", pings, pongs + uint64(pingEvent.State())})
	for i := range all {
		fn(Sum{"events of a wait for all", all[i].made, allTaken + allLeft[i]})
		fn(Sum{"events of a wait for any", any[i].made, anyTaken[i]})
	}
	fn(Sum{"semaphore units of a wait for all", sharedMade, allTaken + uint64(shared.State())})
	fn(Sum{"alerts", alertsMade, alertsTaken})
	fn(Sum{"waits with a wrong status", 0, wrongStatuses})
}
