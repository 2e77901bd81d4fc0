package bugcheck

import "irqlab/board"

// Detail, if set, prints what else there is to say of the stop in progress. Who
// stops the machine sets it before, and it prints with the functions below. It
// runs as the stop screen does: it takes no lock and allocates nothing.
var Detail func()

// PrintBytes prints text on the stop screen.
func PrintBytes(b []byte) {
	for _, c := range b {
		board.PutByte(c)
	}
}

// PrintAddress prints a number in hexadecimal.
func PrintAddress(a uintptr) { short(a) }

// PrintCalls prints a line for each function that the calls returning to pcs were
// made from, inlined ones too, up to the first zero or the Go runtime. Innermost
// functions whose names begin with one of the prefixes are left out.
func PrintCalls(pcs []uintptr, prefixes []string) {
	inside := true
	for _, pc := range pcs {
		var p positions
		if pc == 0 || !p.find(pc-1) {
			return
		}
		var at Position
		for p.next(&at) {
			if inside = inside && hasAnyPrefix(at.Function, prefixes); inside {
				continue
			}
			if hasPrefix(at.Function, "runtime.") {
				return
			}
			text("        ")
			text(at.Function)
			text(" (")
			text(tail(at.File))
			text(":")
			decimal(uintptr(max(at.Line, 0)))
			text(")\n")
		}
	}
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if hasPrefix(s, p) {
			return true
		}
	}
	return false
}
