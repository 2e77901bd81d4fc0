package arch

import "unsafe"

// MaxCPUs is the number of processors supported.
const MaxCPUs = 8

// PageSize is the size of a page in bytes, on both architectures.
const PageSize = 4096

// CPU is the part of a processor's control block that assembly knows. Packages
// above keep their own per-processor data in arrays indexed by ID.
type CPU struct {
	Self     *CPU     // this block; lets one load turn a segment base into a pointer
	Context  *Context // of the thread that runs here
	KernelG  *G       // g of the kernel stack in use, or to use at the next entry
	InKernel uint64   // 0 while Go code of a thread runs, 1 in kernel context (amd64)
	ID       uint32   // 0 is the boot processor
	Started  uint32   // set by the processor itself once it runs Go code

	// DispatchWanted asks for the work of DISPATCH_LEVEL at the end of the
	// interrupts being served; see board.RequestDispatch.
	DispatchWanted bool

	Dispatcher unsafe.Pointer // package kernel's state of this processor

	Interrupt Stack // per-processor interrupt stack
	Deferred  Stack // per-processor DPC stack

	machine cpuState
}

// CPUs are the processors' blocks; the first NumCPUs are in use.
var (
	CPUs    [MaxCPUs]CPU
	NumCPUs uint32 = 1
)

// G stands in for a runtime.g while kernel code runs on one of our stacks. The
// compiler's stack checks read it; nothing else may. Its m is poison (see
// PoisonM), so a call into the Go runtime from kernel context stops at once.
//
// Layout of the words used, from runtime.g: stack.lo, stack.hi, stackguard0,
// stackguard1, _panic, _defer, m.
type G struct {
	lo, hi         uintptr
	guard0, guard1 uintptr
	_              [2]uintptr
	m              uintptr
	_              [57]uintptr
}

// bootG serves every processor until it runs its idle thread. Its bounds are
// zero, so that stack checks always pass.
var bootG G

// stackGuard is the distance the compiler may assume below stackguard0 for
// chains of nosplit functions (internal/abi: StackSmall and the linker's limit).
const stackGuard = 928

// PoisonM is the m of every kernel g: non-canonical addresses, so that the
// first load through it faults.
var PoisonM [512]uint64

// poison is a non-canonical address on x86-64 and outside both translation
// ranges on ARM64.
const poison = 0xdead_0000_0000_0000

// FillPoison prepares PoisonM; it is called once, before any kernel g is used.
func FillPoison() {
	for i := range PoisonM {
		PoisonM[i] = poison | uint64(i)*8
	}
}

// Stack is a kernel stack and the g that goes with it.
type Stack struct {
	Lo, Hi uintptr
	G      G
}

// Init makes the memory [lo, hi) a kernel stack.
func (s *Stack) Init(lo, hi uintptr) {
	s.Lo, s.Hi = lo, hi
	s.G.lo, s.G.hi = lo, hi
	s.G.guard0 = lo + stackGuard
	s.G.guard1 = lo + stackGuard
	s.G.m = uintptr(unsafe.Pointer(&PoisonM))
}

// Contains reports whether sp lies on the stack.
func (s *Stack) Contains(sp uintptr) bool { return sp > s.Lo && sp <= s.Hi }

// Context is the part of a thread that assembly knows: where it stands while it
// does not run, and its kernel stack.
type Context struct {
	SP        uintptr // kernel stack pointer, while switched out
	TLS       uintptr // thread pointer of its Go code (FS base on amd64)
	Attention uint32  // non-zero: Leave work is pending before Go code resumes
	_         uint32
	Frame     *Frame  // of the entry from Go, while in the kernel by a trap
	Raised    uintptr // g of its Go code, while at DISPATCH_LEVEL or above
	Stack     Stack
}

// Account is what a processor charges its time to. Interrupts charge too, so it
// changes with interrupts disabled.
type Account struct {
	Last   uint64  // Counter at the last charge
	Bucket *uint64 // what the time since then belongs to
}

// Cause says why a trap frame came to be.
type Cause uint8

const (
	CauseOther        Cause = iota // a vector the kernel has no name for
	CauseInterrupt                 // device, timer, software or inter-processor
	CauseNMI                       // non-maskable: freeze requests
	CausePageFault                 // #PF, or data/instruction abort by translation or permission
	CauseDivide                    // #DE (ARM64 does not trap on division)
	CauseFloat                     // #MF, #XM, or a trapped FP exception
	CauseBreakpoint                // INT3, BRK
	CauseDebug                     // single step, hardware breakpoint
	CauseUndefined                 // #UD, unknown or undefined instruction
	CauseProtection                // #GP, #SS, #NP, #TS; non-canonical or address-size abort
	CauseAlignment                 // #AC, alignment fault
	CauseMachineCheck              // #MC, SError
	CauseDoubleFault               // #DF, or a kernel stack that overflowed
)

// Access says what a page fault was trying to do.
type Access uint8

const (
	AccessRead    Access = 0
	AccessWrite   Access = 1
	AccessExecute Access = 8 // the value bug check 0xA and 0xD1 report
)

// Gate runs fn(arg) on the calling thread's kernel stack with its kernel g. It
// is the way from Go code into the kernel, a third of what a system call takes
// ("make bench", NullKernelCall). Go code only; the IRQL stays as it is, and the
// caller's goroutine stays where it is, so arg may point to its stack. It
// returns the thread's Attention.
//
//go:noescape
func Gate(fn func(unsafe.Pointer), arg unsafe.Pointer) (attention uint32)

// LookCloser is what RaiseIRQL returns when it did nothing.
const LookCloser = ^uintptr(0)

// Halt waits for an interrupt. Called and left with interrupts disabled, at
// PASSIVE_LEVEL; pending interrupts have been taken when it returns.
func Halt()

// FlushPage drops va from this processor's TLB. Table entries written before it
// are what every processor sees from then on where it remembers nothing.
func FlushPage(va uintptr)

// FlushTLB drops every translation of this processor, and of every other where
// TLBBroadcast is true.
func FlushTLB()

// RootTable returns the physical address of the top-level translation table.
func RootTable() uintptr

// Breakpoint executes the architecture's breakpoint instruction.
func Breakpoint()

// ImageBounds are the link-time boundaries of the image, all page aligned by
// the linker but the last.
//
// Text is read-execute, [RoData, Data) read-only, [Data, End) data.
func ImageBounds() (text, etext, rodata, erodata, data, end uintptr)

// GoEntry returns the address of the Go runtime's own entry point for Linux.
func GoEntry() uintptr
