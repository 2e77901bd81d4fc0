package entry

import (
	"unsafe"

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
func trap(f *arch.Frame) {
	if f.Interrupt() {
		interrupt(f)
	} else if !except(f) {
		return
	}
	if !f.FromKernel() {
		leave(f)
	}
}

// except serves an exception. It reports false if nothing is to be delivered in
// the middle of whatever it hit.
func except(f *arch.Frame) bool {
	switch f.Cause() {
	case arch.CausePageFault:
		pageFault(f)
	case arch.CauseNMI:
		irql.Set(irql.High)
		bugcheck.NMI(f)
		return false
	case arch.CauseBreakpoint:
		if !f.FromKernel() && kernel.ServeCall(f) {
			return false
		}
		if mayHandle(f) && kernel.Filtered() || !bugcheck.Breakpoint(f) {
			exception(f)
		}
	case arch.CauseDebug:
		if f.FromKernel() || !kernel.Stepped(f) {
			exception(f)
		}
	default:
		exception(f)
	}
	return true
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
		dispatch()
	case irql.High:
		bugcheck.NMI(f) // where no interrupt is non-maskable
		board.EndOfInterrupt(v)
	default:
		cpu := arch.ThisCPU()
		s := service{cpu, v, level, irql.Level(f.IRQL())}
		arg := uintptr(unsafe.Pointer(&s))
		if cpu.KernelG == &cpu.Interrupt.G {
			serve(arg)
			return
		}
		was := kernel.EnterInterrupt(cpu)
		arch.CallOn(&cpu.Interrupt, serve, arg)
		kernel.LeaveInterrupt(cpu, was)
		if cpu.DispatchWanted {
			cpu.DispatchWanted = false
			if s.interrupted < irql.Dispatch {
				irql.Set(irql.Dispatch)
				dispatch()
			} else {
				board.RequestSelf(uintptr(irql.Dispatch))
			}
		}
	}
}

// dispatch does the work of DISPATCH_LEVEL, the processor's level.
func dispatch() {
	arch.EnableInterrupts()
	kernel.DispatchInterrupt()
	arch.DisableInterrupts()
}

// service is what serve needs to know of an interrupt.
type service struct {
	cpu         *arch.CPU
	vector      board.Vector
	level       irql.Level
	interrupted irql.Level
}

// serve runs on the processor's interrupt stack at the interrupt's level. Its
// argument is the address of a service.
func serve(arg uintptr) {
	arch.EnableInterrupts()
	s := (*service)(unsafe.Pointer(arg))
	switch s.level {
	default:
		intr.Dispatch(s.cpu, s.vector, s.level)
	case irql.Clock:
		kernel.ClockInterrupt(s.interrupted)
	case irql.IPI:
		ipi.Interrupt(s.interrupted)
	}
	if fault.Now(fault.Nested) {
		fault.Touch()
	}
	arch.DisableInterrupts()
	board.EndOfInterrupt(s.vector)
}

// pageFault maps what is merely absent. What is left is an error of Go code at
// low IRQL, which gets a signal, or the end: no handler sees the fault of a
// system address.
func pageFault(f *arch.Frame) {
	va, access := f.FaultAddress()
	if mm.Fault(va, access) || paging.Fault(f, va) {
		return
	}
	if !pool.Fault(f, va, access) && (f.IRQL() >= uintptr(irql.Dispatch) || mm.System(va)) {
		bugcheck.PageFault(f, va, access)
	}
	fail(f, va, access)
}

// exception serves what the processor cannot go on after.
func exception(f *arch.Frame) { fail(f, 0, arch.AccessRead) }

// fail lets the code that caused an exception handle it, if it may.
func fail(f *arch.Frame, va uintptr, access arch.Access) {
	if !mayHandle(f) {
		kernel.Trapped(f, va, access)
	}
	linux.Fault(f, va, access)
}

// mayHandle reports whether f interrupted Go code at low IRQL. Nothing else can
// handle its exceptions.
func mayHandle(f *arch.Frame) bool {
	return !f.FromKernel() && f.IRQL() < uintptr(irql.Dispatch)
}

// syscall serves a system call of the Go runtime.
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
