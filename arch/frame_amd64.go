package arch

import "unsafe"

// Frame is a trap frame: what the processor and the stub in trap_amd64.s save
// at an exception, interrupt or system call, in stack order. It lies on a
// kernel stack and is restored whole, so writing to it changes what resumes.
type Frame struct {
	FP     *FPState // XSAVE area below the frame; nil after a system call (FP state is dead there)
	Level  uint64   // IRQL to restore
	Kernel uint64   // 1 if kernel context was interrupted

	R15, R14, R13, R12, R11, R10, R9, R8 uint64
	DI, SI, BP, BX, DX, CX, AX           uint64
	Vector                               uint64 // SyscallVector for SYSCALL
	Error                                uint64
	IP, CS, Flags, StackPointer, SS      uint64 // Intel SDM vol. 3A, 6.14.2
}

// FPState is an XSAVE area in standard format with x87, SSE and AVX state
// (Intel SDM vol. 1, 13.4), or an FXSAVE area in its first 512 bytes where the
// processor has no XSAVE.
type FPState [FPStateSize]byte

// FPStateSize is the size in bytes of the largest FP state that is saved:
// 512 legacy + 64 header + 256 AVX (Intel SDM vol. 1, 13.4).
const FPStateSize = 832

// SyscallVector marks frames made by SYSCALL; interrupt vectors end at 255.
const SyscallVector = 0x100

// Exception vectors (Intel SDM vol. 3A, table 6-1).
const (
	vectorDivide       = 0
	vectorDebug        = 1
	vectorNMI          = 2
	vectorBreakpoint   = 3
	vectorInvalid      = 6
	vectorDoubleFault  = 8
	vectorTSS          = 10
	vectorNotPresent   = 11
	vectorStack        = 12
	vectorProtection   = 13
	vectorPageFault    = 14
	vectorX87          = 16
	vectorAlignment    = 17
	vectorMachineCheck = 18
	vectorSIMD         = 19
)

// Cause says why the frame came to be.
func (f *Frame) Cause() Cause {
	switch f.Vector {
	case vectorDivide:
		return CauseDivide
	case vectorDebug:
		return CauseDebug
	case vectorNMI:
		return CauseNMI
	case vectorBreakpoint:
		return CauseBreakpoint
	case vectorInvalid:
		return CauseUndefined
	case vectorDoubleFault:
		return CauseDoubleFault
	case vectorTSS, vectorNotPresent, vectorStack, vectorProtection:
		return CauseProtection
	case vectorPageFault:
		return CausePageFault
	case vectorX87, vectorSIMD:
		return CauseFloat
	case vectorAlignment:
		return CauseAlignment
	case vectorMachineCheck:
		return CauseMachineCheck
	}
	if f.Interrupt() {
		return CauseInterrupt
	}
	return CauseOther
}

// Interrupt reports whether the frame is that of an interrupt that can be held
// back. 0x1f is that of APC_LEVEL, among the vectors of exceptions.
func (f *Frame) Interrupt() bool { return f.Vector-0x1f < SyscallVector-0x1f }

// FaultAddress returns the address and kind of access of a page fault. It must
// be called before interrupts are enabled.
func (f *Frame) FaultAddress() (uintptr, Access) {
	// Error code bits: 1 write, 4 instruction fetch (Intel SDM vol. 3A, 4.7).
	switch {
	case f.Error&0x10 != 0:
		return readCR2(), AccessExecute
	case f.Error&2 != 0:
		return readCR2(), AccessWrite
	}
	return readCR2(), AccessRead
}

// FromKernel reports whether the frame interrupted kernel context.
func (f *Frame) FromKernel() bool { return f.Kernel != 0 }

// IRQL returns the level that was interrupted.
func (f *Frame) IRQL() uintptr { return uintptr(f.Level) }

// PC returns the address of the interrupted instruction.
func (f *Frame) PC() uintptr { return uintptr(f.IP) }

// SP returns the interrupted stack pointer.
func (f *Frame) SP() uintptr { return uintptr(f.StackPointer) }

// BasePointer returns the head of the interrupted frame-pointer chain.
func (f *Frame) BasePointer() uintptr { return uintptr(f.BP) }

// Link returns the return address of a leaf that has not stored it, or 0:
// x86-64 always stores it.
func (f *Frame) Link() uintptr { return 0 }

// Syscall returns the system call's number.
func (f *Frame) Syscall() uintptr { return uintptr(f.AX) }

// Arguments stores the system call's arguments in a.
func (f *Frame) Arguments(a *[6]uintptr) {
	a[0], a[1], a[2] = uintptr(f.DI), uintptr(f.SI), uintptr(f.DX)
	a[3], a[4], a[5] = uintptr(f.R10), uintptr(f.R8), uintptr(f.R9)
}

// SetResult stores a system call's result.
func (f *Frame) SetResult(r uintptr) { f.AX = uint64(r) }

// InterruptsEnabled reports whether the interrupted code could be interrupted.
func (f *Frame) InterruptsEnabled() bool { return f.Flags&flagIF != 0 }

const (
	flagReserved = 1 << 1 // always one
	flagIF       = 1 << 9
)

// frameFor returns the place of a trap frame at the top of a kernel stack.
func frameFor(s *Stack) *Frame {
	return (*Frame)(unsafe.Pointer(s.Hi - unsafe.Sizeof(Frame{})))
}

// Instruction returns the address of the instruction that caused an exception.
// The processor is past a breakpoint when it says so (Intel SDM vol. 3A, 6.5).
func (f *Frame) Instruction() uintptr {
	if f.Vector == vectorBreakpoint {
		return uintptr(f.IP) - 1
	}
	return uintptr(f.IP)
}

// SkipBreakpoint makes the frame of a breakpoint go on behind it: it does already.
func (f *Frame) SkipBreakpoint() {}

// Detach makes the frame one that stays valid when its stack is used again: it
// loses the FP state.
func (f *Frame) Detach() { f.FP = nil }
