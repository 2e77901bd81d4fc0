package main

import (
	"irqlab/arch"
	"irqlab/driver"
	"irqlab/intr"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() {
	for name, start := range driverStops {
		stops[name] = func() { unloads(start) }
	}
	stops["verifier-unload-failed"] = func() {
		driver.Load("mine.sys", func(*driver.Driver) NTSTATUS {
			leaked()
			return STATUS_INSUFFICIENT_RESOURCES
		})
	}
}

// driverStops are what drivers start that do not end it.
var driverStops = map[string]func(){
	"verifier-unload-pool":  func() { leaked(); leaked() },
	"verifier-unload-paged": func() { ExAllocatePool2(POOL_FLAG_PAGED, arch.PageSize, myTag) },
	"verifier-unload-pages": func() { ExAllocatePool2(POOL_FLAG_NON_PAGED, 3*arch.PageSize, myTag) },
	"verifier-unload-item":  func() { IoAllocateWorkItem(PVOID(alloc[DEVICE_OBJECT]())) },
	"verifier-unload-handle": func() {
		var h HANDLE
		ZwCreateEvent(&h, EVENT_ALL_ACCESS, nil, NotificationEvent, false)
	},
	"verifier-unload-reference": func() { ObReferenceObject(PVOID(KeGetCurrentThread())) },
	"verifier-unload-thread": func() {
		// It is about to end, which is not enough.
		startThread(func() { KeWaitForSingleObject(PVOID(event(false)), Executive, KernelMode, false, nil) })
	},
	"verifier-unload-work": func() { queuedTo(func(PVOID) {}) },
	"verifier-unload-working": func() {
		w, running := alloc[WORK_QUEUE_ITEM](), event(false)
		ExInitializeWorkItem(w, func(PVOID) {
			KeSetEvent(running, 0, false)
			waitFor(event(false), nil)
		}, nil)
		ExQueueWorkItem(w, DelayedWorkQueue)
		waitFor(running, nil)
	},
	"verifier-unload-timer": func() {
		t := alloc[KTIMER]()
		KeInitializeTimer(t)
		KeSetTimer(t, -3600*Second, newDPC())
	},
	"verifier-unload-dpc": func() {
		// An ordinary one would not let the others run, for which an unload waits.
		d := newDPC()
		KeInitializeThreadedDpc(d, again, nil)
		KeSetTargetProcessorDpc(d, 1)
		KeInsertQueueDpc(d, nil, nil)
	},
	"verifier-unload-interrupt": func() {
		connect(func(*intr.Interrupt, PVOID) bool { return true })
	},
}

var myTag = Tag("Mine")

func leaked() PVOID { return ExAllocatePool2(POOL_FLAG_NON_PAGED, 40, myTag) }

// startThread runs fn on a system thread that nobody has a handle to.
func startThread(fn func()) {
	var h HANDLE
	PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) { fn() }, nil)
	ZwClose(h)
}

// again is a DPC routine that queues its DPC again.
func again(d PKDPC, _, _, _ PVOID) {
	KeInsertQueueDpc(d, nil, nil)
	KeStallExecutionProcessor(1000)
}

// unloads loads and unloads a driver, this package, that starts something.
func unloads(start func()) {
	d, s := driver.Load("mine.sys", func(d *driver.Driver) NTSTATUS {
		start()
		d.Unload = func() {}
		return STATUS_SUCCESS
	})
	if !NT_SUCCESS(s) {
		tb{}.Fatal(s)
	}
	kit.OnCPU(0)
	d.End()
}
