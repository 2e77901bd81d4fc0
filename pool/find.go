package pool

import (
	"unsafe"

	"irqlab/arch"
)

// Allocation is one that is in use.
type Allocation struct {
	Address, Size uintptr
	Paged         bool
}

// search carries Find into kernel context.
type search struct {
	heap *heap
	tag  Tag
	buf  []Allocation
	n    int
}

// Find copies the allocations with a tag to buf, those of nonpaged pool first, and
// returns how many there are. It looks at all of the pool, paged pool included.
//
// IRQL: <= APC_LEVEL
func Find(tag Tag, buf []Allocation) int {
	s := search{heap: &main, tag: tag, buf: buf}
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
				if b.kind == inUse && b.tag == s.tag {
					s.add(b.data(), b.bytes())
				}
			}
		case p.tag == s.tag && p.page == p.first&^(pageSize-1):
			s.add(p.first, p.size)
		}
	}
}

func (s *search) add(p, size uintptr) {
	if s.n < len(s.buf) {
		s.buf[s.n] = Allocation{p, size, s.heap == &paged.heap}
	}
	s.n++
}
