package main

import (
	"os"
	"time"
	"unsafe"

	"irqlab/irql"
	"irqlab/tests/kit"
	"irqlab/thread"
	. "irqlab/wdk"
)

func init() {
	for name, stop := range wdkStops {
		stops[name] = stop
	}
}

// badHandle has the form of a handle, and is none.
const badHandle HANDLE = 0xFFFF_FFFF_8000_0000 | 4*3000

var wdkStops = map[string]func(){
	"wdk-set-high":     func() { e := event(false); irql.Raise(irql.High); KeSetEvent(e, 0, false) },
	"wdk-wait-device":  func() { e := event(true); irql.Raise(irql.DeviceMin); waitFor(e, kit.NoTime) },
	"wdk-wait-forever": func() { e := event(true); irql.Raise(irql.Dispatch); waitFor(e, nil) },
	"wdk-wait-time":    func() { e := event(true); irql.Raise(irql.Dispatch); waitFor(e, kit.Ms(1)) },
	"wdk-wait-user": func() {
		e := new(KEVENT)
		KeWaitForSingleObject(PVOID(e), Executive, UserMode, false, nil)
	},
	"wdk-wait-fast": func() {
		m := fast()
		KeWaitForSingleObject(PVOID(m), Executive, KernelMode, false, nil)
	},
	"wdk-wait-guarded": func() {
		m := guarded()
		KeAcquireGuardedMutex(m)
		KeWaitForSingleObject(PVOID(m), Executive, KernelMode, false, nil)
	},
	"wdk-wait-mutex-user": func() {
		m := alloc[KMUTEX]()
		KeInitializeMutex(m, 0)
		KeWaitForMutexObject(PVOID(m), Executive, UserMode, false, nil)
	},
	"wdk-wait-threaded": func() { inThreadedDPC(func() { waitFor((*KEVENT)(subject), kit.Ms(1)) }) },
	"wdk-delay-threaded": func() {
		inThreadedDPC(func() { KeDelayExecutionThread(KernelMode, false, kit.Ms(1)) })
	},
	"wdk-delay":        func() { irql.Raise(irql.Dispatch); KeDelayExecutionThread(KernelMode, false, kit.Ms(1)) },
	"wdk-delay-in-dpc": func() { inDPC(func() { KeDelayExecutionThread(KernelMode, false, kit.NoTime) }) },
	"wdk-flush-apc":    func() { irql.Raise(irql.APC); KeFlushQueuedDpcs() },
	"wdk-executing":    func() { KeIsExecutingDpc() },
	"wdk-free-nil":     func() { ExFreePool(nil) },
	"wdk-free-inside":  func() { ExFreePoolWithTag(unsafe.Add(PVOID(alloc[[64]byte]()), 16), ULONG(kit.Tag)) },
	"wdk-free-paged": func() {
		p := ExAllocatePool2(POOL_FLAG_PAGED, 64, ULONG(kit.Tag))
		ExFreePool2(p, ULONG(kit.Tag), nil)
		ExFreePool2(p, ULONG(kit.Tag), nil)
	},
	"wdk-create-apc":    func() { irql.Raise(irql.APC); system(func() {}) },
	"wdk-priority-apc":  func() { irql.Raise(irql.APC); KeSetPriorityThread(KeGetCurrentThread(), 9) },
	"wdk-dpc-elsewhere": func() { KeInitializeDpc(new(KDPC), body, nil) },
	"wdk-dpc-closure": func() {
		d, heap := newDPC(), new([64]byte)
		kit.Kernel(func() { KeInitializeDpc(d, body, PVOID(heap)) })
	},
	"extimer-flags":    func() { ExAllocateTimer(nil, nil, EX_TIMER_HIGH_RESOLUTION|EX_TIMER_NO_WAKE) },
	"extimer-absolute": func() { ExSetTimer(ExAllocateTimer(nil, nil, EX_TIMER_HIGH_RESOLUTION), 1, 0, nil) },
	"extimer-delete":   func() { ExDeleteTimer(ExAllocateTimer(nil, nil, 0), false, true, nil) },
	"extimer-inside": func() {
		m := ExAllocateTimer(func(m PEX_TIMER, _ PVOID) { ExDeleteTimer(m, true, true, nil) }, nil, 0)
		ExSetTimer(m, 0, 0, nil)
	},
	"iotimer-inside": func() {
		d := alloc[DEVICE_OBJECT]()
		IoInitializeTimer(d, func(d PDEVICE_OBJECT, _ PVOID) { IoStopTimer(d) }, nil)
		IoStartTimer(d)
		time.Sleep(time.Minute)
	},
	"iorequest-level": func() {
		d := alloc[DEVICE_OBJECT]()
		IoInitializeDpcRequest(d, func(PKDPC, PDEVICE_OBJECT, PVOID, PVOID) {})
		irql.Raise(irql.Dispatch)
		IoRequestDpc(d, nil, nil)
	},
	"notify-self": func() {
		var r PCREATE_THREAD_NOTIFY_ROUTINE
		r = func(_, _ HANDLE, _ BOOLEAN) { PsRemoveCreateThreadNotifyRoutine(r) }
		PsSetCreateThreadNotifyRoutine(r)
		system(func() {})
	},
	"float-level": func() {
		var s KFLOATING_SAVE
		old := irql.Raise(irql.Dispatch)
		KeSaveFloatingPointState(&s)
		irql.Lower(old)
		KeRestoreFloatingPointState(&s)
	},
	"float-nesting": func() {
		var outer, inner KFLOATING_SAVE
		old := irql.Raise(irql.Dispatch)
		KeSaveFloatingPointState(&outer)
		irql.Lower(old)
		KeSaveFloatingPointState(&inner)
	},
	"callout-exit": func() {
		system(func() {
			KeExpandKernelStackAndCallout(func(PVOID) { PsTerminateSystemThread(STATUS_SUCCESS) }, nil, 4096)
		})
	},
	"affinity-none":  func() { KeSetAffinityThread(KeGetCurrentThread(), 0) },
	"affinity-other": func() { KeSetAffinityThread(KeGetCurrentThread(), 1<<40|1) },
	"wdk-bugcheck":   func() { KeBugCheckEx(0xE2, 1, 2, 3, 4) },

	"exit-level": func() { system(func() { irql.Raise(irql.APC); PsTerminateSystemThread(STATUS_SUCCESS) }) },
	"exit-apcs":  func() { system(func() { KeEnterCriticalRegion(); PsTerminateSystemThread(STATUS_SUCCESS) }) },
	"exit-mutex": func() {
		system(func() {
			m := alloc[KMUTEX]()
			KeInitializeMutex(m, 0)
			KeWaitForMutexObject(PVOID(m), Executive, KernelMode, false, nil)
			PsTerminateSystemThread(STATUS_SUCCESS)
		})
	},
	"exit-exception": func() { system(func() { ExRaiseStatus(STATUS_ACCESS_VIOLATION) }) },
	"exit-nil":       func() { system(func() { *(*int)(nothingThere) = 1 }) },
	"return-level":   func() { system(func() { irql.Raise(irql.Dispatch) }) },
	"return-apcs":    func() { system(KeEnterCriticalRegion) },

	"object-references": func() {
		e := event(false)
		t, _ := thread.Start("victim", func() { KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, nil) })
		ObDereferenceObject(PVOID(t))
		ObDereferenceObject(PVOID(t))
	},
	"zw-level":      func() { irql.Raise(irql.APC); ZwClose(badHandle) },
	"zw-guarded":    func() { KeEnterGuardedRegion(); ZwClose(badHandle) },
	"handle-closed": func() { ZwClose(badHandle) },
}

// nothingThere is nil, which the compiler must not know.
var nothingThere = unsafe.Pointer(uintptr(len(os.Args)) >> 32)

func waitFor(e PKEVENT, timeout PLARGE_INTEGER) {
	KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, timeout)
}

// system runs fn on a system thread and waits for its end.
func system(fn func()) {
	var h HANDLE
	PsCreateSystemThread(&h, SYNCHRONIZE, nil, 0, nil, func(PVOID) { fn() }, nil)
	ZwWaitForSingleObject(h, false, nil)
}

// inThreadedDPC runs fn in a threaded DPC.
func inThreadedDPC(fn func()) {
	breach = fn
	subject = PVOID(event(false))
	d := alloc[KDPC]()
	KeInitializeThreadedDpc(d, body, nil)
	KeInsertQueueDpc(d, nil, nil)
	time.Sleep(time.Minute)
}
