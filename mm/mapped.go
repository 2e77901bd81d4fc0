package mm

import "irqlab/arch"

// Mapped reports whether va is mapped now, so that reading there does not fault. It
// takes no lock: what is freed meanwhile may be told wrongly.
//
// IRQL: any
func Mapped(va uintptr) bool {
	if va < arch.PageSize || !arch.Translated(va) {
		return false
	}
	t := tableAt(arch.RootTable())
	for shift := pageShift + (levels-1)*levelShift; ; shift -= levelShift {
		e := t[va>>shift%entries]
		if !e.Present() || shift == pageShift || e.Leaf() {
			return e.Present()
		}
		t = tableAt(e.Address())
	}
}

// Each level of the tables translates so many bits of an address, and a page has so
// many below.
const (
	levelShift = 9
	pageShift  = 12
)
