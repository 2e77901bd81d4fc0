package pool

import (
	"math/bits"
	"unsafe"

	"irqlab/bugcheck"
)

const pageSize = 4096

// heap is the allocator proper: it takes no lock and gets its pages through two
// functions, so that it is tested on ordinary memory.
//
// Requests of less than a page are blocks: a page is cut into blocks that lie
// wall to wall, each with a header that knows its own size and that of the
// block in front, so that a block being freed finds both neighbours and joins
// with those that are free. Free blocks hang on one list per size. Larger
// requests get whole pages and an entry in spans.
type heap struct {
	mapPages   func(pages int) (va uintptr, ok bool)
	unmapPages func(va uintptr, pages int)
	checked    bool
	traced     bool // every allocation has the address of the call that made it

	lists    [unitsPerPage]*header     // free blocks by size in units
	nonEmpty [unitsPerPage / 64]uint64 // bit n: lists[n] has one
	spare    [8]uintptr                // pages kept mapped, since they come and go
	spares   int
	pages    int // mapped for allocations, spare ones included

	spans   spans
	tags    tags
	special special
}

// guardBytes is the least slack in checked mode.
const guardBytes = 8

// Parameter 1 of bug check BAD_POOL_CALLER.
const (
	zeroBytes    = 0x00 // 0, pool type, tag
	alreadyFreed = 0x07 // reserved, header contents, address
	allocIRQL    = 0x08 // IRQL, pool type, size
	freeIRQL     = 0x09 // IRQL, pool type, address
	wrongTag     = 0x0A // address, tag of the block, tag given
	badAddress   = 0x46 // address
	zeroTag      = 0x9B // pool type, size, caller
)

// Parameter 1 of bug check BAD_POOL_HEADER.
const (
	patternFailed = 0x02 // header, size, address: freed memory was written to
	badLinks      = 0x03 // header, its neighbours' links that should point to it
	contradiction = 0x05 // header, reserved, header of the neighbour that disagrees
	badHeader     = 0x20 // header, next header
	overrun       = 0x21 // address, size, value found behind the block
)

// stop ends the machine; tests put something else here.
var stop = bugcheck.Stop

func callerError(kind, p2, p3, p4 uintptr) { stop(bugcheck.BadPoolCaller, kind, p2, p3, p4) }
func headerError(kind, p2, p3, p4 uintptr) { stop(bugcheck.BadPoolHeader, kind, p2, p3, p4) }

// alloc returns the address of size bytes, or 0. Fresh says that they are
// cleared already.
func (h *heap) alloc(size uintptr, tag Tag, by uintptr) (p uintptr, fresh bool) {
	p, fresh = h.allocAny(size, tag)
	if p != 0 {
		h.tags.allocated(tag, size)
		if h.traced {
			h.trace(p, by)
		}
	}
	return p, fresh
}

func (h *heap) allocAny(size uintptr, tag Tag) (p uintptr, fresh bool) {
	if h.special.wants(tag) {
		if p = h.allocSpecial(size, tag); p != 0 {
			return p, true
		}
	}
	need := size + headerSize
	if h.checked {
		need += guardBytes
	}
	if h.traced {
		need += traceBytes
	}
	units := (need + unit - 1) / unit
	if size >= pageSize || units > maxUnits {
		return h.allocPages(size, tag), true
	}
	return h.allocBlock(max(units, minUnits), size, tag), false
}

// allocPages is alloc for a page and more.
func (h *heap) allocPages(size uintptr, tag Tag) uintptr {
	n := size/pageSize + (size%pageSize+pageSize-1)/pageSize
	if n > maxPages {
		return 0
	}
	// The pages come first: a request that cannot be met must not make the table
	// of spans grow to its size.
	va, ok := h.mapPages(int(n))
	if !ok {
		return 0
	}
	if !h.spans.reserve(h, int(n)) {
		h.unmapPages(va, int(n))
		return 0
	}
	h.pages += int(n)
	for i := range n {
		h.spans.insert(span{page: va + i*pageSize, first: va, size: size, tag: tag})
	}
	if h.checked {
		fill(va+size, n*pageSize-size, slackByte)
	}
	return va
}

// maxPages bounds one allocation: no request can make the arithmetic overflow.
const maxPages = 1 << 20

// allocBlock is alloc for less than a page.
func (h *heap) allocBlock(units, size uintptr, tag Tag) uintptr {
	b := h.takeFree(units)
	if b == nil {
		if b = h.newPage(units); b == nil {
			return 0
		}
	}
	if h.checked {
		if bad := filled(b.data(), uintptr(b.size)*unit-headerSize, freedByte); bad != 0 {
			headerError(patternFailed, uintptr(unsafe.Pointer(b)), uintptr(b.size)*unit, bad)
		}
	}
	b.kind, b.tag = inUse, tag
	slack := uintptr(b.size)*unit - headerSize - size
	if h.checked {
		fill(b.data()+size, slack, slackByte)
	}
	b.seal(slack)
	return b.data()
}

// takeFree returns a block of the given size cut from the smallest free block
// that is large enough, or nil.
func (h *heap) takeFree(units uintptr) *header {
	for w := units / 64; w < uintptr(len(h.nonEmpty)); w++ {
		set := h.nonEmpty[w]
		if w == units/64 {
			set &^= 1<<(units%64) - 1
		}
		if set != 0 {
			b := h.lists[w*64+uintptr(bits.TrailingZeros64(set))]
			h.verify(b)
			h.unlink(b)
			h.cut(b, units)
			return b
		}
	}
	return nil
}

// cut splits a block that is on no list and frees the rest. A rest without room
// for links stays with the block.
func (h *heap) cut(b *header, units uintptr) {
	rest := uintptr(b.size) - units
	if rest < minUnits {
		return
	}
	b.size = uint8(units)
	r := at(b.end())
	*r = header{previous: b.size, size: uint8(rest)}
	h.link(r)
	if n := r.next(); n != nil {
		h.setPrevious(n, r.size)
	}
}

// newPage makes a page of blocks and returns one of the given size.
func (h *heap) newPage(units uintptr) *header {
	var va uintptr
	if h.spares > 0 {
		h.spares--
		va = h.spare[h.spares]
	} else {
		if !h.spans.reserve(h, 1) {
			return nil
		}
		var ok bool
		if va, ok = h.mapPages(1); !ok {
			return nil
		}
		h.pages++
		if h.checked {
			fill(va, pageSize, freedByte)
		}
		h.spans.insert(span{page: va, first: va})
	}
	b := at(va)
	*b = header{size: uint8(units)}
	rest := at(b.end())
	*rest = header{previous: b.size, size: uint8(unitsPerPage - units)}
	h.link(rest)
	return b
}

// free gives back what alloc returned. A tag of 0 fits every block.
func (h *heap) free(p uintptr, tag Tag) {
	if s := h.spanOf(p); s.special {
		h.freeSpecial(s, p, tag)
	} else if s.size != 0 {
		h.freePages(s, p, tag)
	} else {
		h.freeBlock(p, tag)
	}
}

// bounds returns the bounds of the allocation at p, which must be one.
func (h *heap) bounds(p uintptr) (lo, hi uintptr) {
	if s := h.spanOf(p); s.size != 0 {
		return p, p + s.size
	}
	return p, p + h.owned(p).bytes()
}

// spanOf returns the span of the page that p lies in, and stops if no
// allocation can start there.
func (h *heap) spanOf(p uintptr) *span {
	s := h.spans.find(p)
	if s == nil || p%unit != 0 || s.size != 0 && p != s.first {
		callerError(badAddress, p, 0, 0)
	}
	return s
}

func (h *heap) freePages(s *span, p uintptr, tag Tag) {
	size := s.size
	checkTag(p, s.tag, tag)
	n := (size + pageSize - 1) / pageSize
	if h.checked {
		checkSlack(p, size, n*pageSize-size)
	}
	h.tags.freed(s.tag, size)
	for i := range n {
		h.spans.remove(h.spans.find(p + i*pageSize))
	}
	h.pages -= int(n)
	h.unmapPages(p, int(n))
}

func (h *heap) freeBlock(p uintptr, tag Tag) {
	b := h.owned(p)
	checkTag(p, b.tag, tag)
	size := b.bytes()
	if h.checked {
		slack := b.slack()
		if h.traced {
			slack -= traceBytes
		}
		checkSlack(p, size, slack)
	}
	h.tags.freed(b.tag, size)
	if h.checked {
		fill(p, uintptr(b.size)*unit-headerSize, freedByte)
	}
	h.release(b)
}

// owned returns the header of the allocated block whose memory starts at p, and
// stops if there is none. Walking the page is left to the bad cases: then it
// tells what is wrong.
func (h *heap) owned(p uintptr) *header {
	if p%pageSize != 0 {
		if b := at(p - headerSize); b.kind == inUse && b.sealed() {
			return b
		}
	}
	if h.isSpare(p &^ (pageSize - 1)) {
		callerError(alreadyFreed, 0, 0, p)
	}
	b := h.covering(p)
	switch {
	case b.kind == 0:
		callerError(alreadyFreed, 0, uintptr(b.word()), p)
	case b.data() != p:
		callerError(badAddress, p, 0, 0)
	}
	return b
}

// covering walks the page that holds addr to the block that does, and stops at
// a damaged header.
func (h *heap) covering(addr uintptr) *header {
	b := at(addr &^ (pageSize - 1))
	h.verify(b)
	for b.end() <= addr {
		b = b.next()
		h.verify(b)
	}
	return b
}

// release makes an allocated block free and joins it with its neighbours. A
// size of a whole page has no place in a header, so it is summed up first.
func (h *heap) release(b *header) {
	first, units := b, uintptr(b.size)
	if n := b.next(); n != nil {
		h.verify(n)
		if n.previous != b.size {
			headerError(contradiction, uintptr(unsafe.Pointer(b)), 0, uintptr(unsafe.Pointer(n)))
		}
		if n.kind == 0 {
			h.unlink(n)
			units += uintptr(n.size)
			h.wipe(unsafe.Pointer(n))
		}
	}
	b.kind = 0 // even where the header is forgotten: a second free must not believe it
	if f := b.front(); f != nil {
		h.verify(f)
		if f.size != b.previous {
			headerError(contradiction, uintptr(unsafe.Pointer(b)), 0, uintptr(unsafe.Pointer(f)))
		}
		if f.kind == 0 {
			h.unlink(f)
			units += uintptr(f.size)
			h.wipe(unsafe.Pointer(b))
			first = f
		}
	}
	if units == unitsPerPage {
		h.wipe(unsafe.Pointer(first))
		h.freePage(uintptr(unsafe.Pointer(first)))
		return
	}
	first.size = uint8(units)
	h.link(first)
	if n := first.next(); n != nil {
		h.setPrevious(n, first.size)
	}
}

// wipe makes a former header look like the rest of a free block.
func (h *heap) wipe(p unsafe.Pointer) {
	if h.checked {
		fill(uintptr(p), headerSize, freedByte)
	}
}

// freePage takes back a page with no blocks.
func (h *heap) freePage(va uintptr) {
	if h.spares < len(h.spare) {
		h.spare[h.spares] = va
		h.spares++
		return
	}
	h.spans.remove(h.spans.find(va))
	h.pages--
	h.unmapPages(va, 1)
}

// link seals a free block and puts it on the list of its size.
func (h *heap) link(b *header) {
	b.seal(0)
	l := b.links()
	first := h.lists[b.size]
	l.next, l.prev = first, nil
	if first != nil {
		first.links().prev = b
	}
	h.lists[b.size] = b
	h.nonEmpty[b.size/64] |= 1 << (b.size % 64)
}

// unlink takes a verified free block off its list, after a look at the
// neighbours' links, and wipes its own.
func (h *heap) unlink(b *header) {
	l := b.links()
	next, prev := b, h.lists[b.size]
	if l.prev != nil && h.sane(l.prev) {
		prev = l.prev.links().next
	}
	if l.next != nil && h.sane(l.next) {
		next = l.next.links().prev
	}
	if next != b || prev != b {
		headerError(badLinks, uintptr(unsafe.Pointer(b)), uintptr(unsafe.Pointer(next)), uintptr(unsafe.Pointer(prev)))
	}
	if l.prev != nil {
		l.prev.links().next = l.next
	} else {
		h.lists[b.size] = l.next
		if l.next == nil {
			h.nonEmpty[b.size/64] &^= 1 << (b.size % 64)
		}
	}
	if l.next != nil {
		l.next.links().prev = l.prev
	}
	h.wipe(unsafe.Pointer(l))
}

// sane reports whether a link may be followed; if not, it is damaged and stops.
func (h *heap) sane(b *header) bool {
	a := uintptr(unsafe.Pointer(b))
	if s := h.spans.find(a); s == nil || s.size != 0 || a%unit != 0 {
		headerError(badLinks, a, a, a)
	}
	return true
}

// setPrevious tells a block the new size of the one in front.
func (h *heap) setPrevious(b *header, size uint8) {
	b.previous = size
	b.seal(b.slack())
}

// verify stops the machine if the header is not as it was left.
func (h *heap) verify(b *header) {
	if !b.sealed() || b.size < minUnits || b.end() > uintptr(unsafe.Pointer(b))&^(pageSize-1)+pageSize {
		headerError(badHeader, uintptr(unsafe.Pointer(b)), b.end(), 0)
	}
}

func checkTag(p uintptr, have, given Tag) {
	if given != 0 && given != have {
		callerError(wrongTag, p, uintptr(have), uintptr(given))
	}
}

// checkSlack stops the machine if the bytes behind a block were written to.
func checkSlack(p, size, slack uintptr) {
	if bad := filled(p+size, slack, slackByte); bad != 0 {
		headerError(overrun, p, size, uintptr(*(*byte)(unsafe.Pointer(bad))))
	}
}

// owner returns the bounds and tag of the allocation that holds addr.
func (h *heap) owner(addr uintptr) (lo, hi uintptr, tag Tag, ok bool) {
	s := h.spans.find(addr)
	if s == nil {
		return 0, 0, 0, false
	}
	if s.size != 0 {
		return s.first, s.first + s.size, s.tag, s.first <= addr && addr < s.first+s.size
	}
	if h.isSpare(s.page) {
		return 0, 0, 0, false
	}
	b := h.covering(addr)
	lo = b.data()
	hi = lo + b.bytes()
	return lo, hi, b.tag, b.kind == inUse && lo <= addr && addr < hi
}

func (h *heap) isSpare(page uintptr) bool {
	for _, s := range h.spare[:h.spares] {
		if s == page {
			return true
		}
	}
	return false
}
