package disasm

// References are to Intel's SDM volume 2: chapter 2 for the encoding, appendix A
// for the opcodes.

// decoder reads one instruction.
type decoder struct {
	*Line
	code []byte
	at   int
	pc   uint64
	bad  bool // there were not enough bytes

	rex           byte
	data16, lock  bool
	rep           byte // 0xF2 or 0xF3; the last one counts
	segment       byte // 0x64, 0x65, or 0
	mod, reg, rm  byte // of the ModRM byte, with REX's bits
	modrm         bool // has been read
	scale         byte
	index, base   byte
	hasIndex, abs bool
	relative      bool // to the next instruction
	displacement  int64
}

// AMD64 shows the instruction that code begins with, at pc, and returns its length,
// or 0 if it does not know it.
func AMD64(l *Line, code []byte, pc uint64) int {
	l.Reset()
	d := decoder{Line: l, code: code, pc: pc}
	if !d.instruction() || d.bad {
		l.Reset()
		return 0
	}
	return d.at
}

func (d *decoder) next() byte {
	if d.at >= len(d.code) {
		d.bad = true
		return 0
	}
	d.at++
	return d.code[d.at-1]
}

// number reads a little-endian number of n bytes, with its sign.
func (d *decoder) number(n int) int64 {
	v := uint64(0)
	for i := range n {
		v |= uint64(d.next()) << (8 * i)
	}
	shift := 64 - 8*n
	return int64(v<<shift) >> shift
}

// prefixes reads legacy prefixes and REX, and returns the opcode's first byte.
func (d *decoder) prefixes() byte {
	for {
		b := d.next()
		switch {
		case b == 0x66:
			d.data16 = true
		case b == 0xF0:
			d.lock = true
		case b == 0xF2 || b == 0xF3:
			d.rep = b
		case b == 0x64 || b == 0x65:
			d.segment = b
		case b&0xF0 == 0x40:
			d.rex = b
			return d.next()
		default:
			return b
		}
		if d.bad {
			return 0
		}
	}
}

// size is the operand size in bytes.
func (d *decoder) size() int {
	switch {
	case d.rex&8 != 0:
		return 8
	case d.data16:
		return 2
	}
	return 4
}

// readModRM reads ModRM, SIB and displacement.
func (d *decoder) readModRM() {
	if d.modrm {
		return
	}
	d.modrm = true
	b := d.next()
	d.mod, d.reg, d.rm = b>>6, b>>3&7|d.rex<<1&8, b&7
	if d.mod == 3 {
		d.rm |= d.rex << 3 & 8
		return
	}
	d.base = d.rm
	if d.rm == 4 {
		s := d.next()
		d.scale, d.index, d.base = 1<<(s>>6), s>>3&7|d.rex<<2&8, s&7
		d.hasIndex = d.index != 4
	}
	switch {
	case d.mod == 0 && d.base == 5:
		d.abs = true
		d.relative = d.rm == 5
		d.displacement = d.number(4)
	case d.mod == 1:
		d.displacement = d.number(1)
	case d.mod == 2:
		d.displacement = d.number(4)
	}
	d.base |= d.rex << 3 & 8
}

var (
	low8  = [...]string{"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"}
	high8 = [...]string{"ah", "ch", "dh", "bh"}
	word  = [...]string{"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w"}
	dword = [...]string{"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"}
	qword = [...]string{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}
)

// vector is the size of an XMM register.
const vector = 16

func (d *decoder) register(r byte, size int) {
	switch size {
	case 1:
		if d.rex == 0 && r >= 4 && r < 8 {
			d.text(high8[r-4])
		} else {
			d.text(low8[r])
		}
	case 2:
		d.text(word[r])
	case 4:
		d.text(dword[r])
	case 8:
		d.text(qword[r])
	case vector:
		d.text("xmm")
		d.decimal(uint64(r))
	}
}

// operand adds the operand that ModRM's r/m names; registers have a size of their
// own.
func (d *decoder) operand(size, register int) {
	if d.mod == 3 {
		d.register(d.rm, register)
		return
	}
	switch size {
	case 1:
		d.text("byte ")
	case 2:
		d.text("word ")
	case 4:
		d.text("dword ")
	case 8:
		d.text("qword ")
	case vector:
		d.text("xmmword ")
	}
	d.text("ptr ")
	switch d.segment {
	case 0x64:
		d.text("fs:")
	case 0x65:
		d.text("gs:")
	}
	d.byte('[')
	empty := false
	switch {
	case d.relative:
		d.text("rip")
	case !d.abs:
		d.text(qword[d.base])
	default:
		empty = true
	}
	if d.hasIndex {
		if !empty {
			d.byte('+')
		}
		if d.scale != 1 {
			d.decimal(uint64(d.scale))
			d.byte('*')
		}
		d.text(qword[d.index])
		empty = false
	}
	switch {
	case d.displacement == 0:
	case empty && d.displacement > 0:
		d.hex(uint64(d.displacement))
	default:
		d.signed(d.displacement, true)
	}
	d.byte(']')
}

func (d *decoder) rmOperand(size int)  { d.readModRM(); d.operand(size, size) }
func (d *decoder) regOperand(size int) { d.readModRM(); d.register(d.reg, size) }

// name adds the mnemonic, with the prefix that locks the bus.
func (d *decoder) name(s string) {
	if d.lock {
		d.text("lock ")
	}
	d.text(s)
	d.byte(' ')
}

func (d *decoder) comma() { d.text(", ") }

// storing shows name r/m, r and loading name r, r/m.
func (d *decoder) storing(name string, size int) bool {
	d.name(name)
	d.rmOperand(size)
	d.comma()
	d.regOperand(size)
	return true
}

func (d *decoder) loading(name string, size int) bool {
	d.name(name)
	d.regOperand(size)
	d.comma()
	d.rmOperand(size)
	return true
}

// immediate shows name r/m, imm with an immediate of n bytes.
func (d *decoder) immediate(name string, size, n int) bool {
	d.name(name)
	d.rmOperand(size)
	d.comma()
	d.value(size, n)
	return true
}

// value shows an immediate of n bytes for operands of a size: those of bytes have
// no sign.
func (d *decoder) value(size, n int) {
	v := d.number(n)
	if size == 1 {
		v &= 0xff
	}
	d.signed(v, false)
}

// jump shows a target relative to the next instruction.
func (d *decoder) jump(name string, n int) bool {
	d.name(name)
	to := d.number(n)
	d.hex(d.pc + uint64(d.at) + uint64(to))
	return true
}
