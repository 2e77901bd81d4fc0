package bugcheck

import "irqlab/arch"

// answered is where a debugger notes, by processor, that it has seen a breakpoint.
var answered [arch.MaxCPUs]bool

// Breakpoint shows a debugger the breakpoint that made f, and reports whether
// there is one: then the code that was interrupted goes on behind it. Interrupts
// are disabled.
//
// IRQL: any
func Breakpoint(f *arch.Frame) bool {
	seen := &answered[arch.ThisCPU().ID]
	*seen = false
	debuggerBreak()
	if *seen {
		f.SkipBreakpoint()
	}
	return *seen
}

// debuggerBreak is where a debugger stops the machine for a breakpoint: see
// package kd, wanted.
//
//go:noinline
func debuggerBreak() {}
