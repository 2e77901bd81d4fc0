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
