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
