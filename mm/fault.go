package mm

import (
	"irqlab/arch"
	"irqlab/bugcheck"
)

// Fault serves a page fault and reports whether the access can be repeated:
// because it was the first touch of a page of an area, or because another
// processor has served the same page meanwhile.
//
// It never waits, and it is called at whatever level the fault happened at,
// with interrupts disabled. At DISPATCH_LEVEL and above it draws on the reserve
// of zeroed pages; below, it tops the reserve up.
func Fault(va uintptr, a arch.Access) bool {
	if va < areaFloor || va >= areaCeiling {
		return false
	}
	raised := raised()
	on := acquire()
	prot, ok := space.at(va)
	if !ok || !prot.allows(a) {
		release(on)
		return false
	}
	e := page(va, raised)
	if e == nil {
		outOfPages(on, va)
	}
	if *e != 0 {
		// Present, and this processor remembers it as absent or with fewer
		// permissions; or kept while the area was inaccessible.
		stats.Spurious++
		store(e, permit(*e, prot))
	} else {
		pa := phys.zeroed(raised)
		if pa == 0 {
			outOfPages(on, va)
		}
		store(e, arch.MakePTE(pa, prot.page()))
		stats.Faults++
		if raised {
			stats.Raised++
		}
	}
	arch.FlushPage(va)
	if !raised {
		phys.refill(2)
	}
	release(on)
	return true
}

// outOfPages ends the machine: the page was promised, and no one can be told
// any more that it is not there.
func outOfPages(on bool, va uintptr) {
	total, free := phys.total, phys.free
	release(on)
	bugcheck.Stop(bugcheck.NoPagesAvailable, total, free, space.charged, va)
}
