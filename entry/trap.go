package entry

import (
	_ "unsafe" // for go:linkname

	"irqlab/arch"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/fault"
	"irqlab/intr"
	"irqlab/ipi"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/linux"
	"irqlab/mm"
	"irqlab/paging"
	"irqlab/pool"
)

// trap serves every exception and interrupt. Interrupts are disabled at entry
// and at return; the level is still the interrupted one.
//
//go:linkname trap
func trap(f *arch.Frame) {
	switch f.Cause() {
	case arch.CauseInterrupt:
		interrupt(f)
	case arch.CausePageFault:
		pageFault(f)
	case arch.CauseNMI:
		irql.Set(irql.High)
		bugcheck.NMI(f)
		return // nothing is delivered in the middle of whatever that was
	case arch.CauseBreakpoint:
		if !f.FromKernel() && kernel.ServeCall(f) {
			return
		}
		exception(f)
	case arch.CauseDebug:
		if f.FromKernel() || !kernel.Stepped(f) {
			exception(f)
		}
	default:
		exception(f)
	}
	if !f.FromKernel() {
		leave(f)
	}
}

// interrupt raises to the interrupt's level and serves it; returning from the
// trap restores the level in the frame.
func interrupt(f *arch.Frame) {
	v := board.Acknowledge(f)
	if v == board.Spurious {
		return
	}
	level := irql.Level(v.Level())
	irql.Set(level)
	switch level {
	case irql.APC:
		// Ended at once: an APC's routine may wait.
		board.EndOfInterrupt(v)
		arch.EnableInterrupts()
		kernel.APCInterrupt()
		arch.DisableInterrupts()
	case irql.Dispatch:
		// Ended at once: the thread may be switched out in there, and the next
		// one must be interruptible too.
		board.EndOfInterrupt(v)
		arch.EnableInterrupts()
		kernel.DispatchInterrupt()
		arch.DisableInterrupts()
	case irql.High:
		bugcheck.NMI(f) // where no interrupt is non-maskable
		board.EndOfInterrupt(v)
	default:
		was := kernel.EnterInterrupt()
		cpu := arch.ThisCPU()
		arg := uintptr(v) | f.IRQL()<<levelShift
		if cpu.KernelG == &cpu.Interrupt.G {
			serve(arg)
		} else {
			arch.CallOn(&cpu.Interrupt, serve, arg)
		}
		kernel.LeaveInterrupt(was)
	}
}

// levelShift is where serve's argument has the interrupted level; the vector is
// below.
const levelShift = 32

// serve runs on the processor's interrupt stack at the interrupt's level.
func serve(arg uintptr) {
	v := board.Vector(arg)
	arch.EnableInterrupts()
	switch level := irql.Level(v.Level()); level {
	case irql.Clock:
		kernel.ClockInterrupt(irql.Level(arg >> levelShift))
	case irql.IPI:
		ipi.Interrupt(irql.Level(arg >> levelShift))
	default:
		intr.Dispatch(v, level)
	}
	if fault.Now(fault.Nested) {
		fault.Touch()
	}
	arch.DisableInterrupts()
	board.EndOfInterrupt(v)
}

// pageFault maps what is merely absent. What is left is an error of Go code at
// low IRQL, which gets a signal, or the end: no handler sees the fault of a
// system address.
func pageFault(f *arch.Frame) {
	va, access := f.FaultAddress()
	if mm.Fault(va, access) || paging.Fault(f, va) {
		return
	}
	pool.Fault(f, va, access)
	if f.IRQL() >= uintptr(irql.Dispatch) || mm.System(va) {
		bugcheck.PageFault(f, va, access)
	}
	fail(f, va, access)
}

// exception serves what the processor cannot go on after.
func exception(f *arch.Frame) { fail(f, 0, arch.AccessRead) }

// fail lets Go code at low IRQL handle its exception. Nothing else can.
func fail(f *arch.Frame, va uintptr, access arch.Access) {
	if f.FromKernel() || f.IRQL() >= uintptr(irql.Dispatch) {
		kernel.Trapped(f, va, access)
	}
	linux.Fault(f, va, access)
}

// syscall serves a system call of the Go runtime.
//
//go:linkname syscall
func syscall(f *arch.Frame) {
	arch.ThisContext().Frame = f
	arch.EnableInterrupts()
	linux.Syscall(f)
	arch.DisableInterrupts()
	leave(f)
}

// leave delivers what is pending for the thread before its Go code resumes:
// signals, and calls of normal APC routines. At a raised level it has to wait:
// the APC interrupt comes when the level falls.
func leave(f *arch.Frame) {
	c := arch.ThisContext()
	if c.Attention == 0 {
		return
	}
	if f.IRQL() != uintptr(irql.Passive) {
		board.RequestSelf(uintptr(irql.APC))
		return
	}
	c.Frame = f
	linux.Leave(f)
	kernel.InjectCall(f)
}
