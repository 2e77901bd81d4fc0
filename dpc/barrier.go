package dpc

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
)

// Barrier finds out when all DPCs queued before a moment have finished
// (KeFlushQueuedDpcs). It puts a marker at the end of every queue: when a
// marker runs, all DPCs that were in front of it have. DPCs queued later are
// not waited for.
//
// It lies in nonpaged pool, and may be freed or used again once done was
// called.
type Barrier struct {
	left    uint32
	done    uintptr // func(*Barrier)
	markers [2 * arch.MaxCPUs]Object
}

// Begin places the markers. Done, a top-level resident function, is called at
// DISPATCH_LEVEL or in a DPC thread when the last of them has run, perhaps
// before Begin returns.
//
// IRQL: <= DISPATCH_LEVEL
func (b *Barrier) Begin(done func(*Barrier)) {
	n := atomic.LoadUint32(&arch.NumCPUs)
	b.done = *(*uintptr)(unsafe.Pointer(&done))
	b.left = 2 * n
	for cpu := range n {
		ordinary, threaded := &b.markers[2*cpu], &b.markers[2*cpu+1]
		ordinary.Init(passed, unsafe.Pointer(b))
		threaded.InitThreaded(passed, unsafe.Pointer(b))
		for _, d := range [...]*Object{ordinary, threaded} {
			d.SetTarget(cpu)
			d.SetImportance(MediumHigh)
			d.Insert(nil, nil)
		}
	}
}

// passed is the routine of the markers.
func passed(_ *Object, context, _, _ unsafe.Pointer) {
	b := (*Barrier)(context)
	done := b.done // the last marker to count may free b
	if atomic.AddUint32(&b.left, ^uint32(0)) == 0 {
		(*(*func(*Barrier))(unsafe.Pointer(&done)))(b)
	}
}
