package disasm

// immediate shows data processing with a constant (C4.1.93).
func (l *Line) immediate(w uint32, pc uint64) bool {
	switch bits(w, 25, 23) {
	case 0, 1:
		l.relative(w, pc)
	case 2:
		l.addConstant(w)
	case 4:
		return l.logicalConstant(w)
	case 5:
		return l.move(w)
	case 6:
		return l.bitfield(w)
	case 7:
		return l.extract(w)
	default:
		return false
	}
	return true
}

// constant adds a constant in hexadecimal, and number one in decimal.
func (l *Line) constant(v uint64) { l.byte('#'); l.hex(v) }

func (l *Line) number(v uint32) { l.byte('#'); l.decimal(uint64(v)) }

func (l *Line) comma() { l.text(", ") }

// first, second and third add a register where it commonly is, none of them the
// stack pointer. The width is that of the instruction.
func (l *Line) first(w uint32)  { l.general(w&31, w>>31 != 0, false) }
func (l *Line) second(w uint32) { l.general(bits(w, 9, 5), w>>31 != 0, false) }
func (l *Line) third(w uint32)  { l.general(bits(w, 20, 16), w>>31 != 0, false) }

// two and three show an instruction with so many registers.
func (l *Line) two(name string, w uint32) {
	l.text(name)
	l.byte(' ')
	l.first(w)
	l.comma()
	l.second(w)
}

func (l *Line) three(name string, w uint32) {
	l.two(name, w)
	l.comma()
	l.third(w)
}

func (l *Line) relative(w uint32, pc uint64) {
	offset := extend(bits(w, 23, 5)<<2|bits(w, 30, 29), 21)
	if w>>31 == 0 {
		l.text("adr ")
	} else {
		l.text("adrp ")
		const page = 1 << 12
		pc &^= page - 1
		offset *= page
	}
	l.general(w&31, true, false)
	l.comma()
	l.target(pc, offset)
}

// sums are additions and subtractions by op and S (bits 30 and 29), comparisons
// those of them that only set flags, by op.
var (
	sums        = [4]string{"add", "adds", "sub", "subs"}
	comparisons = [2]string{"cmn", "cmp"}
)

// sum begins an addition or subtraction, up to its last operand. Number 31 may be
// the stack pointer.
func (l *Line) sum(w uint32, stack bool) {
	wide, flags := w>>31 != 0, bits(w, 29, 29) != 0
	if flags && w&31 == 31 {
		l.text(comparisons[bits(w, 30, 30)])
		l.byte(' ')
	} else {
		l.text(sums[bits(w, 30, 29)])
		l.byte(' ')
		l.general(w&31, wide, stack && !flags)
		l.comma()
	}
	l.general(bits(w, 9, 5), wide, stack)
	l.comma()
}

func (l *Line) addConstant(w uint32) {
	if bits(w, 30, 29) == 0 && bits(w, 22, 10) == 0 && (w&31 == 31 || bits(w, 9, 5) == 31) {
		l.text("mov ")
		l.general(w&31, w>>31 != 0, true)
		l.comma()
		l.general(bits(w, 9, 5), w>>31 != 0, true)
		return
	}
	l.sum(w, true)
	l.constant(uint64(bits(w, 21, 10)))
	if bits(w, 22, 22) != 0 {
		l.text(", lsl #12")
	}
}

// logicals are by opc (bits 30 and 29).
var logicals = [4]string{"and", "orr", "eor", "ands"}

func (l *Line) logicalConstant(w uint32) bool {
	wide := w>>31 != 0
	one, imms, immr := bits(w, 22, 22), bits(w, 15, 10), bits(w, 21, 16)
	mask, ok := bitmask(one, imms, immr)
	if !ok || !wide && one != 0 {
		return false
	}
	if !wide {
		mask &= 1<<32 - 1
	}
	opc, n := bits(w, 30, 29), bits(w, 9, 5)
	switch {
	case opc == 3 && w&31 == 31:
		l.text("tst ")
		l.second(w)
	case opc == 1 && n == 31 && !moveable(wide, one, imms, immr):
		l.text("mov ")
		l.general(w&31, wide, true)
	default:
		l.text(logicals[opc])
		l.byte(' ')
		l.general(w&31, wide, opc != 3)
		l.comma()
		l.second(w)
	}
	l.comma()
	l.constant(mask)
	return true
}

// bitmask returns the constant of a logical instruction: elements of a power of
// two of bits, with a run of ones that is rotated, repeated (DecodeBitMasks in
// the Arm ARM, J1.1.3).
func bitmask(n, imms, immr uint32) (mask uint64, ok bool) {
	size := uint32(64)
	for size > 1 && (n<<6|^imms&63)&size == 0 {
		size >>= 1
	}
	ones, turn := imms&(size-1)+1, immr&(size-1)
	if size < 2 || ones == size {
		return 0, false
	}
	element := uint64(1)<<ones - 1
	if turn != 0 {
		element = element>>turn | element<<(size-turn)
	}
	if size < 64 {
		element &= 1<<size - 1
	}
	for ; size < 64; size *= 2 {
		element |= element << size
	}
	return element, true
}

// moveable reports whether MOVZ or MOVN is to be preferred to ORR for a constant of
// one run of ones (MoveWidePreferred in the Arm ARM, J1.1.3).
func moveable(wide bool, n, imms, immr uint32) bool {
	top := uint32(32 - 15)
	if wide {
		top = 64 - 15
	}
	switch {
	case wide != (n != 0) || !wide && imms >= 32:
		return false
	case imms < 16:
		return -immr%16 <= 15-imms
	}
	return imms >= top && immr%16 <= imms-top
}

// move shows MOVN, MOVZ and MOVK, the first two as the moves that they are.
func (l *Line) move(w uint32) bool {
	wide, opc := w>>31 != 0, bits(w, 30, 29)
	v, shift := uint64(bits(w, 20, 5)), bits(w, 22, 21)*16
	if opc == 1 || !wide && shift > 16 {
		return false
	}
	shifted := v << shift
	zero := v == 0 && shift != 0 // a way to write 0 that is not the usual one
	switch {
	case opc == 2 && !zero:
		l.text("mov ")
	case opc == 0 && !zero && (wide || v != 0xffff):
		l.text("mov ")
		if shifted = ^shifted; !wide {
			shifted &= 1<<32 - 1
		}
	default:
		l.text([...]string{"movn ", "", "movz ", "movk "}[opc])
		l.first(w)
		l.comma()
		l.constant(v)
		if shift != 0 {
			l.text(", lsl ")
			l.number(shift)
		}
		return true
	}
	l.first(w)
	l.comma()
	l.constant(shifted)
	return true
}

// Bit fields by opc (bits 30 and 29): moved up from bit 0, and down to it.
var (
	fieldsUp   = [3]string{"sbfiz ", "bfi ", "ubfiz "}
	fieldsDown = [3]string{"sbfx ", "bfxil ", "ubfx "}
)

func (l *Line) bitfield(w uint32) bool {
	wide, opc := w>>31 != 0, bits(w, 30, 29)
	immr, imms, size := bits(w, 21, 16), bits(w, 15, 10), uint32(32)
	if wide {
		size = 64
	}
	if opc == 3 || bits(w, 22, 22) != w>>31 || immr >= size || imms >= size {
		return false
	}
	if l.shift(w, opc, immr, imms, size) || l.extension(w, opc, immr, imms) {
		return true
	}
	at, width := immr, imms-immr+1
	switch {
	case imms >= immr:
		l.text(fieldsDown[opc])
	case opc == 1 && bits(w, 9, 5) == 31:
		l.two("bfm", w)
		l.comma()
		l.constant(uint64(immr))
		l.comma()
		l.number(imms)
		return true
	default:
		l.text(fieldsUp[opc])
		at, width = size-immr, imms+1
	}
	l.first(w)
	l.comma()
	l.second(w)
	l.comma()
	l.number(at)
	l.comma()
	l.number(width)
	return true
}

// shift shows a field that reaches the top as a shift.
func (l *Line) shift(w, opc, immr, imms, size uint32) bool {
	n := immr
	switch {
	case opc == 0 && imms == size-1:
		l.two("asr", w)
	case opc == 2 && imms == size-1:
		l.two("lsr", w)
	case opc == 2 && imms+1 == immr:
		l.two("lsl", w)
		n = size - immr
	default:
		return false
	}
	l.comma()
	l.number(n)
	return true
}

// extension shows a field that is a byte, half word or word, at bit 0.
func (l *Line) extension(w, opc, immr, imms uint32) bool {
	wide := w>>31 != 0
	if immr != 0 || opc == 1 || opc == 2 && wide {
		return false
	}
	switch {
	case imms == 7:
		l.text("sxtb ")
	case imms == 15:
		l.text("sxth ")
	case imms == 31 && wide:
		l.text("sxtw ")
	default:
		return false
	}
	if opc == 2 {
		l.bytes[0] = 'u'
	}
	l.first(w)
	l.comma()
	l.general(bits(w, 9, 5), false, false)
	return true
}

func (l *Line) extract(w uint32) bool {
	if bits(w, 30, 29) != 0 || bits(w, 22, 21) != w>>31<<1 || w>>31 == 0 && bits(w, 15, 15) != 0 {
		return false
	}
	if bits(w, 9, 5) == bits(w, 20, 16) {
		l.two("ror", w)
	} else {
		l.three("extr", w)
	}
	l.comma()
	l.number(bits(w, 15, 10))
	return true
}
