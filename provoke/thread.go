package provoke

import (
	"sync/atomic"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/dpc"
	"irqlab/driver"
	"irqlab/intr"
	"irqlab/ipi"
	"irqlab/irql"
	"irqlab/seh"

	. "irqlab/wdk"
)

func dereferenceTwice() {
	e := object[KEVENT]()
	KeInitializeEvent(e, NotificationEvent, false)
	var h HANDLE
	PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) {
		KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, nil)
	}, nil)
	var thread PVOID
	ObReferenceObjectByHandle(h, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &thread, nil)
	for range 10 {
		ObDereferenceObject(thread)
	}
}

func unhandledException() {
	seh.Try(func() { ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES) }, seh.Only(STATUS_TIMEOUT), func(*seh.Exception) {})
}

func nilInThread() { inThread(func() { *(*int)(nothing) = 1 }) }

func exitInRegion() {
	inThread(func() {
		KeEnterCriticalRegion()
		PsTerminateSystemThread(STATUS_SUCCESS)
	})
}

func acquiredMutex() *KMUTEX {
	m := object[KMUTEX]()
	KeInitializeMutex(m, 0)
	KeWaitForSingleObject(PVOID(m), Executive, KernelMode, false, nil)
	return m
}

func exitWithMutex() {
	inThread(func() {
		acquiredMutex()
		PsTerminateSystemThread(STATUS_SUCCESS)
	})
}

func workItemKeepsMutex()  { inWorkItem(func() { acquiredMutex() }) }
func workItemStaysRaised() { inWorkItem(func() { irql.Raise(irql.APC) }) }
func workItemEndsThread()  { inWorkItem(func() { PsTerminateSystemThread(STATUS_SUCCESS) }) }

// queueItemTwice queues an item that cannot be taken meanwhile: at DISPATCH_LEVEL
// there is no thread switch, and the other processors are kept busy.
func queueItemTwice() {
	busy := object[KEVENT]()
	KeInitializeEvent(busy, NotificationEvent, false)
	for range 2 * maxWorkers {
		w := object[WORK_QUEUE_ITEM]()
		ExInitializeWorkItem(w, func(PVOID) {
			KeWaitForSingleObject(PVOID(busy), Executive, KernelMode, false, nil)
		}, nil)
		ExQueueWorkItem(w, DelayedWorkQueue)
	}
	w := object[WORK_QUEUE_ITEM]()
	ExInitializeWorkItem(w, func(PVOID) {}, nil)
	ExQueueWorkItem(w, DelayedWorkQueue)
	ExQueueWorkItem(w, DelayedWorkQueue)
}

// maxWorkers is more than there are worker threads at first.
const maxWorkers = 32

func closeBadHandle() { ZwClose(0xFFFF_FFFF_8000_0000 | 4*3000) }

func queueTwice() {
	q, e := object[KQUEUE](), object[LIST_ENTRY]()
	KeInitializeQueue(q, 0)
	KeInsertQueue(q, e)
	KeInsertQueue(q, e)
	KeRemoveQueue(q, KernelMode, nil)
	KeRemoveQueue(q, KernelMode, nil)
}

func waitInDPC() {
	e := object[KEVENT]()
	KeInitializeEvent(e, NotificationEvent, false)
	timeout := -LARGE_INTEGER(1e4)
	inDPC(func() { KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, &timeout) })
}

func raiseInDPC() { inDPC(func() { irql.Raise(irql.DeviceMin) }) }

// spinInDPC has the watchdog lose its patience after a second, not twenty.
func spinInDPC() {
	const ticks = 64
	dpc.SingleLimit = ticks
	inDPC(func() {
		for {
			arch.Pause()
		}
	})
}

func attachInDPC() {
	state := object[KAPC_STATE]()
	inDPC(func() { KeStackAttachProcess(PsInitialSystemProcess, state) })
}

func detach() { KeUnstackDetachProcess(object[KAPC_STATE]()) }

// hangProcessor hangs the second processor, and has the first wait for its answer
// for a second, not thirty. A machine with one processor does not notice.
func hangProcessor() {
	ipi.Patience = 1
	if arch.NumCPUs < 2 {
		return
	}
	hung := object[uint32]()
	var h HANDLE
	PsCreateSystemThread(&h, SYNCHRONIZE, nil, 0, nil, func(PVOID) {
		KeSetSystemAffinityThread(1 << 1)
		irql.Raise(irql.High)
		atomic.StoreUint32(hung, 1)
		for {
			arch.Pause()
		}
	}, nil)
	for atomic.LoadUint32(hung) == 0 {
		arch.Pause()
	}
	ipi.Levels()
}

// unloadWithThread does not wait for its thread when it is unloaded.
func unloadWithThread() {
	d, _ := driver.Load("bad.sys", func(d *driver.Driver) NTSTATUS {
		var h HANDLE
		PsCreateSystemThread(&h, SYNCHRONIZE, nil, 0, nil, func(PVOID) { sleep() }, nil)
		d.Unload = func() { ZwClose(h) }
		return STATUS_SUCCESS
	})
	d.End()
}

// sendNMI interrupts its own processor. On ARM64 that is the interrupt at
// HIGH_LEVEL.
func sendNMI() {
	board.SendNMI(arch.ThisCPU().ID)
	sleep()
}

// faultInISR connects a service routine to an interrupt that is requested by
// software.
func faultInISR() {
	const level = 6
	i := object[KINTERRUPT]()
	i.Init(&intr.Config{Routine: invalidInstruction, Line: -1, Level: level, Mode: intr.Latched})
	i.Connect()
	board.RequestSelf(level)
	sleep()
}

func invalidInstruction(*KINTERRUPT, PVOID) bool {
	undefined()
	return true
}

// undefined executes an instruction that there is not; defined in assembly.
func undefined()
