package load

import (
	"sync/atomic"
	"unsafe"

	"irqlab/dpc"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
)

// clockwork is a timer with a DPC that its worker waits for.
type clockwork struct {
	timer    sync.Timer
	deferred dpc.Object
	event    sync.Event
	due      uint64 // interrupt time
}

// clocks are used by the one-shot timers' workers, one each at a time.
var clocks [maxWorkers]clockwork

// Counts of one-shot timers; atomic.
var timersSet, timersFired, timersCancelled, timersEarly, timersHeard uint64

// oneShot sets a timer and either lets it expire or cancels it.
func oneShot(w *Worker) {
	c := &clocks[w.index()]
	c.event.InitSynchronization(false)
	c.deferred.Init(expired, unsafe.Pointer(c))
	switch w.rand(2) {
	case 0:
		c.timer.InitNotification()
	case 1:
		c.timer.InitSynchronization()
	}
	in := w.rand(3 * kernel.Millisecond)
	c.due = kernel.InterruptTime() + in
	c.timer.SetCoalescable(-int64(in), 0, uint32(w.rand(2)), &c.deferred)
	atomic.AddUint64(&timersSet, 1)
	switch w.rand(3) {
	case 0:
		w.nap()
		fallthrough
	case 1:
		if c.timer.Cancel() {
			atomic.AddUint64(&timersCancelled, 1)
			return
		}
	case 2:
		c.timer.Wait(nil, false, kernel.KernelMode)
	}
	c.event.Wait(nil, false, kernel.KernelMode)
	atomic.AddUint64(&timersHeard, 1)
}

func expired(_ *dpc.Object, context, _, _ unsafe.Pointer) {
	c := (*clockwork)(context)
	if kernel.InterruptTime() < c.due {
		atomic.AddUint64(&timersEarly, 1)
	}
	atomic.AddUint64(&timersFired, 1)
	c.event.Set(1)
}

func (w *Worker) index() int {
	return int((uintptr(unsafe.Pointer(w)) - uintptr(unsafe.Pointer(&workers[0]))) / unsafe.Sizeof(workers[0]))
}

// A periodic timer's DPC and its waits, in whole turns: what was counted and
// the most there can have been.
var (
	periodicTimer sync.Timer
	periodicDPC   dpc.Object
	periods       uint64 // atomic
	periodsExcess uint64
)

const (
	period      = 5 // ms
	periodTurns = 20
)

// periodic runs a timer for some periods.
func periodic(w *Worker) {
	atomic.StoreUint64(&periods, 0)
	periodicTimer.InitSynchronization()
	periodicDPC.Init(tick, nil)
	from := kernel.InterruptTime()
	periodicTimer.Set(-period*kernel.Millisecond, period, &periodicDPC)
	waited := uint64(0)
	for range periodTurns {
		periodicTimer.Wait(nil, false, kernel.KernelMode)
		waited++
	}
	periodicTimer.Cancel()
	kernel.FlushDPCs()
	most := (kernel.InterruptTime() - from) / (period * kernel.Millisecond)
	n := atomic.LoadUint64(&periods)
	// A wait takes one expiration, and several that nobody waited for count
	// once.
	if n > most || waited > n {
		periodsExcess++
	}
}

func tick(*dpc.Object, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) {
	atomic.AddUint64(&periods, 1)
}

// sleepsEarly counts delays and waits that ended before their time; atomic.
var sleepsEarly uint64

func sleeper(w *Worker) {
	in := w.rand(4 * kernel.Millisecond)
	until := kernel.InterruptTime() + in
	if w.rand(2) == 0 {
		kernel.Delay(-int64(in), false, kernel.KernelMode)
	} else {
		timeout := -int64(in)
		if never.Wait(&timeout, false, kernel.KernelMode) != ntstatus.Timeout {
			atomic.AddUint64(&sleepsEarly, 1)
		}
	}
	if kernel.InterruptTime() < until {
		atomic.AddUint64(&sleepsEarly, 1)
	}
}

// Delay is a sleep of Go code in the kernel, in units of 100 ns.
func Delay(t int64) {
	a := kernel.Args{A: uintptr(t)}
	kernel.EnterBlocking(delay, &a)
}

func delay(a *kernel.Args) { kernel.Delay(-int64(a.A), false, kernel.KernelMode) }

func sumTimers(fn func(Sum)) {
	fn(Sum{"timers expired or cancelled", timersSet, timersFired + timersCancelled})
	fn(Sum{"expirations heard of", timersFired, timersHeard})
	fn(Sum{"timers early", 0, timersEarly})
	fn(Sum{"periodic timers with a wrong count", 0, periodsExcess})
	fn(Sum{"sleeps early", 0, sleepsEarly})
}
