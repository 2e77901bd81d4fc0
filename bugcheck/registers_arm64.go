package bugcheck

import "irqlab/arch"

// registers prints the general registers, three to a line.
func registers(f *arch.Frame) {
	for i, v := range &f.X {
		if i < 10 {
			text(" ")
		}
		text("x")
		decimal(uintptr(i))
		register(v)
		if i%3 == 2 {
			text("\n")
		} else {
			text(" ")
		}
	}
	text(" sp")
	register(f.StackPointer)
	text("\n pc")
	register(f.IP)
	text(" psr")
	register(f.PState)
	text("\nesr")
	register(f.Syndrome)
	text(" far")
	register(f.FaultReg)
	text("\n")
}

func register(v uint64) {
	text("=")
	hex(uintptr(v), 16)
}
