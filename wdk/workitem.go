package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/pool"
	"irqlab/sync"
	_ "irqlab/work" // the worker threads
)

// WORK_QUEUE_ITEM is 32 bytes of nonpaged pool.
type (
	WORK_QUEUE_ITEM  = sync.WorkItem
	PWORK_QUEUE_ITEM = *WORK_QUEUE_ITEM
)

// WORK_QUEUE_TYPE names one of the system's queues of work items.
type WORK_QUEUE_TYPE = sync.WorkQueue

const (
	CriticalWorkQueue       = sync.CriticalWork       // its threads run at priority 13
	DelayedWorkQueue        = sync.DelayedWork        // 12
	HyperCriticalWorkQueue  = sync.HyperCriticalWork  // 15
	NormalWorkQueue         = sync.NormalWork         // 8
	BackgroundWorkQueue     = sync.BackgroundWork     // 7
	RealTimeWorkQueue       = sync.RealTimeWork       // 18
	SuperCriticalWorkQueue  = sync.SuperCriticalWork  // 14
	CustomPriorityWorkQueue = sync.CustomPriorityWork // plus a priority, 1 to 31
)

type (
	// PWORKER_THREAD_ROUTINE is the routine of a WORK_QUEUE_ITEM.
	//
	// IRQL: PASSIVE_LEVEL
	PWORKER_THREAD_ROUTINE = sync.WorkRoutine

	// PIO_WORKITEM_ROUTINE is the routine of an IO_WORKITEM.
	//
	// IRQL: PASSIVE_LEVEL
	PIO_WORKITEM_ROUTINE = func(DeviceObject PVOID, Context PVOID)

	// PIO_WORKITEM_ROUTINE_EX is one that is told its IO_WORKITEM, so that it can
	// free it.
	//
	// IRQL: PASSIVE_LEVEL
	PIO_WORKITEM_ROUTINE_EX = func(IoObject PVOID, Context PVOID, IoWorkItem PIO_WORKITEM)
)

// IO_WORKITEM is a work item of a device. Its fields are nobody's business: they
// are words, because a DPC may set them and must not store pointers.
type IO_WORKITEM struct {
	item     sync.WorkItem
	object   uintptr
	routine  uintptr
	context  uintptr
	extended bool
}

// PIO_WORKITEM points to an IO_WORKITEM in nonpaged pool.
type PIO_WORKITEM = *IO_WORKITEM

const workTag pool.Tag = 'I' | 'o'<<8 | 'W'<<16 | 'i'<<24

// ExInitializeWorkItem makes Item an item that is not queued. The routine is
// responsible for freeing its memory.
//
// IRQL: any
//
// Documentation: "ExInitializeWorkItem function (wdm.h)"
func ExInitializeWorkItem(Item PWORK_QUEUE_ITEM, Routine PWORKER_THREAD_ROUTINE, Context PVOID) {
	mayBecome(&aWorkItem, unsafe.Pointer(Item))
	mustCall(Routine)
	hold(unsafe.Pointer(Item), Routine, Context)
	Item.Init(Routine, Context)
}

// ExQueueWorkItem hands the item to the threads of a queue. One that is queued
// already, or a queue that there is not, is bug check WORKER_INVALID.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExQueueWorkItem function (wdm.h)"
func ExQueueWorkItem(WorkItem PWORK_QUEUE_ITEM, QueueType WORK_QUEUE_TYPE) {
	atMostWith(irql.Dispatch, &aWorkItem, unsafe.Pointer(WorkItem))
	WorkItem.Queue(QueueType)
}

// IoAllocateWorkItem returns a work item for a device, or nil if there is no
// memory.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoAllocateWorkItem function (wdm.h)"
func IoAllocateWorkItem(DeviceObject PVOID) PIO_WORKITEM {
	atMost(irql.Dispatch)
	w := PIO_WORKITEM(pool.Alloc(unsafe.Sizeof(IO_WORKITEM{}), workTag))
	if w != nil {
		IoInitializeWorkItem(DeviceObject, w)
	}
	return w
}

// IoSizeofWorkItem returns the size of an IO_WORKITEM in bytes.
//
// IRQL: any
//
// Documentation: "IoSizeofWorkItem function (wdm.h)"
func IoSizeofWorkItem() ULONG { return ULONG(unsafe.Sizeof(IO_WORKITEM{})) }

// IoInitializeWorkItem makes a work item of IoSizeofWorkItem bytes of nonpaged
// pool.
//
// IRQL: any
//
// Documentation: "IoInitializeWorkItem function (wdm.h)"
func IoInitializeWorkItem(IoObject PVOID, IoWorkItem PIO_WORKITEM) {
	mayBecome(&anIoWorkItem, unsafe.Pointer(IoWorkItem))
	IoWorkItem.object = uintptr(IoObject)
	IoWorkItem.item.Init(runIoWork, PVOID(IoWorkItem))
}

// IoUninitializeWorkItem ends what IoInitializeWorkItem began. The item is not
// queued, nor can it be from then on.
//
// IRQL: any
//
// Documentation: "IoUninitializeWorkItem function (wdm.h)"
func IoUninitializeWorkItem(IoWorkItem PIO_WORKITEM) {
	mustBe(&anIoWorkItem, unsafe.Pointer(IoWorkItem))
	IoWorkItem.checkIdle()
	IoWorkItem.item.Routine = 0
	hold[PIO_WORKITEM_ROUTINE](unsafe.Pointer(IoWorkItem), nil, nil)
}

// IoFreeWorkItem frees an item that is not queued. Its own routine may.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoFreeWorkItem function (wdm.h)"
func IoFreeWorkItem(IoWorkItem PIO_WORKITEM) {
	atMostWith(irql.Dispatch, &anIoWorkItem, unsafe.Pointer(IoWorkItem))
	IoWorkItem.checkIdle()
	pool.Free(unsafe.Pointer(IoWorkItem), workTag)
}

// checkIdle stops the machine if the item is queued.
func (w *IO_WORKITEM) checkIdle() { w.item.CheckIdle() }

// IoQueueWorkItem has WorkerRoutine called in a worker thread. QueueType is
// DelayedWorkQueue.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoQueueWorkItem function (wdm.h)"
func IoQueueWorkItem(IoWorkItem PIO_WORKITEM, WorkerRoutine PIO_WORKITEM_ROUTINE, QueueType WORK_QUEUE_TYPE, Context PVOID) {
	atMostWith(irql.Dispatch, &anIoWorkItem, unsafe.Pointer(IoWorkItem))
	mustCall(WorkerRoutine)
	hold(unsafe.Pointer(IoWorkItem), WorkerRoutine, Context)
	IoWorkItem.queue(*(*uintptr)(unsafe.Pointer(&WorkerRoutine)), false, QueueType, Context)
}

// IoQueueWorkItemEx is IoQueueWorkItem for a routine that is told the item, so
// that it can free it.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoQueueWorkItemEx function (wdm.h)"
func IoQueueWorkItemEx(IoWorkItem PIO_WORKITEM, WorkerRoutine PIO_WORKITEM_ROUTINE_EX, QueueType WORK_QUEUE_TYPE, Context PVOID) {
	atMostWith(irql.Dispatch, &anIoWorkItem, unsafe.Pointer(IoWorkItem))
	mustCall(WorkerRoutine)
	hold(unsafe.Pointer(IoWorkItem), WorkerRoutine, Context)
	IoWorkItem.queue(*(*uintptr)(unsafe.Pointer(&WorkerRoutine)), true, QueueType, Context)
}

func (w *IO_WORKITEM) queue(routine uintptr, extended bool, which WORK_QUEUE_TYPE, context PVOID) {
	w.item.CheckQueueable()
	w.routine, w.extended, w.context = routine, extended, uintptr(context)
	w.item.Queue(which)
}

// runIoWork is the routine of every IO_WORKITEM's item. The routine and the
// context are variables of the worker's stack from here on: the item may go.
func runIoWork(parameter PVOID) {
	w := PIO_WORKITEM(parameter)
	object, context := PVOID(w.object), PVOID(w.context)
	kernel.Current().Routine = *(*uintptr)(unsafe.Pointer(w.routine))
	if w.extended {
		(*(*PIO_WORKITEM_ROUTINE_EX)(unsafe.Pointer(&w.routine)))(object, context, w)
		return
	}
	(*(*PIO_WORKITEM_ROUTINE)(unsafe.Pointer(&w.routine)))(object, context)
}
