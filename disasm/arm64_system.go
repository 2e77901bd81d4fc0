package disasm

// system shows hints, barriers, and accesses to system registers (C4.1.94, "System
// instructions").
func (l *Line) system(w uint32) bool {
	op0, op1, n, m, op2 := bits(w, 20, 19), bits(w, 18, 16), bits(w, 15, 12), bits(w, 11, 8), bits(w, 7, 5)
	switch {
	case bits(w, 21, 21) != 0 && op0 >= 2:
		l.text("mrs ")
		l.general(w&31, true, false)
		l.comma()
		l.systemRegister(w)
	case op0 >= 2:
		l.text("msr ")
		l.systemRegister(w)
		l.comma()
		l.general(w&31, true, false)
	case bits(w, 21, 21) != 0:
		return false
	case op0 == 1:
		return l.operation(w)
	case w&31 != 31:
		return false
	case op1 == 3 && n == 2:
		l.hint(m<<3 | op2)
	case op1 == 3 && n == 3:
		return l.barrier(op2, m)
	case n == 4:
		return l.setField(op1<<3|op2, m)
	default:
		return false
	}
	return true
}

// systemRegister adds a register by its encoding: s3_0_c4_c6_0 is ICC_PMR_EL1.
func (l *Line) systemRegister(w uint32) {
	l.byte('s')
	l.decimal(uint64(bits(w, 20, 19)))
	l.byte('_')
	l.decimal(uint64(bits(w, 18, 16)))
	l.text("_c")
	l.decimal(uint64(bits(w, 15, 12)))
	l.text("_c")
	l.decimal(uint64(bits(w, 11, 8)))
	l.byte('_')
	l.decimal(uint64(bits(w, 7, 5)))
}

var hints = [...]string{"nop", "yield", "wfe", "wfi", "sev", "sevl"}

func (l *Line) hint(n uint32) {
	if n < uint32(len(hints)) {
		l.text(hints[n])
		return
	}
	l.text("hint ")
	l.constant(uint64(n))
}

// domains are by CRm: what a barrier is about.
var domains = [16]string{1: "oshld", 2: "oshst", 3: "osh", 5: "nshld", 6: "nshst", 7: "nsh",
	9: "ishld", 10: "ishst", 11: "ish", 13: "ld", 14: "st", 15: "sy"}

func (l *Line) barrier(op2, m uint32) bool {
	const whole = 15
	name := domains[m]
	switch op2 {
	case 2:
		l.text("clrex")
		name = ""
	case 4:
		l.text("dsb")
	case 5:
		l.text("dmb")
	case 6:
		l.text("isb")
		name = ""
	default:
		return false
	}
	switch {
	case name != "":
		l.byte(' ')
		l.text(name)
	case m != whole:
		l.byte(' ')
		l.constant(uint64(m))
	}
	return true
}

// setField shows MSR with a constant, by op1 and op2.
func (l *Line) setField(field, v uint32) bool {
	switch field {
	case 0<<3 | 4:
		l.text("msr pan, ")
	case 0<<3 | 5:
		l.text("msr spsel, ")
	case 3<<3 | 2:
		l.text("msr dit, ")
	case 3<<3 | 6:
		l.text("msr daifset, ")
	case 3<<3 | 7:
		l.text("msr daifclr, ")
	default:
		return false
	}
	l.constant(uint64(v))
	return true
}

// operations are those on caches and translations, by op1, CRn, CRm and op2, with
// an address or another operand or not.
var operations = [...]struct {
	op1, n, m, op2 uint8
	name           string
	operand        bool
}{
	{0, 7, 1, 0, "ic ialluis", false}, {0, 7, 5, 0, "ic iallu", false}, {3, 7, 5, 1, "ic ivau", true},
	{0, 7, 6, 1, "dc ivac", true}, {0, 7, 6, 2, "dc isw", true}, {0, 7, 10, 2, "dc csw", true}, {0, 7, 14, 2, "dc cisw", true},
	{3, 7, 4, 1, "dc zva", true}, {3, 7, 10, 1, "dc cvac", true}, {3, 7, 11, 1, "dc cvau", true}, {3, 7, 14, 1, "dc civac", true},
	{0, 7, 8, 0, "at s1e1r", true}, {0, 7, 8, 1, "at s1e1w", true},
	{0, 8, 3, 0, "tlbi vmalle1is", false}, {0, 8, 3, 1, "tlbi vae1is", true}, {0, 8, 3, 2, "tlbi aside1is", true},
	{0, 8, 3, 3, "tlbi vaae1is", true}, {0, 8, 3, 5, "tlbi vale1is", true}, {0, 8, 3, 7, "tlbi vaale1is", true},
	{0, 8, 7, 0, "tlbi vmalle1", false}, {0, 8, 7, 1, "tlbi vae1", true}, {0, 8, 7, 2, "tlbi aside1", true},
	{0, 8, 7, 3, "tlbi vaae1", true}, {0, 8, 7, 5, "tlbi vale1", true}, {0, 8, 7, 7, "tlbi vaale1", true},
}

func (l *Line) operation(w uint32) bool {
	for i := range operations {
		o := &operations[i]
		code := uint32(o.op1)<<16 | uint32(o.n)<<12 | uint32(o.m)<<8 | uint32(o.op2)<<5
		if bits(w, 18, 5)<<5 != code || !o.operand && w&31 != 31 {
			continue
		}
		l.text(o.name)
		if o.operand {
			l.comma()
			l.general(w&31, true, false)
		}
		return true
	}
	return false
}
