package pool

import (
	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/mm"
)

// Special pool gives every allocation pages of its own, at the end of which it
// lies, in front of a page that is never mapped: an access beyond the end faults
// at once. When it is freed its pages go, so an access to it later faults too. A
// block that begins at its page, behind one that is never mapped, shows accesses
// in front of it instead.
//
// What special pool holds is chosen by tag, as Driver Verifier does, or all of it
// is special: that takes a page for every small allocation.
//
// Documentation: "Special Pool", "Bug Check 0xC1", "0xCC", "0xCD", "0xD5", "0xD6".
type special struct {
	all   bool
	tag   Tag
	start bool // blocks begin at their page

	allocs, active, refused uint64
}

// SetSpecial makes all allocations special, or those with a tag. With start they
// are guarded in front instead of behind. It must come before the first
// allocation.
func SetSpecial(all bool, tag Tag, start bool) {
	main.special.all, main.special.tag, main.special.start = all, tag, start
}

// SpecialStats are counts of special pool.
type SpecialStats struct {
	On                      bool
	Allocs, Active, Refused uint64 // refused for lack of memory; they are ordinary
}

// ReadSpecialStats returns the counts of this moment.
//
// IRQL: any
func ReadSpecialStats() SpecialStats {
	s := &main.special
	return SpecialStats{s.all || s.tag != 0, s.allocs, s.active, s.refused}
}

// Parameter 4 of bug check SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION; parameter 1 is
// the allocation, parameter 2 where it is damaged.
const (
	nearby    = 0x23 // in front of it
	behindEnd = 0x24
)

func (s *special) wants(tag Tag) bool { return s.all || s.tag != 0 && s.tag == tag }

// allocSpecial is alloc with pages for this allocation only, or 0 if there are
// none.
func (h *heap) allocSpecial(size uintptr, tag Tag) uintptr {
	n := int((size + pageSize - 1) / pageSize)
	if n > maxPages {
		return 0
	}
	va, ok := mm.MapSpecial(n)
	if ok && !h.spans.reserve(h, n) {
		mm.UnmapSpecial(va, n)
		ok = false
	}
	if !ok {
		h.special.refused++
		return 0
	}
	end := va + uintptr(n)*pageSize
	p := va
	if !h.special.start && size < pageSize {
		p = (end - size) &^ (unit - 1)
	}
	for page := va; page < end; page += pageSize {
		h.spans.insert(span{page: page, first: p, size: size, tag: tag, special: true})
	}
	fill(va, p-va, slackByte)
	fill(p+size, end-p-size, slackByte)
	h.pages += n
	h.special.allocs++
	h.special.active++
	return p
}

// freeSpecial gives the pages of an allocation back.
func (h *heap) freeSpecial(s *span, p uintptr, tag Tag) {
	size := s.size
	checkTag(p, s.tag, tag)
	va := p &^ (pageSize - 1)
	n := int((size + pageSize - 1) / pageSize)
	end := va + uintptr(n)*pageSize
	if bad := filled(va, p-va, slackByte); bad != 0 {
		stop(bugcheck.SpecialPoolCorruption, p, bad, 0, nearby)
	}
	if bad := filled(p+size, end-p-size, slackByte); bad != 0 {
		stop(bugcheck.SpecialPoolCorruption, p, bad, 0, behindEnd)
	}
	h.tags.freed(s.tag, size)
	for page := va; page < end; page += pageSize {
		h.spans.remove(h.spans.find(page))
	}
	h.pages -= n
	h.special.active--
	mm.UnmapSpecial(va, n)
}

// Fault stops the machine for a page fault at an address of special pool, with a
// code that says which mistake it is. Other addresses are none of its business: it
// reports whether it was one of its own, for a stop that a test intercepts.
//
// IRQL: any
func Fault(f *arch.Frame, va uintptr, a arch.Access) bool {
	if !mm.InSpecial(va) {
		return false
	}
	_, behind := mm.Physical(va - pageSize)
	_, front := mm.Physical(va + pageSize)
	bugcheck.SpecialPoolFault(f, va, a, behind || front)
	return true
}
