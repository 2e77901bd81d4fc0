package arch

import (
	"testing"
	"unsafe"
)

func TestCause(t *testing.T) {
	esr := func(class, iss uint64) uint64 { return class<<ecShift | 1<<25 | iss }
	const kernelSP = KernelBase + stackSlot - 256
	for _, c := range []struct {
		name string
		f    Frame
		want Cause
	}{
		{"IRQ from Go code", Frame{Kind: kindIRQ}, CauseInterrupt},
		{"IRQ from the kernel", Frame{Kind: kindKernel + kindIRQ}, CauseInterrupt},
		{"FIQ", Frame{Kind: kindFIQ}, CauseOther},
		{"SError", Frame{Kind: kindKernel + kindSError}, CauseMachineCheck},
		{"vector of a lower EL", Frame{Kind: 8}, CauseOther},
		{"overflowed stack", Frame{Kind: kindStackOverflow}, CauseDoubleFault},
		{"unknown instruction", Frame{Syndrome: esr(0, 0)}, CauseUndefined},
		{"illegal execution state", Frame{Syndrome: esr(0x0e, 0)}, CauseUndefined},
		{"SVC from the kernel", Frame{Kind: kindKernel, Syndrome: esr(ecSVC, 0)}, CauseUndefined},
		{"BRK", Frame{Syndrome: esr(ecBRK, 7)}, CauseBreakpoint},
		{"single step", Frame{Syndrome: esr(0x33, 0)}, CauseDebug},
		{"watchpoint", Frame{Syndrome: esr(0x35, 0)}, CauseDebug},
		{"PC alignment", Frame{Syndrome: esr(ecPCAlignment, 0)}, CauseAlignment},
		{"SP alignment", Frame{Syndrome: esr(ecSPAlignment, 0)}, CauseAlignment},
		{"trapped FP exception", Frame{Syndrome: esr(ecFloat, 0)}, CauseFloat},
		{"synchronous SError", Frame{Syndrome: esr(ecSError, 0)}, CauseMachineCheck},
		{"address size", Frame{Syndrome: esr(ecDataAbort, 0x00)}, CauseProtection},
		{"translation, level 0", Frame{Syndrome: esr(ecDataAbort, 0x04), FaultReg: 8}, CausePageFault},
		{"translation, level 3", Frame{Syndrome: esr(ecInstrAbort, 0x07), FaultReg: 8}, CausePageFault},
		{"access flag", Frame{Syndrome: esr(ecDataAbort, 0x0b), FaultReg: 8}, CausePageFault},
		{"permission", Frame{Syndrome: esr(ecDataAbort, 0x4f), FaultReg: 8}, CausePageFault},
		{"external abort", Frame{Syndrome: esr(ecDataAbort, 0x10)}, CauseMachineCheck},
		{"alignment", Frame{Syndrome: esr(ecDataAbort, 0x21)}, CauseAlignment},
		{"TLB conflict", Frame{Syndrome: esr(ecDataAbort, 0x30)}, CauseMachineCheck},
		{"poisoned pointer", Frame{Syndrome: esr(ecDataAbort, 0x04), FaultReg: poison + 8}, CauseProtection},
		{"guard of the running stack", Frame{Kind: kindKernel, PState: pstateEL1h, Syndrome: esr(ecDataAbort, 0x07),
			StackPointer: kernelSP, FaultReg: KernelBase + stackSlot - stackSize - 8}, CauseDoubleFault},
		{"guard of another stack", Frame{Kind: kindKernel, PState: pstateEL1h, Syndrome: esr(ecDataAbort, 0x07),
			StackPointer: kernelSP, FaultReg: KernelBase + 2*stackSlot - stackSize - 8}, CausePageFault},
		{"a stack's guard, from Go code", Frame{PState: pstateEL1t, Syndrome: esr(ecDataAbort, 0x07),
			StackPointer: kernelSP, FaultReg: KernelBase + 8}, CausePageFault},
	} {
		if got := c.f.Cause(); got != c.want {
			t.Errorf("%s: cause %d, want %d", c.name, got, c.want)
		}
	}
}

func TestFaultAddress(t *testing.T) {
	for _, c := range []struct {
		syndrome uint64
		want     Access
	}{
		{ecDataAbort<<ecShift | 0x07, AccessRead},
		{ecDataAbort<<ecShift | issWrite | 0x07, AccessWrite},
		{ecInstrAbort<<ecShift | 0x0f, AccessExecute},
	} {
		f := Frame{Syndrome: c.syndrome, FaultReg: 0x1234}
		if va, a := f.FaultAddress(); va != 0x1234 || a != c.want {
			t.Errorf("syndrome %#x: %#x, access %d, want %d", c.syndrome, va, a, c.want)
		}
	}
}

// TestFrameLayout checks what the vectors take for granted.
func TestFrameLayout(t *testing.T) {
	var f Frame
	if n := unsafe.Sizeof(f); n%16 != 0 || n > 0xfff {
		t.Errorf("a frame of %d bytes does not fit the stack's alignment or ADD's immediate", n)
	}
	for _, c := range []struct {
		name          string
		first, second uintptr
	}{
		{"X30, StackPointer", unsafe.Offsetof(f.X) + 30*8, unsafe.Offsetof(f.StackPointer)},
		{"Chain, IP", unsafe.Offsetof(f.Chain), unsafe.Offsetof(f.IP)},
		{"PState, Level", unsafe.Offsetof(f.PState), unsafe.Offsetof(f.Level)},
		{"Kind, Syndrome", unsafe.Offsetof(f.Kind), unsafe.Offsetof(f.Syndrome)},
		{"FaultReg, FPSaved", unsafe.Offsetof(f.FaultReg), unsafe.Offsetof(f.FPSaved)},
		{"FPSR, FPCR", unsafe.Offsetof(f.FPSR), unsafe.Offsetof(f.FPCR)},
	} {
		if c.second != c.first+8 {
			t.Errorf("%s are not a pair", c.name)
		}
	}
	if end := unsafe.Offsetof(f.V) + unsafe.Sizeof(f.V); unsafe.Sizeof(f)-end < 8 {
		t.Error("the frame touches the word below the interrupted stack pointer")
	}
}

func TestPTE(t *testing.T) {
	for _, p := range []Prot{0, ProtWrite, ProtExec, ProtWrite | ProtDevice} {
		e := MakePTE(0x0000_9abc_def0_1000, p)
		if !e.Present() || e.Leaf() || e.Address() != 0x0000_9abc_def0_1000 || e.Prot() != p {
			t.Errorf("page with %d: %#x", p, e)
		}
		b := makeBlock(0x4000_0000, p)
		if !b.Present() || !b.Leaf() || b.Address() != 0x4000_0000 || b.Prot() != p {
			t.Errorf("block with %d: %#x", p, b)
		}
	}
	if e := MakeTable(0x5000); !e.Present() || e.Leaf() || e.Address() != 0x5000 {
		t.Errorf("table: %#x", e)
	}
	if PTE(0).Present() {
		t.Error("0 is present")
	}
}

func TestSGITarget(t *testing.T) {
	for _, c := range []struct{ affinity, want uint64 }{
		{0, 1 << 0},
		{7, 1 << 7},
		{0x0000_0102, 1<<16 | 1<<2},
		{0x12, 1<<44 | 1<<2},
		{0x05_0003_0201, 5<<48 | 3<<32 | 2<<16 | 1<<1},
	} {
		cpu := CPU{machine: cpuState{affinity: c.affinity}}
		if got := cpu.SGITarget(); got != c.want {
			t.Errorf("affinity %#x: %#x, want %#x", c.affinity, got, c.want)
		}
	}
}
