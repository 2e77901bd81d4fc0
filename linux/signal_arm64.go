package linux

import (
	"unsafe"

	"irqlab/arch"
)

// redZone: AAPCS64 has none, but Go code keeps its caller's frame pointer one
// word below its stack pointer (cmd/compile/abi-internal.md, "arm64
// architecture").
const redZone = 16

// ucontext is struct ucontext of ARM64 with struct sigcontext
// (arch/arm64/include/uapi/asm/{ucontext,sigcontext}.h).
type ucontext struct {
	flags, link uint64
	stack       altStack
	mask        uint64
	_           [120]byte // room for a mask of 1024 signals
	_           uint64    // sigcontext is 16-aligned

	fault  uint64
	x      [31]uint64
	sp, pc uint64
	pstate uint64
	_      uint64

	fp  fpContext
	end [2]uint32 // a record of type 0 ends the list
	_   uint64
}

// fpContext is struct fpsimd_context, the one record of state that we have.
type fpContext struct {
	magic, size uint32
	fpsr, fpcr  uint32
	v           [64]uint64
}

const fpMagic = 0x46508001

// signalFrame is struct rt_sigframe, at the handler's stack pointer.
type signalFrame struct {
	info info
	uc   ucontext
}

// The runtime finds the sigcontext and the records of state at these places.
var (
	_ [unsafe.Offsetof(ucontext{}.fault) - 176]byte
	_ [176 - unsafe.Offsetof(ucontext{}.fault)]byte
	_ [unsafe.Offsetof(ucontext{}.fp) - 176 - 288]byte
	_ [176 + 288 - unsafe.Offsetof(ucontext{}.fp)]byte
	_ [unsafe.Sizeof(fpContext{}) - 528]byte
)

// flagsNZCV are the bits of PSTATE that a handler may change for the code it
// returns to.
const flagsNZCV = 0xf << 28

// pushFrame puts a signal frame below sp and makes f call the handler. g stays
// in R28: the handler is Go code of the same thread.
func pushFrame(f *arch.Frame, s *state, sp uintptr, sig uint, code int32, addr uintptr, a *action) {
	sp = (sp - unsafe.Sizeof(signalFrame{})) &^ 15
	fr := (*signalFrame)(pointer(sp))
	*fr = signalFrame{}
	fr.info.set(sig, code, addr)
	uc := &fr.uc
	uc.stack = s.alt
	uc.mask = s.mask
	uc.fault = uint64(addr)
	uc.x = f.X
	uc.sp, uc.pc, uc.pstate = f.StackPointer, f.IP, f.PState
	uc.fp.magic, uc.fp.size = fpMagic, uint32(unsafe.Sizeof(fpContext{}))
	if f.FPSaved != 0 {
		uc.fp.fpsr, uc.fp.fpcr = uint32(f.FPSR), uint32(f.FPCR)
		uc.fp.v = f.V
	}

	f.IP = uint64(a.handler)
	f.StackPointer = uint64(sp)
	f.X[0], f.X[1], f.X[2] = uint64(sig), uint64(uintptr(unsafe.Pointer(&fr.info))), uint64(uintptr(unsafe.Pointer(uc)))
	f.X[30] = uint64(restorer()) // the runtime relies on the vDSO's
}

// sigreturn resumes what a signal handler interrupted. The frame is at the
// stack pointer.
func sigreturn(f *arch.Frame, s *state) {
	fr := (*signalFrame)(pointer(f.SP()))
	if !readable(f.SP(), unsafe.Sizeof(*fr)) || fr.uc.fp.magic != fpMagic {
		badSignalFrame(f)
	}
	uc := &fr.uc
	f.X = uc.x
	f.StackPointer, f.IP = uc.sp, uc.pc
	f.PState = f.PState&^flagsNZCV | uc.pstate&flagsNZCV
	f.FPSR, f.FPCR = uint64(uc.fp.fpsr), uint64(uc.fp.fpcr)
	f.V = uc.fp.v
	f.FPSaved = 1
	s.setMask(uc.mask)
}

// restorer returns the address of the code that handlers return to: a
// rt_sigreturn call; defined in vdso_arm64.s.
func restorer() uintptr
