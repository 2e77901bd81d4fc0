package main

import (
	"unsafe"

	"irqlab/intr"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/seh"
	"irqlab/sync/spin"
	"irqlab/tests/kit"
)

func init() {
	for name, stop := range sehStops {
		stops[name] = stop
	}
}

var sehStops = map[string]func(){
	"seh-unhandled":       func() { unhandled(func() { kernel.RaiseStatus(ntstatus.NoMemory) }) },
	"seh-unhandled-fault": func() { unhandled(func() { *(*int)(nothingThere) = 1 }) },
	"seh-unhandled-panic": func() { unhandled(func() { panic("at the disco") }) },
	"seh-thread":          func() { system(func() { unhandled(func() { *(*int)(nothingThere) = 1 }) }) },
	"seh-system-address":  func() { caught(func() { *(*byte)(unsafe.Pointer(absent)) = 1 }) },
	"seh-top-address":     func() { touch(top) },
	"seh-top-caught":      func() { system(func() { caught(func() { touch(top) }) }) },
	"seh-top-dispatch":    func() { irql.Raise(irql.Dispatch); touch(top) },
	"seh-no-address":      func() { unhandled(func() { touch(between) }) },
	"seh-kernel":          func() { caught(func() { kit.Kernel(func() { *(*int)(nothingThere) = 1 }) }) },
	"seh-kernel-thread":   func() { system(func() { kit.Kernel(func() { *(*int)(nothingThere) = 1 }) }) },
	"seh-isr":             func() { connect(raisesException); kit.Interrupt(6) },
	"seh-isr-fault":       func() { connect(faults); kit.Interrupt(6) },
	"seh-spin-lock": func() {
		l := alloc[spin.Lock]()
		caught(func() { l.Acquire(); kernel.RaiseStatus(ntstatus.NoMemory) })
	},
	"seh-dispatch": func() { caught(func() { irql.Raise(irql.Dispatch); *(*int)(nothingThere) = 1 }) },
}

// top is an address on the last page there is, where nothing is mapped, and
// between is in neither half of the address space.
var top, between uintptr = ^uintptr(0xfff), 1 << 55

func touch(at uintptr) { *(*byte)(unsafe.Pointer(at)) = 1 }

// unhandled runs fn in blocks that do not want its exception; nothing of them
// must run.
func unhandled(fn func()) {
	seh.Try(func() {
		seh.Finally(fn, func(bool) { println("a finally block ran") })
	}, seh.Only(ntstatus.Pending), func(*seh.Exception) { println("a handler ran") })
}

// caught runs fn in a block that wants any exception.
func caught(fn func()) {
	seh.Try(fn, seh.Handle, func(*seh.Exception) { println("a handler ran") })
}

func raisesException(*intr.Interrupt, unsafe.Pointer) bool {
	kernel.RaiseStatus(ntstatus.NoMemory)
	return true
}

// faults calls what is no instruction.
func faults(*intr.Interrupt, unsafe.Pointer) bool {
	undefined()
	return true
}

// undefined executes an instruction that there is not; defined in assembly.
func undefined()
