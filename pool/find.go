package pool

import (
	"unsafe"

	"irqlab/arch"
)

// Allocation is one that is in use.
type Allocation struct {
	Address, Size uintptr
	Tag           Tag
	By            uintptr // return address of the call that made it, if SetTraced was called
	Paged         bool
}

// search carries Find into kernel context.
type search struct {
	heap  *heap
	match func(Allocation) bool
	buf   []Allocation
	n     int
}

// Find copies the allocations that match to buf, those of nonpaged pool first, and
// returns how many there are. It looks at all of the pool, paged pool included.
// Match is a top-level resident function.
//
// IRQL: <= APC_LEVEL
func Find(match func(Allocation) bool, buf []Allocation) int {
	s := search{heap: &main, match: match, buf: buf}
	if arch.InKernel() {
		findMain(unsafe.Pointer(&s))
	} else {
		arch.Gate(findMain, unsafe.Pointer(&s))
	}
	if s.heap = &paged.heap; paged.enter != nil {
		paged.enter(findIn, hide(unsafe.Pointer(&s)))
	}
	return s.n
}

func findMain(arg unsafe.Pointer) {
	old := lock.Acquire()
	findIn(arg)
	lock.Release(old)
}

func findIn(arg unsafe.Pointer) {
	s := (*search)(arg)
	h := s.heap
	for i := range h.spans.slots {
		p := &h.spans.slots[i]
		switch {
		case p.page == 0 || h.isSpare(p.page):
		case p.size == 0:
			for b := at(p.page); b != nil; b = b.next() {
				h.verify(b)
				if b.kind == inUse {
					a := Allocation{Address: b.data(), Size: b.bytes(), Tag: b.tag}
					if h.traced {
						a.By = *traced(b)
					}
					s.add(a)
				}
			}
		case p.page == p.first&^(pageSize-1):
			s.add(Allocation{Address: p.first, Size: p.size, Tag: p.tag, By: p.by})
		}
	}
}

func (s *search) add(a Allocation) {
	a.Paged = s.heap == &paged.heap
	if !s.match(a) {
		return
	}
	if s.n < len(s.buf) {
		s.buf[s.n] = a
	}
	s.n++
}
