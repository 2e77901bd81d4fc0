package disasm

// References are to the Arm ARM (DDI 0487), chapter C4: the encoding of A64.

// bits returns bits hi to lo of w.
func bits(w uint32, hi, lo int) uint32 { return w >> lo & (1<<(hi-lo+1) - 1) }

// extend gives v of n bits its sign.
func extend(v uint32, n int) int64 { return int64(int32(v<<(32-n)) >> (32 - n)) }

// ARM64 shows the instruction w at pc, and reports whether it knows it.
func ARM64(l *Line, w uint32, pc uint64) bool {
	l.Reset()
	ok := false
	switch {
	case w>>16 == 0:
		l.text("udf #")
		l.hex(uint64(w))
		ok = true
	case bits(w, 28, 26) == 4: // C4.1.93
		ok = l.immediate(w, pc)
	case bits(w, 28, 25) == 5 || bits(w, 28, 25) == 13: // C4.1.96
		ok = l.register(w)
	case bits(w, 28, 26) == 5: // C4.1.94
		ok = l.branch(w, pc)
	case bits(w, 27, 27) == 1 && bits(w, 25, 25) == 0 && bits(w, 26, 26) == 0: // C4.1.95, general registers
		ok = l.memory(w, pc)
	}
	if !ok {
		l.Reset()
	}
	return ok
}

// general adds a general register; number 31 is the stack pointer or zero.
func (l *Line) general(r uint32, wide, stack bool) {
	switch {
	case r < 31:
		if wide {
			l.byte('x')
		} else {
			l.byte('w')
		}
		l.decimal(uint64(r))
	case stack && wide:
		l.text("sp")
	case stack:
		l.text("wsp")
	case wide:
		l.text("xzr")
	default:
		l.text("wzr")
	}
}

func (l *Line) target(pc uint64, offset int64) { l.hex(pc + uint64(offset)) }

var armConditions = [...]string{"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "al"}

// branch shows branches, exception generation and returns.
func (l *Line) branch(w uint32, pc uint64) bool {
	switch {
	case bits(w, 30, 26) == 5:
		l.text("b ")
		if w>>31 != 0 {
			l.Reset()
			l.text("bl ")
		}
		l.target(pc, extend(bits(w, 25, 0), 26)*4)
	case bits(w, 31, 24) == 0x54 && bits(w, 4, 4) == 0:
		l.text("b.")
		l.text(armConditions[w&15])
		l.byte(' ')
		l.target(pc, extend(bits(w, 23, 5), 19)*4)
	case bits(w, 30, 25) == 0x1A:
		l.text("cbz ")
		if bits(w, 24, 24) != 0 {
			l.Reset()
			l.text("cbnz ")
		}
		l.general(w&31, w>>31 != 0, false)
		l.text(", ")
		l.target(pc, extend(bits(w, 23, 5), 19)*4)
	case bits(w, 30, 25) == 0x1B:
		l.testBit(w, pc)
	case bits(w, 31, 24) == 0xD4:
		return l.exception(w)
	case bits(w, 31, 22) == 0x354:
		return l.system(w)
	case bits(w, 31, 25) == 0x6B && bits(w, 20, 10) == 0x7C0 && w&31 == 0:
		return l.indirect(w)
	default:
		return false
	}
	return true
}

func (l *Line) testBit(w uint32, pc uint64) {
	if bits(w, 24, 24) == 0 {
		l.text("tbz ")
	} else {
		l.text("tbnz ")
	}
	l.first(w)
	l.comma()
	l.number(w>>31<<5 | bits(w, 23, 19))
	l.comma()
	l.target(pc, extend(bits(w, 18, 5), 14)*4)
}

func (l *Line) exception(w uint32) bool {
	switch bits(w, 23, 21)<<5 | w&31 {
	case 0<<5 | 1:
		l.text("svc #")
	case 0<<5 | 2:
		l.text("hvc #")
	case 0<<5 | 3:
		l.text("smc #")
	case 1 << 5:
		l.text("brk #")
	case 2 << 5:
		l.text("hlt #")
	default:
		return false
	}
	l.hex(uint64(bits(w, 20, 5)))
	return true
}

func (l *Line) indirect(w uint32) bool {
	r := bits(w, 9, 5)
	switch bits(w, 24, 21) {
	case 0:
		l.text("br ")
	case 1:
		l.text("blr ")
	case 2:
		l.text("ret")
		if r == 30 {
			return true
		}
		l.byte(' ')
	case 4:
		l.text("eret")
		return r == 31
	default:
		return false
	}
	l.general(r, true, false)
	return true
}

// access is a load or store of one general register.
type access struct {
	name string
	wide bool
}

// accesses are by size (bits 31-30) and kind (bits 23-22).
var accesses = [4][4]access{
	{{"strb", false}, {"ldrb", false}, {"ldrsb", true}, {"ldrsb", false}},
	{{"strh", false}, {"ldrh", false}, {"ldrsh", true}, {"ldrsh", false}},
	{{"str", false}, {"ldr", false}, {"ldrsw", true}, {}},
	{{"str", true}, {"ldr", true}, {}, {}},
}

// memory shows loads and stores of general registers.
func (l *Line) memory(w uint32, pc uint64) bool {
	switch bits(w, 29, 28) {
	case 0:
		return bits(w, 24, 24) == 0 && l.exclusive(w)
	case 1:
		if bits(w, 24, 24) == 0 && bits(w, 31, 31) == 0 {
			l.text("ldr ")
			l.general(w&31, bits(w, 30, 30) != 0, false)
			l.text(", ")
			l.target(pc, extend(bits(w, 23, 5), 19)*4)
			return true
		}
	case 2:
		return l.pair(w)
	case 3:
		return l.single(w)
	}
	return false
}

// single shows the addressing modes of one register.
func (l *Line) single(w uint32) bool {
	size := bits(w, 31, 30)
	if bits(w, 24, 24) == 0 && bits(w, 21, 21) != 0 && bits(w, 11, 10) == 0 {
		return l.atomic(w)
	}
	a := &accesses[size][bits(w, 23, 22)]
	if a.name == "" {
		return false
	}
	offset := extend(bits(w, 20, 12), 9)
	switch {
	case bits(w, 24, 24) != 0:
		l.begin(a, w, "")
		l.base(w)
		l.offset(int64(bits(w, 21, 10))<<size, true)
		l.byte(']')
	case bits(w, 21, 21) != 0:
		return bits(w, 11, 10) == 2 && l.indexed(a, w, size)
	case bits(w, 11, 10) == 0:
		l.begin(a, w, "u")
		l.base(w)
		l.offset(offset, true)
		l.byte(']')
	case bits(w, 11, 10) == 1:
		l.begin(a, w, "")
		l.base(w)
		l.byte(']')
		l.offset(offset, false)
	case bits(w, 11, 10) == 3:
		l.begin(a, w, "")
		l.base(w)
		l.offset(offset, false)
		l.text("]!")
	default:
		return false
	}
	return true
}

// begin adds the mnemonic, a form without scaling by its letter, and the register.
func (l *Line) begin(a *access, w uint32, letter string) {
	l.text(a.name[:2])
	l.text(letter)
	l.text(a.name[2:])
	l.byte(' ')
	l.general(w&31, a.wide, false)
	l.text(", ")
}

func (l *Line) base(w uint32) {
	l.byte('[')
	l.general(bits(w, 9, 5), true, true)
}

// offset adds an immediate, 0 only if it must be there.
func (l *Line) offset(v int64, optional bool) {
	if v == 0 && optional {
		return
	}
	l.text(",#")
	if v < 0 {
		l.byte('-')
		v = -v
	}
	l.decimal(uint64(v))
}

// indexed shows a register for an offset, extended and shifted.
func (l *Line) indexed(a *access, w uint32, size uint32) bool {
	option := bits(w, 15, 13)
	if option&2 == 0 {
		return false
	}
	l.begin(a, w, "")
	l.base(w)
	l.byte(',')
	l.general(bits(w, 20, 16), option&1 != 0, false)
	shifted := bits(w, 12, 12) != 0
	switch option {
	case 2:
		l.text(",uxtw")
	case 6:
		l.text(",sxtw")
	case 7:
		l.text(",sxtx")
	case 3:
		if shifted {
			l.text(",lsl")
		}
	}
	if shifted {
		l.text(" #")
		l.decimal(uint64(size))
	}
	l.byte(']')
	return !shifted || size != 0
}

// pair shows loads and stores of two registers.
func (l *Line) pair(w uint32) bool {
	opc, mode, load := bits(w, 31, 30), bits(w, 25, 23), bits(w, 22, 22) != 0
	signed := opc == 1 // words that become double words
	if opc == 3 || mode > 3 || signed && (!load || mode == 0) {
		return false
	}
	wide := opc != 0
	switch {
	case signed:
		l.text("ldpsw ")
	case load && mode == 0:
		l.text("ldnp ")
	case load:
		l.text("ldp ")
	case mode == 0:
		l.text("stnp ")
	default:
		l.text("stp ")
	}
	l.general(w&31, wide, false)
	l.text(", ")
	l.general(bits(w, 14, 10), wide, false)
	l.text(", ")
	l.base(w)
	offset := extend(bits(w, 21, 15), 7) * 4
	if opc == 2 {
		offset *= 2
	}
	switch mode {
	case 1:
		l.byte(']')
		l.offset(offset, false)
	case 3:
		l.offset(offset, false)
		l.text("]!")
	default:
		l.offset(offset, true)
		l.byte(']')
	}
	return true
}
