package bugcheck

import "irqlab/disasm"

// instruction prints the instruction at pc, if memory there can be read.
func instruction(pc uintptr) {
	if pc%4 != 0 || !readableByte(pc) {
		return
	}
	w := *(*uint32)(pointer(pc))
	var l disasm.Line
	row(pointed, pc)
	if disasm.ARM64(&l, w, uint64(pc)) {
		text(l.String())
	} else {
		text("word ")
		digits(uintptr(w), 8)
	}
	text("\n")
}

// CallBefore returns the address of the call instruction that returns to pc.
//
// IRQL: any
func CallBefore(pc uintptr) uintptr { return pc - 4 }
