package kernel

import (
	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/ntstatus"
)

// Throw raises an exception in Go code; package seh sets it, since a panic is
// nothing that resident code can do.
var Throw func(s ntstatus.Status)

// RaiseStatus raises an exception (ExRaiseStatus): in Go code of a thread one that
// handlers see; in kernel context and at DISPATCH_LEVEL, where there are none, a
// bug check. It does not return. No lock may be held.
//
// IRQL: any
func RaiseStatus(s ntstatus.Status) {
	if Throw == nil || arch.InKernel() || irql.Current() >= irql.Dispatch {
		if arch.InKernel() && arch.ThisCPU().Interrupt.Contains(arch.FramePointer()) {
			stopFor(bugcheck.InterruptException, &ExceptionRecord{Code: s}, nil)
		}
		bugcheck.Stop(bugcheck.KmodeExceptionNotHandled, uintptr(uint32(s)), 0, 0, 0)
	}
	Throw(s)
}
