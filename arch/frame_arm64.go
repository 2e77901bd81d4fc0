package arch

import "unsafe"

// Frame is a trap frame: what the stub in trap_arm64.s saves at an exception,
// interrupt or system call. It lies on a kernel stack and is restored whole, so
// writing to it changes what resumes.
type Frame struct {
	X            [31]uint64
	StackPointer uint64 // SP_EL0 if Go code was interrupted, else the kernel stack pointer
	Chain        uint64 // X29 again: with IP a frame record, so that the chain crosses the frame
	IP           uint64 // ELR_EL1
	PState       uint64 // SPSR_EL1
	Level        uint64 // IRQL to restore
	Kind         uint64 // which vector: see kind
	Syndrome     uint64 // ESR_EL1
	FaultReg     uint64 // FAR_EL1
	FPSaved      uint64 // 1 if the FP state below is saved and to be restored; not so after a system call
	FPSR, FPCR   uint64
	V            [64]uint64 // V0 to V31, two words each

	// Go code keeps its caller's frame pointer one word below its stack
	// pointer (cmd/compile/abi-internal.md, "arm64 architecture"), so a frame
	// may not touch the word below the interrupted SP.
	_ [2]uint64
}

// Values of Frame.Kind: the vector's number (Arm ARM DDI 0487, D1.3.1.2,
// table "Vector offsets from vector table base address"), or a frame made by
// the stack check.
const (
	kindSync          = 0 // current EL with SP_EL0: Go code
	kindIRQ           = 1
	kindFIQ           = 2
	kindSError        = 3
	kindKernel        = 4 // added to the above: current EL with SP_ELx
	kindStackOverflow = 16
)

// PSTATE as saved in SPSR_EL1 (Arm ARM, C5.2.19).
const (
	pstateSPSel = 1 << 0 // EL1h: kernel context
	pstateEL1t  = 4
	pstateEL1h  = 5
	pstateF     = 1 << 6
	pstateI     = 1 << 7
	pstateA     = 1 << 8
	pstateD     = 1 << 9
)

// Exception classes, ESR_EL1.EC (Arm ARM, D19.2.37).
const (
	ecSVC          = 0x15
	ecInstrAbort   = 0x21
	ecPCAlignment  = 0x22
	ecDataAbort    = 0x25
	ecSPAlignment  = 0x26
	ecFloat        = 0x2c
	ecSError       = 0x2f
	ecDebugFirst   = 0x30 // breakpoint, step and watchpoint exceptions
	ecDebugLast    = 0x35
	ecBRK          = 0x3c
	ecShift        = 26
	issWrite       = 1 << 6 // data abort: WnR
	issFaultStatus = 0x3f   // instruction and data abort: IFSC, DFSC
)

// Cause says why the frame came to be.
func (f *Frame) Cause() Cause {
	if f.Kind == kindStackOverflow {
		return CauseDoubleFault
	}
	switch f.Kind &^ kindKernel {
	case kindSync:
	case kindIRQ:
		return CauseInterrupt
	case kindSError:
		return CauseMachineCheck
	default:
		return CauseOther
	}
	switch ec := f.Syndrome >> ecShift & 0x3f; ec {
	case ecInstrAbort, ecDataAbort:
		return f.abortCause()
	case ecPCAlignment, ecSPAlignment:
		return CauseAlignment
	case ecFloat:
		return CauseFloat
	case ecSError:
		return CauseMachineCheck
	case ecBRK:
		return CauseBreakpoint
	default:
		if ec >= ecDebugFirst && ec <= ecDebugLast {
			return CauseDebug
		}
		// Unallocated and trapped instructions, illegal execution state, and a
		// system call from kernel context.
		return CauseUndefined
	}
}

// Interrupt reports whether the frame is that of an interrupt that can be held
// back.
func (f *Frame) Interrupt() bool { return f.Kind&^kindKernel == kindIRQ }

// abortCause tells the causes of instruction and data aborts apart by their
// fault status code (Arm ARM, D19.2.37, "ISS encoding for an exception from a
// Data Abort", DFSC).
func (f *Frame) abortCause() Cause {
	switch status := f.Syndrome & issFaultStatus; {
	case status < 0x04: // address size
		return CauseProtection
	case status < 0x10: // translation, access flag, permission
		if !Canonical(uintptr(f.FaultReg)) {
			return CauseProtection
		}
		if f.FromKernel() && inGuard(uintptr(f.FaultReg), f.SP()) {
			return CauseDoubleFault
		}
		return CausePageFault
	case status < 0x20, status == 0x30: // external abort; TLB conflict
		return CauseMachineCheck
	case status == 0x21:
		return CauseAlignment
	}
	return CauseProtection
}

// FaultAddress returns the address and kind of access of a page fault.
func (f *Frame) FaultAddress() (uintptr, Access) {
	switch {
	case f.Syndrome>>ecShift&0x3f == ecInstrAbort:
		return uintptr(f.FaultReg), AccessExecute
	case f.Syndrome&issWrite != 0:
		return uintptr(f.FaultReg), AccessWrite
	}
	return uintptr(f.FaultReg), AccessRead
}

// FromKernel reports whether the frame interrupted kernel context.
func (f *Frame) FromKernel() bool { return f.PState&pstateSPSel != 0 }

// IRQL returns the level that was interrupted.
func (f *Frame) IRQL() uintptr { return uintptr(f.Level) }

// PC returns the address of the interrupted instruction.
func (f *Frame) PC() uintptr { return uintptr(f.IP) }

// SP returns the interrupted stack pointer.
func (f *Frame) SP() uintptr { return uintptr(f.StackPointer) }

// BasePointer returns the head of the interrupted frame-pointer chain.
func (f *Frame) BasePointer() uintptr { return uintptr(f.X[29]) }

// Link returns the return address of a leaf that has not stored it.
func (f *Frame) Link() uintptr { return uintptr(f.X[30]) }

// Syscall returns the system call's number.
func (f *Frame) Syscall() uintptr { return uintptr(f.X[8]) }

// Arguments stores the system call's arguments in a.
func (f *Frame) Arguments(a *[6]uintptr) {
	a[0], a[1], a[2] = uintptr(f.X[0]), uintptr(f.X[1]), uintptr(f.X[2])
	a[3], a[4], a[5] = uintptr(f.X[3]), uintptr(f.X[4]), uintptr(f.X[5])
}

// SetResult stores a system call's result.
func (f *Frame) SetResult(r uintptr) { f.X[0] = uint64(r) }

// InterruptsEnabled reports whether the interrupted code could be interrupted.
func (f *Frame) InterruptsEnabled() bool { return f.PState&pstateI == 0 }

// NewGoFrame returns the frame of a thread that starts as Go code at pc.
func NewGoFrame(pc, sp uintptr) Frame {
	return Frame{
		IP:           uint64(pc),
		StackPointer: uint64(sp),
		PState:       pstateEL1t | pstateD,
	}
}

// frameFor returns the place of a trap frame at the top of a kernel stack,
// where the vectors put the frames of its thread's Go code.
func frameFor(s *Stack) *Frame {
	return (*Frame)(unsafe.Pointer(s.Hi - unsafe.Sizeof(Frame{})))
}

// Instruction returns the address of the instruction that caused an exception.
func (f *Frame) Instruction() uintptr { return uintptr(f.IP) }

// SkipBreakpoint makes the frame of a breakpoint go on behind it. BRK leaves the
// program counter at itself.
func (f *Frame) SkipBreakpoint() { f.IP += instructionSize }

const instructionSize = 4

// Detach makes the frame one that stays valid when its stack is used again,
// which it is.
func (f *Frame) Detach() {}
