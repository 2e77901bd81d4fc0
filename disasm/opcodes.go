package disasm

// The opcodes (appendix A), by what they do to their operands.

var (
	arithmetic = [...]string{"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"}
	shifts     = [...]string{"rol", "ror", "rcl", "rcr", "shl", "shr", "", "sar"}
	group3     = [...]string{"test", "", "not", "neg", "mul", "imul", "div", "idiv"}
	conditions = [...]string{"o", "no", "b", "nb", "z", "nz", "be", "nbe", "s", "ns", "p", "np", "l", "nl", "le", "nle"}
	bitTests   = [...]string{"bt", "bts", "btr", "btc"}
)

// conditional adds a mnemonic with its condition.
func (d *decoder) conditional(stem string, op byte) {
	d.text(stem)
	d.text(conditions[op&15])
	d.byte(' ')
}

// width is the size of byte and other forms of an opcode, told by its lowest bit.
func (d *decoder) width(op byte) int {
	if op&1 == 0 {
		return 1
	}
	return d.size()
}

// immediateBytes is the size of an immediate for operands of a size.
func immediateBytes(size int) int { return min(size, 4) }

func (d *decoder) instruction() bool {
	op := d.prefixes()
	if op == 0x0F {
		return d.second()
	}
	if d.rep != 0 && op != 0x90 && op&0xFC != 0xA4 && op&0xFE != 0xAA {
		return false
	}
	size := d.width(op)
	switch {
	case op < 0x40 && op&7 < 6:
		return d.arithmetic(op, size)
	case op&0xF0 == 0x50:
		if op < 0x58 {
			d.text("push ")
		} else {
			d.text("pop ")
		}
		d.register(op&7|d.rex<<3&8, 8)
		return !d.data16
	case op&0xF0 == 0x70:
		d.text("j")
		return d.jump(conditions[op&15], 1)
	case op&0xF0 == 0xB0:
		return d.load(op)
	}
	return d.first(op, size)
}

func (d *decoder) arithmetic(op byte, size int) bool {
	name := arithmetic[op>>3]
	switch op & 6 {
	case 0:
		return d.storing(name, size)
	case 2:
		return d.loading(name, size)
	}
	d.name(name)
	d.register(0, size)
	d.comma()
	d.value(size, immediateBytes(size))
	return true
}

// load shows mov r, imm.
func (d *decoder) load(op byte) bool {
	size := d.size()
	if op < 0xB8 {
		size = 1
	}
	d.text("mov ")
	d.register(op&7|d.rex<<3&8, size)
	d.comma()
	v := d.number(size)
	if int64(int32(v)) == v {
		d.signed(v, false)
	} else {
		d.hex(uint64(v))
	}
	return true
}

// first shows the other instructions of one opcode byte.
func (d *decoder) first(op byte, size int) bool {
	switch op {
	case 0x63:
		d.text("movsxd ")
		d.regOperand(d.size())
		d.comma()
		d.rmOperand(4)
		return d.rex&8 != 0
	case 0x80, 0x81, 0x83:
		d.readModRM()
		n := immediateBytes(size)
		if op == 0x83 {
			n = 1
		}
		return d.immediate(arithmetic[d.reg&7], size, n)
	case 0x84, 0x85:
		return d.storing("test", size)
	case 0x86, 0x87:
		return d.storing("xchg", size)
	case 0x88, 0x89:
		return d.storing("mov", size)
	case 0x8A, 0x8B:
		return d.loading("mov", size)
	case 0x8D:
		d.name("lea")
		d.regOperand(d.size())
		d.comma()
		d.segment = 0
		d.operand(0, 0)
		return d.mod != 3
	case 0x90:
		d.text("nop")
		if d.rep == 0xF3 {
			d.Reset()
			d.text("pause")
		}
		return d.rex == 0 && !d.data16
	case 0xA4, 0xA5, 0xAA, 0xAB:
		return d.str(op, size)
	case 0xC0, 0xC1:
		d.readModRM()
		d.name(shifts[d.reg&7])
		d.rmOperand(size)
		d.comma()
		d.hex(uint64(d.next()))
		return shifts[d.reg&7] != ""
	case 0xC6, 0xC7:
		d.readModRM()
		return d.reg&7 == 0 && d.immediate("mov", size, immediateBytes(size))
	case 0xF6, 0xF7:
		return d.unary(size)
	case 0xFE, 0xFF:
		return d.group5(op, size)
	}
	return d.control(op)
}

// control shows transfers of control, and what traps.
func (d *decoder) control(op byte) bool {
	switch op {
	case 0xC3:
		d.text("ret")
	case 0xC9:
		d.text("leave")
	case 0xCC:
		d.text("int3")
	case 0xCD:
		d.text("int ")
		d.hex(uint64(d.next()))
	case 0xE8:
		return d.jump("call", 4)
	case 0xE9:
		return d.jump("jmp", 4)
	case 0xEB:
		return d.jump("jmp", 1)
	case 0xF4:
		d.text("hlt")
	case 0xFA:
		d.text("cli")
	case 0xFB:
		d.text("sti")
	case 0xFC:
		d.text("cld")
	default:
		return false
	}
	return true
}

// str shows movs and stos.
func (d *decoder) str(op byte, size int) bool {
	if d.rep == 0xF3 {
		d.text("rep ")
	}
	letter := "bwxdxxxq"[size-1]
	name := "movs"
	if op >= 0xAA {
		name = "stos"
	}
	d.text(name)
	d.byte(letter)
	d.byte(' ')
	for i, base := range [...]byte{7, 6} { // RDI, RSI
		if i == 1 {
			if op >= 0xAA {
				break
			}
			d.comma()
		}
		d.base = base
		d.operand(size, size)
	}
	return d.segment == 0 && !d.data16
}

func (d *decoder) unary(size int) bool {
	d.readModRM()
	name := group3[d.reg&7]
	if name == "test" {
		return d.immediate(name, size, immediateBytes(size))
	}
	d.name(name)
	d.operand(size, size)
	return name != ""
}

func (d *decoder) group5(op byte, size int) bool {
	d.readModRM()
	switch d.reg & 7 {
	case 0:
		d.name("inc")
	case 1:
		d.name("dec")
	case 2:
		d.name("call")
		size = 8
	case 4:
		d.name("jmp")
		size = 8
	case 6:
		d.name("push")
		size = 8
	default:
		return false
	}
	d.operand(size, size)
	return op == 0xFF || d.reg&7 < 2
}

// second shows instructions of two opcode bytes.
func (d *decoder) second() bool {
	op := d.next()
	switch {
	case op&0xF0 == 0x40:
		d.conditional("cmov", op)
		d.regOperand(d.size())
		d.comma()
		d.rmOperand(d.size())
		return true
	case op&0xF0 == 0x80:
		d.text("j")
		return d.jump(conditions[op&15], 4)
	case op&0xF0 == 0x90:
		d.conditional("set", op)
		d.rmOperand(1)
		return true
	}
	if done, ok := d.integer(op); done {
		return ok
	}
	return d.moves(op)
}

// integer shows instructions of two opcode bytes on general registers. It reports
// whether op is one of them.
func (d *decoder) integer(op byte) (done, ok bool) {
	switch op {
	case 0x05:
		d.text("syscall")
	case 0x0B:
		d.text("ud2")
	case 0x30:
		d.text("wrmsr")
	case 0x32:
		d.text("rdmsr")
	case 0xA3, 0xAB, 0xB3, 0xBB:
		return true, d.storing(bitTests[op>>3&3], d.size())
	case 0xAF:
		return true, d.loading("imul", d.size())
	case 0xB0, 0xB1:
		return true, d.storing("cmpxchg", d.width(op))
	case 0xC0, 0xC1:
		return true, d.storing("xadd", d.width(op))
	case 0xB6, 0xB7, 0xBE, 0xBF:
		name, from := "movzx", 1
		if op >= 0xBE {
			name = "movsx"
		}
		if op&1 != 0 {
			from = 2
		}
		d.name(name)
		d.regOperand(d.size())
		d.comma()
		d.rmOperand(from)
	default:
		return false, false
	}
	return true, true
}

// packed are the mnemonics of moves by their mandatory prefix: none, 66, F3, F2.
type packed struct {
	names [4]string
	sizes [4]int // of memory
}

var (
	unaligned = packed{[4]string{"movups", "movupd", "movss", "movsd"}, [4]int{vector, vector, 4, 8}}
	aligned   = packed{[4]string{"movaps", "movapd", "", ""}, [4]int{vector, vector}}
	integers  = packed{[4]string{"", "movdqa", "movdqu", ""}, [4]int{0, vector, vector}}
)

// moves shows moves of XMM registers.
func (d *decoder) moves(op byte) bool {
	prefix := 0
	switch {
	case d.rep == 0xF3:
		prefix = 2
	case d.rep == 0xF2:
		prefix = 3
	case d.data16:
		prefix = 1
	}
	p, store := &unaligned, false
	switch op {
	case 0x10:
	case 0x11:
		store = true
	case 0x28:
		p = &aligned
	case 0x29:
		p, store = &aligned, true
	case 0x6F:
		p = &integers
	case 0x7F:
		p, store = &integers, true
	default:
		return false
	}
	d.readModRM()
	if p.names[prefix] == "" {
		return false
	}
	d.name(p.names[prefix])
	if store {
		d.operand(p.sizes[prefix], vector)
		d.comma()
		d.register(d.reg, vector)
		return true
	}
	d.register(d.reg, vector)
	d.comma()
	d.operand(p.sizes[prefix], vector)
	return true
}
