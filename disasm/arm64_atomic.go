package disasm

// exclusives are by o2, L, o1 and o0 (bits 23 to 21, and 15; C4.1.95, "Load/store
// exclusive register" and others).
var exclusives = [16]string{
	0: "stxr", 1: "stlxr", 4: "ldxr", 5: "ldaxr", 2: "stxp", 3: "stlxp", 6: "ldxp", 7: "ldaxp",
	9: "stlr", 13: "ldar", 10: "cas", 11: "casl", 14: "casa", 15: "casal",
}

// exclusive shows exclusive and ordered loads and stores, and compare and swap.
func (l *Line) exclusive(w uint32) bool {
	kind := bits(w, 23, 21)<<1 | bits(w, 15, 15)
	name, size := exclusives[kind], bits(w, 31, 30)
	pair := kind < 8 && kind&2 != 0
	if name == "" || pair && size < 2 || !pair && bits(w, 14, 10) != 31 {
		return false
	}
	l.text(name)
	l.narrow(size)
	status := bits(w, 20, 16)
	switch {
	case kind < 4:
		l.general(status, false, false)
		l.comma()
	case kind == 10, kind == 11, kind == 14, kind == 15: // what is compared
		l.general(status, size == 3, false)
		l.comma()
	case status != 31:
		return false
	}
	l.general(w&31, size == 3, false)
	l.comma()
	if pair {
		l.general(bits(w, 14, 10), size == 3, false)
		l.comma()
	}
	l.base(w)
	l.byte(']')
	return true
}

// narrow ends a mnemonic with the letter of a size (bits 31 and 30).
func (l *Line) narrow(size uint32) {
	switch size {
	case 0:
		l.byte('b')
	case 1:
		l.byte('h')
	}
	l.byte(' ')
}

// atomics are by opc (bits 14 to 12).
var atomics = [8]string{"ldadd", "ldclr", "ldeor", "ldset", "ldsmax", "ldsmin", "ldumax", "ldumin"}

// atomic shows atomic operations on memory (C4.1.95, "Atomic memory operations").
func (l *Line) atomic(w uint32) bool {
	size, opc, operand := bits(w, 31, 30), bits(w, 14, 12), bits(w, 20, 16)
	acquire, release := bits(w, 23, 23) != 0, bits(w, 22, 22) != 0
	if bits(w, 15, 15) != 0 && opc == 4 {
		if !acquire || release || operand != 31 {
			return false
		}
		l.text("ldapr")
		l.narrow(size)
		l.general(w&31, size == 3, false)
		l.comma()
		l.base(w)
		l.byte(']')
		return true
	}
	// Without a result, and no load to order, it is a store.
	store := bits(w, 15, 15) == 0 && w&31 == 31 && !acquire
	switch {
	case store:
		l.text("st")
		l.text(atomics[opc][2:])
	case bits(w, 15, 15) == 0:
		l.text(atomics[opc])
	case opc == 0:
		l.text("swp")
	default:
		return false
	}
	if acquire {
		l.byte('a')
	}
	if release {
		l.byte('l')
	}
	l.narrow(size)
	l.general(operand, size == 3, false)
	l.comma()
	if !store {
		l.general(w&31, size == 3, false)
		l.comma()
	}
	l.base(w)
	l.byte(']')
	return true
}
