package mm

import (
	"irqlab/arch"
)

// pagedPages bounds paged pool: 32 MiB of addresses.
const pagedPages = 1 << 13

var (
	pagedUsed [pagedPages / 64]uint64
	paged     = runs{base: pagedBase}
)

// PageState says where a page of paged pool is. It is in the page's table entry,
// next to where: the entries that the hardware ignores are the kernel's to use.
type PageState uint8

const (
	PageNone    PageState = iota // nowhere: nobody allocated it
	PageZero                     // nowhere yet: it is all zeroes
	PageStandby                  // in memory, at a physical address, but not mapped
	PageAway                     // in the page file, at a place in it
	PagePresent                  // in memory and mapped
)

// An entry that is not valid has its state in bits 1 to 3, and an address or a
// place in the page file where an address would be.
const stateShift = 1

// PagedPages is how many pages paged pool may have; PagedIndex numbers them.
const PagedPages = pagedPages

// InPaged reports whether va is an address of paged pool.
//
// IRQL: any
func InPaged(va uintptr) bool { return pagedBase <= va && va < deviceBase }

// PagedIndex returns the number of the page at an address of paged pool, and
// PagedAddress the address of a page.
//
// IRQL: any
func PagedIndex(va uintptr) int { return int(va-pagedBase) / arch.PageSize }

// PagedAddress is the reverse of PagedIndex.
//
// IRQL: any
func PagedAddress(index int) uintptr { return pagedBase + uintptr(index)*arch.PageSize }

// MapPaged returns addresses for pages of paged pool, which have no memory yet.
//
// IRQL: <= DISPATCH_LEVEL
func MapPaged(pages int) (va uintptr, ok bool) {
	on := acquire()
	at := paged.search(pages)
	if at >= 0 {
		va = PagedAddress(at)
		if ok = reservePaged(va, pages); ok {
			paged.take(at, pages)
		}
	}
	release(on)
	return va, ok
}

// reservePaged makes entries for pages without memory, all or none. Lock held.
func reservePaged(va uintptr, pages int) bool {
	for i := range pages {
		e := page(va+uintptr(i)*arch.PageSize, false)
		if e == nil {
			forgetPaged(va, i)
			return false
		}
		store(e, softEntry(PageZero, 0))
	}
	return true
}

// forgetPaged clears the entries of pages. Lock held.
func forgetPaged(va uintptr, pages int) {
	for i := range pages {
		e, _ := lookup(va + uintptr(i)*arch.PageSize)
		store(e, 0)
	}
}

// UnmapPaged gives addresses back. No page of them is in memory or in the page
// file any more.
//
// IRQL: <= DISPATCH_LEVEL
func UnmapPaged(va uintptr, pages int) {
	on := acquire()
	forgetPaged(va, pages)
	paged.mark(PagedIndex(va), pages+1, false)
	release(on)
}

func softEntry(s PageState, where uintptr) arch.PTE {
	return arch.PTE(uintptr(s)<<stateShift) | arch.PTE(where)
}

// PagedState returns where a page of paged pool is: the physical address of one in
// memory, the place in the page file, a multiple of the page size, of one that is
// away.
//
// IRQL: any
func PagedState(va uintptr) (s PageState, where uintptr) {
	on := acquire()
	e, level := lookup(va)
	switch {
	case level != 1:
	case e.Present():
		s, where = PagePresent, e.Address()
	default:
		s, where = PageState(*e>>stateShift&7), e.Address()
	}
	release(on)
	return s, where
}

// SetPagedState says where a page of paged pool is from now on. A page that was
// present may still be in the translation buffers of other processors, until
// their next Shootdown; the caller stays on its processor until then.
//
// IRQL: any
func SetPagedState(va uintptr, s PageState, where uintptr) {
	on := acquire()
	if e, level := lookup(va); level == 1 {
		if s == PagePresent {
			store(e, arch.MakePTE(where, arch.ProtWrite))
		} else {
			store(e, softEntry(s, where))
		}
		arch.FlushPage(va)
	}
	release(on)
}

// UnmapPresent makes standby pages of those among the given pages of paged pool
// that are present, and returns how many they were. No processor can reach them
// when it returns.
//
// IRQL: <= DISPATCH_LEVEL
func UnmapPresent(vas []uintptr) (n int) {
	old := raise()
	for _, va := range vas {
		if s, pa := PagedState(va); s == PagePresent {
			SetPagedState(va, PageStandby, pa)
			n++
		}
	}
	if n > 0 {
		shootdown()
	}
	lower(old)
	return n
}
