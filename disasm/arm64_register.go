package disasm

// register shows data processing with registers (C4.1.96).
func (l *Line) register(w uint32) bool {
	switch {
	case bits(w, 28, 24) == 0x0A:
		return l.logical(w)
	case bits(w, 28, 24) == 0x0B && bits(w, 21, 21) == 0:
		return l.addShifted(w)
	case bits(w, 28, 24) == 0x0B:
		return l.addExtended(w)
	case bits(w, 28, 24) == 0x1B:
		return l.multiply(w)
	case bits(w, 28, 21) == 0xD0 && bits(w, 15, 10) == 0:
		l.addCarry(w)
		return true
	case bits(w, 28, 21) == 0xD2:
		return l.compareIf(w)
	case bits(w, 28, 21) == 0xD4:
		return l.choose(w)
	case bits(w, 30, 21) == 0x0D6:
		return l.twoSources(w)
	case bits(w, 30, 21) == 0x2D6 && bits(w, 20, 16) == 0:
		return l.oneSource(w)
	}
	return false
}

var armShifts = [4]string{"lsl", "lsr", "asr", "ror"}

// shifted adds the last operand, a register that may be shifted, and reports
// whether there is such a shift.
func (l *Line) shifted(w uint32) bool {
	kind, n := bits(w, 23, 22), bits(w, 15, 10)
	l.third(w)
	if kind != 0 || n != 0 {
		l.comma()
		l.text(armShifts[kind])
		l.byte(' ')
		l.number(n)
	}
	return n < 32 || w>>31 != 0
}

// complements are logical instructions that invert the last operand, by opc (bits
// 30 and 29).
var complements = [4]string{"bic", "orn", "eon", "bics"}

func (l *Line) logical(w uint32) bool {
	opc, inverted := bits(w, 30, 29), bits(w, 21, 21) != 0
	name := logicals[opc]
	if inverted {
		name = complements[opc]
	}
	switch fromZero := bits(w, 9, 5) == 31; {
	case opc == 3 && !inverted && w&31 == 31:
		l.text("tst ")
		l.second(w)
	case opc == 1 && inverted && fromZero:
		l.text("mvn ")
		l.first(w)
	case opc == 1 && fromZero && bits(w, 23, 22) == 0 && bits(w, 15, 10) == 0:
		l.text("mov ")
		l.first(w)
	default:
		l.two(name, w)
	}
	l.comma()
	return l.shifted(w)
}

func (l *Line) addShifted(w uint32) bool {
	if bits(w, 23, 22) == 3 {
		return false
	}
	compares := bits(w, 29, 29) != 0 && w&31 == 31
	if bits(w, 30, 30) != 0 && bits(w, 9, 5) == 31 && !compares {
		l.text("neg")
		if bits(w, 29, 29) != 0 {
			l.byte('s')
		}
		l.byte(' ')
		l.first(w)
		l.comma()
	} else {
		l.sum(w, false)
	}
	return l.shifted(w)
}

var extensions = [8]string{"uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"}

func (l *Line) addExtended(w uint32) bool {
	wide, option, n := w>>31 != 0, bits(w, 15, 13), bits(w, 12, 10)
	if bits(w, 23, 22) != 0 || n > 4 {
		return false
	}
	l.sum(w, true)
	l.general(bits(w, 20, 16), wide && option&3 == 3, false)
	name := extensions[option]
	// With the stack pointer, no extension is the usual one.
	stack := bits(w, 9, 5) == 31 || bits(w, 29, 29) == 0 && w&31 == 31
	if usual := 2 + w>>31; stack && option == usual {
		if n == 0 {
			return true
		}
		name = "lsl"
	}
	l.comma()
	l.text(name)
	if n != 0 {
		l.byte(' ')
		l.number(n)
	}
	return true
}

// carried are by op and S (bits 30 and 29), negated the two of them that begin
// with zero.
var (
	carried = [4]string{"adc", "adcs", "sbc", "sbcs"}
	negated = [4]string{2: "ngc", 3: "ngcs"}
)

func (l *Line) addCarry(w uint32) {
	op := bits(w, 30, 29)
	if op < 2 || bits(w, 9, 5) != 31 {
		l.three(carried[op], w)
		return
	}
	l.text(negated[op])
	l.byte(' ')
	l.first(w)
	l.comma()
	l.third(w)
}

func (l *Line) condition(c uint32) {
	l.comma()
	l.text(armConditions[c])
}

func (l *Line) compareIf(w uint32) bool {
	if bits(w, 29, 29) == 0 || w&(1<<10|1<<4) != 0 {
		return false
	}
	l.text([...]string{"ccmn ", "ccmp "}[bits(w, 30, 30)])
	l.second(w)
	l.comma()
	if bits(w, 11, 11) != 0 {
		l.constant(uint64(bits(w, 20, 16)))
	} else {
		l.third(w)
	}
	l.comma()
	l.constant(uint64(w & 15))
	l.condition(bits(w, 15, 12))
	return true
}

// choices are by op and o2 (bits 30 and 10). Those of the last three that choose
// between a register and the same one changed have a name of their own, and so
// have two of these that make something of zero.
var (
	choices = [4]string{"csel", "csinc", "csinv", "csneg"}
	changes = [4]string{1: "cinc ", 2: "cinv ", 3: "cneg "}
	makes   = [4]string{1: "cset ", 2: "csetm "}
)

func (l *Line) choose(w uint32) bool {
	if bits(w, 29, 29) != 0 || bits(w, 11, 11) != 0 {
		return false
	}
	kind, c := bits(w, 30, 30)<<1|bits(w, 10, 10), bits(w, 15, 12)
	const always = 14
	n, m := bits(w, 9, 5), bits(w, 20, 16)
	switch {
	case kind == 0 || n != m || c >= always:
		l.three(choices[kind], w)
		l.condition(c)
		return true
	case n == 31 && kind != 3:
		l.text(makes[kind])
		l.first(w)
	default:
		l.text(changes[kind])
		l.first(w)
		l.comma()
		l.second(w)
	}
	l.condition(c ^ 1)
	return true
}

// binaries are by opcode (bits 15 to 10). The last of each four CRC32 is for double
// words.
var binaries = [24]string{2: "udiv", 3: "sdiv", 8: "lsl", 9: "lsr", 10: "asr", 11: "ror",
	16: "crc32b", 17: "crc32h", 18: "crc32w", 19: "crc32x", 20: "crc32cb", 21: "crc32ch", 22: "crc32cw", 23: "crc32cx"}

func (l *Line) twoSources(w uint32) bool {
	opcode, wide := bits(w, 15, 10), w>>31 != 0
	if bits(w, 29, 29) != 0 || opcode >= uint32(len(binaries)) || binaries[opcode] == "" {
		return false
	}
	if opcode < 16 {
		l.three(binaries[opcode], w)
		return true
	}
	if wide != (opcode&3 == 3) {
		return false
	}
	l.two(binaries[opcode], w&^(1<<31))
	l.comma()
	l.third(w)
	return true
}

// unaries are by opcode (bits 15 to 10).
var unaries = [2][6]string{
	{"rbit", "rev16", "rev", "", "clz", "cls"},
	{"rbit", "rev16", "rev32", "rev", "clz", "cls"},
}

func (l *Line) oneSource(w uint32) bool {
	opcode := bits(w, 15, 10)
	if bits(w, 29, 29) != 0 || opcode >= 6 || unaries[w>>31][opcode] == "" {
		return false
	}
	l.two(unaries[w>>31][opcode], w)
	return true
}

// products are by op31 and o0 (bits 23 to 21, and 15): with a sum, and without, where
// that is the zero register.
var products = [16]struct{ sum, alone string }{
	0: {"madd ", "mul "}, 1: {"msub ", "mneg "}, 2: {"smaddl ", "smull "}, 3: {"smsubl ", "smnegl "},
	4: {"", "smulh "}, 10: {"umaddl ", "umull "}, 11: {"umsubl ", "umnegl "}, 12: {"", "umulh "},
}

func (l *Line) multiply(w uint32) bool {
	kind, wide := bits(w, 23, 21)<<1|bits(w, 15, 15), w>>31 != 0
	p := &products[kind]
	a := bits(w, 14, 10)
	if bits(w, 30, 29) != 0 || p.alone == "" || kind > 1 && !wide || p.sum == "" && a != 31 {
		return false
	}
	long := p.sum != "" && kind > 1 // two words make a double word
	if a == 31 {
		l.text(p.alone)
	} else {
		l.text(p.sum)
	}
	l.first(w)
	l.comma()
	l.general(bits(w, 9, 5), wide && !long, false)
	l.comma()
	l.general(bits(w, 20, 16), wide && !long, false)
	if a != 31 {
		l.comma()
		l.general(a, wide, false)
	}
	return true
}
