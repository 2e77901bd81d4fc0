package arch

import "unsafe"

// cpuState is the x86-64 part of a processor's control block.
type cpuState struct {
	tls       [1]uintptr // the kernel g, at FS:-8 while in kernel context
	fsBase    uintptr    // &fsBase itself: FS base of kernel context, so that FS:-8 is tls
	nmi       [3]uintptr // KernelG, tls[0] and FS base that a non-maskable interrupt found
	scratch   uintptr    // user stack pointer during SYSCALL entry
	apic      uint32     // local APIC ID
	_         uint32
	gdt       [6]uint64
	tss       [104 + 8]byte // task-state segment (Intel SDM vol. 3A, 8.7), padded to words
	gdtr      descriptor
	emergency Stack // NMI, double fault, kernel stack overflow
	fault     [3]istStack
}

// InterruptStackExtra is how many bytes an interrupt stack has more than other
// kernel stacks. An interrupt takes 1.4 KiB of it, most of that for the vector
// registers, and twelve may be nested.
const InterruptStackExtra = 8 << 10

// istStack receives what hardware pushes; a stub moves it to a kernel stack at
// once, so it needs no guard.
type istStack [1024]byte

// emergencySize is the size in bytes of the stack that the stop path runs on
// when the kernel stack itself is the trouble.
const emergencySize = 16 << 10

var emergencyStacks [MaxCPUs][emergencySize]byte

// descriptor is the operand of LGDT and LIDT in 64-bit mode.
type descriptor struct {
	_     [3]uint16 // aligns base
	limit uint16
	base  uintptr
}

// Segment selectors, fixed by the GDT below. SYSCALL loads CS and SS from
// STAR[47:32] and that plus 8 (Intel SDM vol. 3A, 5.8.8).
const (
	selectorCode = 0x08
	selectorData = 0x10
	selectorTSS  = 0x20
)

// Model-specific registers (Intel SDM vol. 4, table 2-2).
const (
	msrEFER   = 0xC0000080
	msrSTAR   = 0xC0000081
	msrLSTAR  = 0xC0000082
	msrFMASK  = 0xC0000084
	msrFSBase = 0xC0000100
	msrGSBase = 0xC0000101
)

// syscallMask clears TF, IF, DF, IOPL, NT and AC on SYSCALL.
const syscallMask = 0x47700

// idt is the interrupt descriptor table, shared by all processors.
var idt [256][2]uint64

// idtr is the operand of LIDT; every processor stores the same value.
var idtr descriptor

// Features found by CPUID on the boot processor; assembly tests them.
var (
	haveFSGSBase uint32
	haveXSAVE    uint32
)

// initialFP is the FP state a fresh thread or signal handler starts with.
var initialFP [FPStateSize + 64]byte

// InitialFP returns the FP state of a processor after reset, aligned for XRSTOR.
func InitialFP() *FPState { return alignFP(unsafe.Pointer(&initialFP)) }

func alignFP(p unsafe.Pointer) *FPState {
	return (*FPState)(unsafe.Pointer((uintptr(p) + 63) &^ 63))
}

// initIDT points every vector at its stub. Vectors use IST 1, but NMI and
// double fault have stacks of their own because they may interrupt the stub
// that is still moving a frame (Intel SDM vol. 3A, 6.14.5).
func initIDT() {
	stubs := vectorTable()
	for v := uintptr(0); v < 256; v++ {
		ist := uint64(1)
		switch v {
		case vectorNMI:
			ist = 2
		case vectorDoubleFault:
			ist = 3
		}
		pc := uint64(stubs + v*16)
		const interruptGate = 0x8E << 40
		idt[v][0] = pc&0xffff | selectorCode<<16 | ist<<32 | interruptGate | pc>>16&0xffff<<48
		idt[v][1] = pc >> 32
	}
}

// init makes c the block of the running processor: segments, vectors, system
// call entry. Interrupts are disabled.
func (c *CPU) init(id uint32) {
	m := &c.machine
	c.Self = c
	c.ID = id
	c.InKernel = 1
	m.fsBase = uintptr(unsafe.Pointer(&m.fsBase))
	e := uintptr(unsafe.Pointer(&emergencyStacks[id]))
	m.emergency.Init(e, (e+emergencySize)&^63)

	const code64, data = 0x00AF9B000000FFFF, 0x00CF93000000FFFF
	tss := uint64(uintptr(unsafe.Pointer(&m.tss)))
	m.gdt = [6]uint64{0, code64, data, 0,
		103 | tss&0xffffff<<16 | 0x89<<40 | tss>>24&0xff<<56, tss >> 32}
	for i := range m.fault {
		top := uint64(uintptr(unsafe.Pointer(&m.fault[i]))+unsafe.Sizeof(m.fault[i])) &^ 15
		// IST1 lies at offset 0x24 of the TSS, so the words are only 4-aligned.
		*(*uint64)(unsafe.Pointer(&m.tss[0x24+i*8])) = top
	}
	m.tss[102] = 104 // I/O map base beyond the limit: no map

	m.gdtr = descriptor{limit: uint16(unsafe.Sizeof(m.gdt) - 1), base: uintptr(unsafe.Pointer(&m.gdt))}
	loadGDT(unsafe.Pointer(&m.gdtr.limit))
	loadTR(selectorTSS)
	idtr = descriptor{limit: uint16(unsafe.Sizeof(idt) - 1), base: uintptr(unsafe.Pointer(&idt))}
	loadIDT(unsafe.Pointer(&idtr.limit))

	WriteMSR(msrGSBase, uint64(uintptr(unsafe.Pointer(c))))
	WriteMSR(msrFSBase, uint64(m.fsBase))
	WriteMSR(msrSTAR, selectorCode<<32)
	WriteMSR(msrLSTAR, uint64(syscallEntry()))
	WriteMSR(msrFMASK, syscallMask)
}

// InitBoot prepares the boot processor. It runs on the boot stack before
// anything that needs a kernel g. Called from start.
func initBoot() {
	initPrimitives()
	initIDT()
	FillPoison()
	saveFP(InitialFP())
	CPUs[0].init(0)
}

// PrepareKernel makes the first Switch to c run fn(arg) on its kernel stack, in
// kernel context. fn must not return.
func (c *Context) PrepareKernel(fn func(uintptr), arg uintptr) {
	s := (*[4]uintptr)(unsafe.Pointer(c.Stack.Hi - 4*8))
	s[0] = 0 // BP: end of the frame-pointer chain
	s[1] = kernelStart()
	s[2] = *(*uintptr)(unsafe.Pointer(&fn)) // the closure: its first word is the code
	s[3] = arg
	c.SP = c.Stack.Hi - 4*8
}

// PrepareGo makes the first Switch to c resume the Go code that f describes.
func (c *Context) PrepareGo(f *Frame) {
	fr := frameFor(&c.Stack)
	*fr = *f
	s := (*[2]uintptr)(unsafe.Pointer(uintptr(unsafe.Pointer(fr)) - 2*8))
	s[0] = 0
	s[1] = goStart()
	c.SP = uintptr(unsafe.Pointer(fr)) - 2*8
}

// NewGoFrame returns a frame that starts Go code at pc on stack sp, at
// PASSIVE_LEVEL with interrupts enabled.
func NewGoFrame(pc, sp uintptr) Frame {
	return Frame{
		IP: uint64(pc), StackPointer: uint64(sp),
		CS: selectorCode, SS: selectorData,
		Flags: flagReserved | flagIF,
		FP:    InitialFP(), Vector: SyscallVector,
	}
}

// InitSecondary makes id the running processor. Board code calls it through
// secondaryStart with interrupts disabled.
func initSecondary(id uint32) { CPUs[id].init(id) }

// APICID returns the local APIC ID that the board stored for the processor.
func (c *CPU) APICID() uint32 { return c.machine.apic }

// SetAPICID stores the processor's local APIC ID.
func (c *CPU) SetAPICID(id uint32) { c.machine.apic = id }

// BootInfo is what the PVH boot protocol passed: the physical address of
// hvm_start_info.
var BootInfo uintptr

// In and Out access I/O ports that no TamaGo driver covers.
func In8(port uint16) uint8
func In32(port uint16) uint32
func Out8(port uint16, v uint8)
func Out16(port uint16, v uint16)
func Out32(port uint16, v uint32)

// ReadMSR and WriteMSR access model-specific registers.
func ReadMSR(msr uint32) uint64
func WriteMSR(msr uint32, v uint64)

// SecondaryStart returns the address where the trampoline of package board
// enters 64-bit mode, with the identity map on, processor number in EDI and the
// stack's top in RSI.
func SecondaryStart() uintptr

// defined in switch_amd64.s and cpu_amd64.s
func readCR2() uintptr
func loadGDT(p unsafe.Pointer)
func loadIDT(p unsafe.Pointer)
func loadTR(sel uint16)
func vectorTable() uintptr
func syscallEntry() uintptr
func kernelStart() uintptr
func goStart() uintptr

//go:noescape
func saveFP(p *FPState)

// only named by the linker and other assembly
func start()

// bootStack is the boot processor's first stack, until package mm has guarded
// ones.
const bootStackSize = 32 << 10

var bootStack [bootStackSize]byte
