package arch

import (
	"testing"

	"irqlab/arch"
	"irqlab/board"
)

// Kinds of frames: numbers of vectors (Arm ARM DDI 0487, D1.3.1.2), and the one
// of the stack check.
const (
	kindIRQ           = 1
	kindFIQ           = 2
	kindSError        = 3
	kindKernel        = 4
	kindStackOverflow = 16
)

// Exception classes, ESR_EL1.EC (Arm ARM, D19.2.37).
const (
	ecShift       = 26
	ecSVC         = 0x15
	ecInstrAbort  = 0x21
	ecPCAlignment = 0x22
	ecDataAbort   = 0x25
	ecSPAlignment = 0x26
	ecFloat       = 0x2c
	ecSError      = 0x2f
	ecBRK         = 0x3c
	issWrite      = 1 << 6
)

const (
	pstateEL1t = 4
	pstateEL1h = 5

	stackSlot = 32 << 10
	stackSize = 16 << 10
)

func TestCause(t *testing.T) {
	esr := func(class, iss uint64) uint64 { return class<<ecShift | 1<<25 | iss }
	const kernelSP = arch.KernelBase + stackSlot - 256
	for _, c := range []struct {
		name string
		f    arch.Frame
		want arch.Cause
	}{
		{"IRQ from Go code", arch.Frame{Kind: kindIRQ}, arch.CauseInterrupt},
		{"IRQ from the kernel", arch.Frame{Kind: kindKernel + kindIRQ}, arch.CauseInterrupt},
		{"FIQ", arch.Frame{Kind: kindFIQ}, arch.CauseOther},
		{"SError", arch.Frame{Kind: kindKernel + kindSError}, arch.CauseMachineCheck},
		{"vector of a lower EL", arch.Frame{Kind: 8}, arch.CauseOther},
		{"overflowed stack", arch.Frame{Kind: kindStackOverflow}, arch.CauseDoubleFault},
		{"unknown instruction", arch.Frame{Syndrome: esr(0, 0)}, arch.CauseUndefined},
		{"illegal execution state", arch.Frame{Syndrome: esr(0x0e, 0)}, arch.CauseUndefined},
		{"SVC from the kernel", arch.Frame{Kind: kindKernel, Syndrome: esr(ecSVC, 0)}, arch.CauseUndefined},
		{"BRK", arch.Frame{Syndrome: esr(ecBRK, 7)}, arch.CauseBreakpoint},
		{"single step", arch.Frame{Syndrome: esr(0x33, 0)}, arch.CauseDebug},
		{"watchpoint", arch.Frame{Syndrome: esr(0x35, 0)}, arch.CauseDebug},
		{"PC alignment", arch.Frame{Syndrome: esr(ecPCAlignment, 0)}, arch.CauseAlignment},
		{"SP alignment", arch.Frame{Syndrome: esr(ecSPAlignment, 0)}, arch.CauseAlignment},
		{"trapped FP exception", arch.Frame{Syndrome: esr(ecFloat, 0)}, arch.CauseFloat},
		{"synchronous SError", arch.Frame{Syndrome: esr(ecSError, 0)}, arch.CauseMachineCheck},
		{"address size", arch.Frame{Syndrome: esr(ecDataAbort, 0x00)}, arch.CauseProtection},
		{"translation, level 0", arch.Frame{Syndrome: esr(ecDataAbort, 0x04), FaultReg: 8}, arch.CausePageFault},
		{"translation, level 3", arch.Frame{Syndrome: esr(ecInstrAbort, 0x07), FaultReg: 8}, arch.CausePageFault},
		{"access flag", arch.Frame{Syndrome: esr(ecDataAbort, 0x0b), FaultReg: 8}, arch.CausePageFault},
		{"permission", arch.Frame{Syndrome: esr(ecDataAbort, 0x4f), FaultReg: 8}, arch.CausePageFault},
		{"external abort", arch.Frame{Syndrome: esr(ecDataAbort, 0x10)}, arch.CauseMachineCheck},
		{"alignment", arch.Frame{Syndrome: esr(ecDataAbort, 0x21)}, arch.CauseAlignment},
		{"TLB conflict", arch.Frame{Syndrome: esr(ecDataAbort, 0x30)}, arch.CauseMachineCheck},
		{"poisoned pointer", arch.Frame{Syndrome: esr(ecDataAbort, 0x04), FaultReg: 0xdead_0000_0000_0008}, arch.CauseProtection},
		{"between the halves", arch.Frame{Syndrome: esr(ecDataAbort, 0x04), FaultReg: 0xfffe_ffff_ffff_fff8}, arch.CauseProtection},
		{"upper half", arch.Frame{Syndrome: esr(ecDataAbort, 0x04), FaultReg: 0xffff_0000_0000_0000}, arch.CausePageFault},
		{"guard of the running stack", arch.Frame{Kind: kindKernel, PState: pstateEL1h, Syndrome: esr(ecDataAbort, 0x07),
			StackPointer: kernelSP, FaultReg: arch.KernelBase + stackSlot - stackSize - 8}, arch.CauseDoubleFault},
		{"guard of another stack", arch.Frame{Kind: kindKernel, PState: pstateEL1h, Syndrome: esr(ecDataAbort, 0x07),
			StackPointer: kernelSP, FaultReg: arch.KernelBase + 2*stackSlot - stackSize - 8}, arch.CausePageFault},
		{"a stack's guard, from Go code", arch.Frame{PState: pstateEL1t, Syndrome: esr(ecDataAbort, 0x07),
			StackPointer: kernelSP, FaultReg: arch.KernelBase + 8}, arch.CausePageFault},
	} {
		if got := c.f.Cause(); got != c.want {
			t.Errorf("%s: cause %d, want %d", c.name, got, c.want)
		}
	}
}

func TestFaultAddress(t *testing.T) {
	for _, c := range []struct {
		syndrome uint64
		want     arch.Access
	}{
		{ecDataAbort<<ecShift | 0x07, arch.AccessRead},
		{ecDataAbort<<ecShift | issWrite | 0x07, arch.AccessWrite},
		{ecInstrAbort<<ecShift | 0x0f, arch.AccessExecute},
	} {
		f := arch.Frame{Syndrome: c.syndrome, FaultReg: 0x1234}
		if va, a := f.FaultAddress(); va != 0x1234 || a != c.want {
			t.Errorf("syndrome %#x: %#x, access %d, want %d", c.syndrome, va, a, c.want)
		}
	}
}

func TestPTE(t *testing.T) {
	for _, p := range []arch.Prot{0, arch.ProtWrite, arch.ProtExec, arch.ProtWrite | arch.ProtDevice} {
		e := arch.MakePTE(0x0000_9abc_def0_1000, p)
		if !e.Present() || e.Leaf() || e.Address() != 0x0000_9abc_def0_1000 || e.Prot() != p {
			t.Errorf("page with %d: %#x", p, e)
		}
	}
	if e := arch.MakeTable(0x5000); !e.Present() || e.Leaf() || e.Address() != 0x5000 {
		t.Errorf("table: %#x", e)
	}
	if arch.PTE(0).Present() {
		t.Error("0 is present")
	}
}

func TestVectorLevels(t *testing.T) {
	for level := uintptr(1); level <= 15; level++ {
		if got := board.SoftVector(level).Level(); got != level {
			t.Errorf("software vector of level %d has level %d", level, got)
		}
	}
}
