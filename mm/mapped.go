package mm

import "irqlab/arch"

// Mapped reports whether va is mapped now, so that reading there does not fault. It
// takes no lock: what is freed meanwhile may be told wrongly.
//
// IRQL: any
func Mapped(va uintptr) bool {
	if va < arch.PageSize || !arch.Canonical(va) {
		return false
	}
	e, _ := lookup(va)
	return e.Present()
}
