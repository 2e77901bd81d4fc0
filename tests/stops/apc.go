package main

import (
	"unsafe"

	"irqlab/apc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/thread"
)

func init() {
	for name, stop := range apcStops {
		stops[name] = stop
	}
}

var apcStops = map[string]func(){
	"apc-kernel-level": func() { insert(raiseAPC, nil) },
	"apc-normal-level": func() {
		insert(quietly, func(_, _, _ unsafe.Pointer) { irql.Raise(irql.APC) })
	},
	"apc-normal-region": func() {
		insert(quietly, func(_, _, _ unsafe.Pointer) { kernel.EnterCriticalRegion() })
	},
	"apc-normal-panic": func() {
		insert(quietly, func(_, _, _ unsafe.Pointer) { panic("in an APC") })
	},
	"apc-exit-pending": func() {
		inThread(func() {
			kernel.EnterCriticalRegion()
			insert(quietly, func(_, _, _ unsafe.Pointer) {})
		})
	},
	"apc-exit-region": func() { inThread(kernel.EnterGuardedRegion) },
}

// inThread runs fn on a system thread, which ends then.
func inThread(fn func()) {
	thread.Start("stops", func() { fn(); exit() })
	select {}
}

//go:noinline
func exit() { thread.Exit(ntstatus.Success) }

// insert queues a kernel APC to the running thread.
func insert(k kernel.KernelRoutine, n kernel.NormalRoutine) {
	a := alloc[kernel.APC]()
	apc.Init(a, kernel.Current(), k, nil, n, kernel.KernelMode, nil)
	apc.Insert(a, nil, nil, 0)
}

func quietly(*kernel.APC, *kernel.NormalRoutine, *unsafe.Pointer, *unsafe.Pointer, *unsafe.Pointer) {}

func raiseAPC(*kernel.APC, *kernel.NormalRoutine, *unsafe.Pointer, *unsafe.Pointer, *unsafe.Pointer) {
	irql.Raise(irql.Dispatch)
}
