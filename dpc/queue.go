package dpc

import (
	"sync/atomic"
	"unsafe"

	"irqlab/irql"
	"irqlab/list"
	"irqlab/sync/spin"
)

// queue holds the ordinary or the threaded DPCs of one processor.
type queue struct {
	lock     spin.Lock
	entries  list.Entry
	depth    uint32 // written atomically, with the lock held
	inserted uint64 // DPCs ever linked
}

// acquire masks everything and takes the queue's lock. Kernel context.
func (q *queue) acquire() irql.Level {
	old := irql.Current()
	irql.Set(irql.High)
	q.lock.AcquireAtDpc()
	return old
}

// release ends what acquire began.
func (q *queue) release(old irql.Level) {
	q.lock.ReleaseFromDpc()
	irql.Set(old)
}

// claim makes q the queue of d unless d is in one already, perhaps another
// processor's. The caller holds q's lock, so whoever sees the claim and takes
// that lock finds d linked.
func (q *queue) claim(d *Object) bool {
	return atomic.CompareAndSwapUintptr(&d.Data, 0, q.address())
}

func (q *queue) address() uintptr { return uintptr(unsafe.Pointer(q)) }

// link puts a claimed object where its importance wants it.
func (q *queue) link(d *Object, arg1, arg2 unsafe.Pointer) {
	d.Arg1, d.Arg2 = arg1, arg2
	if d.Importance == High {
		q.entries.InsertHead(&d.Entry)
	} else {
		q.entries.InsertTail(&d.Entry)
	}
	q.inserted++
	// The caller reads the processor's idle flag next, and the idle thread goes
	// the other way round (SetIdle): the store must not be put off, which takes
	// an exchange (see docs/caveats.md, Hardware).
	atomic.AddUint32(&q.depth, 1)
}

// unlink takes d out if it is in q.
func (q *queue) unlink(d *Object) bool {
	if atomic.LoadUintptr(&d.Data) != q.address() {
		return false
	}
	d.Entry.Remove()
	atomic.StoreUint32(&q.depth, q.depth-1)
	atomic.StoreUintptr(&d.Data, 0)
	return true
}

// call is a DPC about to run. The object itself may be queued again, freed or
// changed from here on.
type call struct {
	object              *Object
	routine             uintptr
	context, arg1, arg2 unsafe.Pointer
}

// take unlinks the first object and reports whether there was one.
func (q *queue) take(c *call) bool {
	e := q.entries.Flink
	if e == &q.entries {
		return false
	}
	e.Remove()
	d := (*Object)(e.Container(offset))
	c.object, c.routine = d, d.Routine
	c.context, c.arg1, c.arg2 = d.Context, d.Arg1, d.Arg2
	atomic.StoreUint32(&q.depth, q.depth-1)
	atomic.StoreUintptr(&d.Data, 0)
	return true
}

// find returns the first queued object that lies in [lo, hi), or whose routine
// does.
func (q *queue) find(lo, hi uintptr) *Object {
	for e := q.entries.Flink; e != &q.entries; e = e.Flink {
		d := (*Object)(e.Container(offset))
		a := uintptr(unsafe.Pointer(d))
		if a < hi && a+size > lo || lo <= d.Routine && d.Routine < hi {
			return d
		}
	}
	return nil
}

// Limits of the rules below, as Windows and ReactOS have them.
const (
	maximumDepth  = 4  // DPCs that may wait before a deferred importance is served
	minimumRate   = 3  // requests a tick below which a low importance is served at once
	idealRate     = 20 // requests a tick below which waiting longer does not pay
	adjustPeriods = 20 // ticks without work after which the depth limit recovers
)

// demand decides when a processor's ordinary DPCs are served at once and when
// they wait for company ("Organization of DPC Queues").
type demand struct {
	active    bool // the processor serves the queue and will look at it again
	requested bool // a DISPATCH interrupt is on its way

	maximum uint32 // depth limit, between 1 and maximumDepth
	rate    uint64 // requests a tick, averaged
	last    uint64 // inserted at the last tick
	adjust  uint32 // ticks until the depth limit recovers
}

func (m *demand) init() { m.maximum, m.adjust = maximumDepth, adjustPeriods }

// wants reports whether a DPC just linked needs a DISPATCH interrupt, which the
// caller then requests.
//
//	importance   same processor                     another processor
//	low          depth limit reached or rate low    depth limit reached or idle
//	medium       always                             depth limit reached or idle
//	medium-high  always                             always
//	high         always                             always
func (m *demand) wants(i Importance, depth uint32, same, idle bool) bool {
	if m.active || m.requested {
		return false
	}
	switch {
	case i == High, i == MediumHigh:
	case depth >= m.maximum:
	case same:
		if i == Low && m.rate >= minimumRate {
			return false
		}
	case !idle:
		return false
	}
	m.requested = true
	return true
}

// tick updates the rate and the depth limit once a clock tick, and reports
// whether DPCs that nobody asked for must be served now.
func (m *demand) tick(inserted uint64, depth uint32) bool {
	m.rate = (inserted - m.last + m.rate) / 2
	m.last = inserted
	if depth > 0 && !m.active && !m.requested {
		m.requested = true
		m.adjust = adjustPeriods
		if m.rate < idealRate && m.maximum > 1 {
			m.maximum--
		}
		return true
	}
	if m.adjust--; m.adjust == 0 {
		m.adjust = adjustPeriods
		if m.maximum < maximumDepth {
			m.maximum++
		}
	}
	return false
}
