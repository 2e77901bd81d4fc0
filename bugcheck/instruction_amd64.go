package bugcheck

import "irqlab/disasm"

// maxInstruction is the longest instruction (Intel SDM vol. 2, 2.3.11).
const maxInstruction = 15

// instruction prints the instruction at pc, as far as memory there can be read.
func instruction(pc uintptr) {
	var code [maxInstruction]byte
	n := 0
	for n < len(code) && readableByte(pc+uintptr(n)) {
		code[n] = *(*byte)(pointer(pc + uintptr(n)))
		n++
	}
	if n == 0 {
		return
	}
	var l disasm.Line
	size := disasm.AMD64(&l, code[:n], uint64(pc))
	row(pointed, pc)
	if size > 0 {
		text(l.String())
	} else {
		text("bytes")
		for _, b := range code[:n] {
			text(" ")
			digits(uintptr(b), 2)
		}
	}
	text("\n")
}

// CallBefore returns the address of the call instruction that returns to pc. Those
// of Go take a register, with a REX prefix for the upper eight, or a distance (Intel
// SDM vol. 2, CALL), which is too short to look like a register's.
//
// IRQL: any
func CallBefore(pc uintptr) uintptr {
	const indirect, register, rex = 0xFF, 0xD0, 0x41
	code := (*[5]byte)(pointer(pc - 5))
	switch {
	case code[3] != indirect || code[4]&0xF8 != register:
		return pc - 5
	case code[2] == rex:
		return pc - 3
	}
	return pc - 2
}
