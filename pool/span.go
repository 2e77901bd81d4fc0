package pool

import "unsafe"

// span says what one page of the pool is used for.
type span struct {
	page  uintptr // address; 0 for an unused slot
	first uintptr // address of the first page of the allocation
	size  uintptr // bytes the owner asked for, 0 for a page of small blocks
	tag   Tag
	by    uintptr // of a traced allocation, in the span of its first page

	special bool // first is not the beginning of a page
}

// spans is a hash table of all pages in the pool, keyed by address, with linear
// probing. It stands in for the headers that page-aligned allocations cannot
// have, and tells pool addresses from others.
type spans struct {
	slots  []span // a power of two; never full
	used   int
	static [64]span // the first table, so that the pool can start from nothing
}

func (t *spans) home(page uintptr) uintptr {
	return page / pageSize * 0x9E3779B97F4A7C15 >> 20 & uintptr(len(t.slots)-1)
}

// find returns the span of the page that holds addr, or nil.
func (t *spans) find(addr uintptr) *span {
	page := addr &^ (pageSize - 1)
	if page == 0 || t.used == 0 {
		return nil
	}
	for i := t.home(page); ; i = (i + 1) & uintptr(len(t.slots)-1) {
		switch s := &t.slots[i]; s.page {
		case page:
			return s
		case 0:
			return nil
		}
	}
}

// reserve makes room for n more spans and reports whether it could. Memory for
// a larger table comes from h and bypasses the table itself.
func (t *spans) reserve(h *heap, n int) bool {
	if t.slots == nil {
		t.slots = t.static[:]
	}
	size := len(t.slots)
	for (t.used+n)*4 > size*3 {
		size *= 2
	}
	if size == len(t.slots) {
		return true
	}
	va, ok := h.mapPages(tablePages(size))
	if !ok {
		return false
	}
	old := t.slots
	t.slots, t.used = unsafe.Slice((*span)(unsafe.Pointer(va)), size), 0
	for i := range old {
		if old[i].page != 0 {
			t.insert(old[i])
		}
	}
	if &old[0] != &t.static[0] {
		h.unmapPages(uintptr(unsafe.Pointer(&old[0])), tablePages(len(old)))
	}
	return true
}

func tablePages(slots int) int {
	return (slots*int(unsafe.Sizeof(span{})) + pageSize - 1) / pageSize
}

// insert adds a span; reserve has made room.
func (t *spans) insert(s span) {
	i := t.home(s.page)
	for t.slots[i].page != 0 {
		i = (i + 1) & uintptr(len(t.slots)-1)
	}
	t.slots[i] = s
	t.used++
}

// remove takes out the span of a page, and moves back those behind it that
// probing would no longer find.
func (t *spans) remove(s *span) {
	mask := uintptr(len(t.slots) - 1)
	hole := uintptr(unsafe.Pointer(s)) - uintptr(unsafe.Pointer(&t.slots[0]))
	hole /= unsafe.Sizeof(span{})
	for i := (hole + 1) & mask; t.slots[i].page != 0; i = (i + 1) & mask {
		if (i-t.home(t.slots[i].page))&mask >= (i-hole)&mask {
			t.slots[hole] = t.slots[i]
			hole = i
		}
	}
	t.slots[hole] = span{}
	t.used--
}
