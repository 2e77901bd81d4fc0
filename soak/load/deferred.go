package load

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/dpc"
	"irqlab/intr"
	"irqlab/ipi"
	"irqlab/irql"
	"irqlab/sync/spin"
)

// deferreds are DPCs of every kind: importance, target processor, threaded.
var deferreds [24]deferred

type deferred struct {
	object               dpc.Object
	queued, ran, removed uint64 // atomic
}

func initDeferred() {
	for i := range deferreds {
		d := &deferreds[i]
		if i%4 == 3 {
			d.object.InitThreaded(ran, unsafe.Pointer(d))
		} else {
			d.object.Init(ran, unsafe.Pointer(d))
		}
		d.object.SetImportance(dpc.Importance(i % 4))
		if i%3 != 0 {
			d.object.SetTarget(uint32(i) % numCPUs())
		}
	}
}

func ran(_ *dpc.Object, context, _, _ unsafe.Pointer) {
	atomic.AddUint64(&(*deferred)(context).ran, 1)
	countAtDpc()
}

// deferrer queues and removes DPCs, sometimes at a raised level.
func deferrer(w *Worker) {
	level := irql.Passive
	switch w.rand(4) {
	case 0:
		level = irql.Dispatch
	case 1:
		level = irql.DeviceMax
	}
	old := irql.Raise(level)
	for range w.rand(16) {
		w.insert()
	}
	if w.rand(2) == 0 {
		d := &deferreds[w.rand(uint64(len(deferreds)))]
		if d.object.Remove() {
			atomic.AddUint64(&d.removed, 1)
		}
	}
	irql.Lower(old)
	w.pause()
}

func (w *Worker) insert() { insert(&deferreds[w.rand(uint64(len(deferreds)))]) }

func insert(d *deferred) {
	// Counted before: the routine may run at once.
	atomic.AddUint64(&d.queued, 1)
	if !d.object.Insert(nil, nil) {
		atomic.AddUint64(&d.queued, ^uint64(0))
	}
}

func sumDeferred(fn func(Sum)) {
	var queued, done uint64
	for i := range deferreds {
		d := &deferreds[i]
		queued += d.queued
		done += d.ran + d.removed
	}
	fn(Sum{"DPCs run or removed", queued, done})
}

// broadcasts and hits count inter-processor calls.
var broadcasts, hits uint64

func broadcaster(w *Worker) {
	level := irql.Raise(irql.Level(w.rand(3)))
	if w.rand(2) == 0 {
		ipi.Broadcast(hit, 1)
		atomic.AddUint64(&broadcasts, uint64(numCPUs()-1))
	} else {
		ipi.Call(hit, 1)
		atomic.AddUint64(&broadcasts, uint64(numCPUs()))
	}
	irql.Lower(level)
	w.nap()
}

func hit(n uintptr) { atomic.AddUint64(&hits, uint64(n)) }

// sources are two interrupts of different level that share a lock.
var sources [2]source

type source struct {
	object           intr.Interrupt
	level            irql.Level
	raised, serviced uint64 // atomic
}

var (
	deviceLock            spin.Lock
	device, deviceEntered uint64 // guarded by deviceLock; atomic
)

const highSource irql.Level = 9

func initInterrupts() {
	for i := range sources {
		s := &sources[i]
		s.level = highSource - 4*irql.Level(i)
		s.object.Init(&intr.Config{
			Routine: service, Context: unsafe.Pointer(s), Line: -1,
			Level: s.level, Synchronize: highSource, Mode: intr.Latched, Lock: &deviceLock,
		})
		s.object.Connect()
	}
}

func disconnect() {
	for i := range sources {
		sources[i].object.Disconnect()
	}
}

func service(_ *intr.Interrupt, context unsafe.Pointer) bool {
	s := (*source)(context)
	atomic.AddUint64(&s.serviced, 1)
	bump(nil)
	insert(&deferreds[s.serviced%uint64(len(deferreds))])
	return true
}

// bump counts under deviceLock.
func bump(unsafe.Pointer) uint8 {
	device++
	atomic.AddUint64(&deviceEntered, 1)
	return 0
}

// triggerer interrupts its own processor. Below the interrupt's level a request
// is served before the thread can request another, so none is lost; at it they
// merge.
func triggerer(w *Worker) {
	s := &sources[w.rand(2)]
	for range w.rand(4) {
		atomic.AddUint64(&s.raised, 1)
		board.RequestSelf(uintptr(s.level))
		s.delivered()
	}
	s.object.Synchronize(bump, nil)
	w.pause()
}

// delivered gives a request the few instructions that its delivery takes.
func (s *source) delivered() {
	for range 4 {
		arch.Pause()
	}
}

func sumInterrupts(fn func(Sum)) {
	fn(Sum{"calls between processors", broadcasts, hits})
	for i := range sources {
		fn(Sum{"interrupts serviced", sources[i].raised, sources[i].serviced})
	}
	fn(Sum{"count under the interrupt lock", deviceEntered, device})
}
