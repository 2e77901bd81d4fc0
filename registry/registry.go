// Package registry keeps alive what kernel objects refer to on the Go heap: the
// closure and the context of a deferred routine or an interrupt service
// routine. The objects lie in nonpaged pool, which the garbage collector does
// not see, so the references must be held on the Go side as well, for as long
// as the object can use them.
//
// An entry is found by its object's address. It ends when the object is
// initialised again, or when the pool block that holds it is freed. A routine
// that is a top-level function, and a context that is not on the Go heap, need
// no entry.
//
// Entries are claimed with compare-and-swap, so no lock is taken and the level
// does not matter. Only Go code of a thread may add one that is needed: storing
// a heap pointer takes the write barrier, and that takes a P.
package registry

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/mm"
	"irqlab/pool"
)

// slot is one object's entry. Its pointers are written by the thread that
// claimed it and stay when the entry ends, until the slot is claimed again:
// kernel context, where entries may end, can't write them.
type slot struct {
	object           atomic.Uintptr // address, or one of the marks
	routine, context unsafe.Pointer
}

// Marks of slots without an object. Searches end at a slot that was never used.
const (
	unused = 0
	ended  = 1
)

const (
	chunkSlots = 128
	maxChunks  = 64
	spare      = 32 // free slots to keep, for those who can't allocate
)

// chunk is a hash table with linear probing.
type chunk [chunkSlots]slot

var (
	first  chunk
	chunks = [maxChunks]atomic.Pointer[chunk]{}
	used   atomic.Int32 // slots with an object
	size   atomic.Int32 // slots
)

func init() {
	chunks[0].Store(&first)
	size.Store(chunkSlots)
	pool.OnFree(forget)
}

// Hold keeps what routine and context point to alive on behalf of the object,
// in place of what it held before. Routine is the word of a func value.
//
// IRQL: any; below DISPATCH_LEVEL now and then, so that the table can grow. In
// kernel context only for what needs no entry.
func Hold(object, routine, context unsafe.Pointer) {
	addr := uintptr(object)
	needed := onHeap(routine) || onHeap(context)
	if needed && arch.InKernel() {
		bugcheck.StopBecause("kernel code gave an object a closure or a context on the Go heap; only Go code of a thread may, a DPC or an ISR must use top-level functions",
			bugcheck.TimerOrDPCInvalid, 2, addr, uintptr(routine), uintptr(context))
	}
	s := find(addr)
	switch {
	case !needed:
		if s != nil {
			s.end()
		}
		return
	case s == nil:
		s = claim(addr)
	}
	s.routine, s.context = routine, context
}

// onHeap reports whether the garbage collector could free what p points to.
func onHeap(p unsafe.Pointer) bool { return mm.InAreas(uintptr(p)) }

// Held returns how many objects have an entry.
//
// IRQL: any
func Held() int { return int(used.Load()) }

func hash(addr uintptr) uintptr { return addr >> 3 * 0x9E3779B97F4A7C15 >> 57 % chunkSlots }

// find returns the object's slot, or nil.
func find(addr uintptr) *slot {
	if used.Load() == 0 {
		return nil
	}
	for i := range chunks {
		c := chunks[i].Load()
		if c == nil {
			break
		}
		if s := c.find(addr); s != nil {
			return s
		}
	}
	return nil
}

func (c *chunk) find(addr uintptr) *slot {
	h := hash(addr)
	for i := range uintptr(chunkSlots) {
		s := &c[(h+i)%chunkSlots]
		switch s.object.Load() {
		case addr:
			return s
		case unused:
			return nil
		}
	}
	return nil
}

// claim returns a slot for an object that has none.
func claim(addr uintptr) *slot {
	if used.Load()+spare > size.Load() && irql.Current() < irql.Dispatch {
		grow()
	}
	for i := range chunks {
		c := chunks[i].Load()
		if c == nil {
			break
		}
		if s := c.claim(addr); s != nil {
			used.Add(1)
			return s
		}
	}
	bugcheck.StopBecause("no room to keep a closure or context alive: too many were given to objects at DISPATCH_LEVEL or above",
		bugcheck.NoPagesAvailable, 0, uintptr(size.Load()), uintptr(used.Load()), addr)
	return nil
}

func (c *chunk) claim(addr uintptr) *slot {
	h := hash(addr)
	for i := range uintptr(chunkSlots) {
		s := &c[(h+i)%chunkSlots]
		if v := s.object.Load(); v <= ended && s.object.CompareAndSwap(v, addr) {
			return s
		}
	}
	return nil
}

// grow adds a chunk. Losing a race for the place leaves the table larger than
// this caller made it, which is as good.
func grow() {
	for i := range chunks {
		if chunks[i].Load() == nil {
			if chunks[i].CompareAndSwap(nil, new(chunk)) {
				size.Add(chunkSlots)
			}
			return
		}
	}
}

func (s *slot) end() {
	s.object.Store(ended)
	used.Add(-1)
}

// forget ends the entries of all objects in [lo, hi), which is about to be
// freed.
//
// IRQL: <= DISPATCH_LEVEL, mostly in kernel context
func forget(lo, hi uintptr) {
	if used.Load() == 0 {
		return
	}
	if hi-lo <= 64*8 {
		for a := (lo + 7) &^ 7; a < hi; a += 8 {
			if s := find(a); s != nil {
				s.end()
			}
		}
		return
	}
	for i := range chunks {
		c := chunks[i].Load()
		if c == nil {
			return
		}
		for j := range c {
			if a := c[j].object.Load(); a >= lo && a < hi {
				c[j].end()
			}
		}
	}
}
