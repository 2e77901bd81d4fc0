package linux

import (
	"unsafe"

	"irqlab/arch"
)

// redZone is what a leaf function may use below its stack pointer (System V
// ABI, AMD64, 3.2.2).
const redZone = 128

// registers is struct sigcontext of x86-64 up to the pointer to the FP state
// (arch/x86/include/uapi/asm/sigcontext.h); runtime.sigcontext names the same.
type registers struct {
	r8, r9, r10, r11, r12, r13, r14, r15 uint64
	di, si, bp, bx, dx, ax, cx, sp       uint64
	ip, flags                            uint64
	cs, gs, fs, ss                       uint16
	err, trap, oldmask, cr2              uint64
	fp                                   uintptr
	_                                    [8]uint64
}

// ucontext is struct ucontext of x86-64.
type ucontext struct {
	flags, link uint64
	stack       altStack
	regs        registers
	mask        uint64
}

// signalFrame is struct rt_sigframe, at the handler's stack pointer.
type signalFrame struct {
	restorer uintptr
	uc       ucontext
	info     info
}

// The runtime finds registers and mask at these places.
var (
	_ [unsafe.Offsetof(ucontext{}.regs) - 40]byte
	_ [40 - unsafe.Offsetof(ucontext{}.regs)]byte
	_ [unsafe.Offsetof(ucontext{}.mask) - 296]byte
	_ [296 - unsafe.Offsetof(ucontext{}.mask)]byte
)

// writableFlags are the flags that a handler may change for the code it returns
// to (Linux: FIX_EFLAGS): AC, OF, DF, TF, SF, ZF, AF, PF, CF.
const writableFlags = 1<<18 | 0xdd5

// codeSegment is the selector that programs see in user mode.
const codeSegment = 0x33

// pushFrame puts a signal frame below sp and makes f call the handler.
func pushFrame(f *arch.Frame, s *state, sp uintptr, sig uint, code int32, addr uintptr, a *action) {
	// The FP state first: after sigreturn f may still use the place where it
	// goes, at the same address if the stack is the same.
	fp := (sp - arch.FPStateSize) &^ 63
	state := f.FP
	if state == nil {
		state = arch.InitialFP()
	}
	*(*arch.FPState)(pointer(fp)) = *state

	sp = (fp-unsafe.Sizeof(signalFrame{}))&^15 - 8 // as after a CALL
	fr := (*signalFrame)(pointer(sp))
	*fr = signalFrame{restorer: a.restorer}
	fr.info.set(sig, code, addr)
	fr.uc.stack = s.alt
	fr.uc.mask = s.mask
	fr.uc.regs = registers{
		r8: f.R8, r9: f.R9, r10: f.R10, r11: f.R11, r12: f.R12, r13: f.R13, r14: f.R14, r15: f.R15,
		di: f.DI, si: f.SI, bp: f.BP, bx: f.BX, dx: f.DX, ax: f.AX, cx: f.CX, sp: f.StackPointer,
		ip: f.IP, flags: f.Flags, cs: codeSegment,
		err: f.Error, trap: f.Vector, cr2: uint64(addr),
		fp: fp,
	}

	f.IP = uint64(a.handler)
	f.StackPointer = uint64(sp)
	f.DI, f.SI, f.DX = uint64(sig), uint64(uintptr(unsafe.Pointer(&fr.info))), uint64(uintptr(unsafe.Pointer(&fr.uc)))
	f.AX = 0
	f.Flags &^= writableFlags
}

// sigreturn resumes what a signal handler interrupted. The handler's frame is
// at the stack pointer, without the return address that its RET took. The FP
// state is restored from there directly: nothing else runs on that stack
// before.
func sigreturn(f *arch.Frame, s *state) {
	fr := (*signalFrame)(pointer(f.SP() - 8))
	if !readable(uintptr(unsafe.Pointer(fr)), unsafe.Sizeof(*fr)) {
		badSignalFrame(f)
	}
	r := &fr.uc.regs
	f.R8, f.R9, f.R10, f.R11, f.R12, f.R13, f.R14, f.R15 = r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15
	f.DI, f.SI, f.BP, f.BX, f.DX, f.AX, f.CX, f.StackPointer = r.di, r.si, r.bp, r.bx, r.dx, r.ax, r.cx, r.sp
	f.IP = r.ip
	f.Flags = f.Flags&^writableFlags | r.flags&writableFlags
	f.FP = (*arch.FPState)(pointer(r.fp))
	s.setMask(fr.uc.mask)
}
