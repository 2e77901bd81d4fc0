package sync

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/kernel"
	"irqlab/list"
)

// WorkItem is a WORK_QUEUE_ITEM (32 bytes): a routine to be called at
// PASSIVE_LEVEL in a worker thread. Package work has the threads.
//
// The item is out of its queue when its routine is called, which may queue it
// again or free it.
//
// Documentation: "System Worker Threads", ExInitializeWorkItem.
type WorkItem struct {
	Entry     list.Entry // linked while it is queued, else nil
	Routine   uintptr    // the func value
	Parameter unsafe.Pointer
}

// WorkRoutine is the routine of a work item. Once the item can be queued it is a
// top-level function, or something refers to it that the garbage collector sees.
//
// IRQL: PASSIVE_LEVEL
type WorkRoutine func(parameter unsafe.Pointer)

// WorkQueue names one of the system's queues (WORK_QUEUE_TYPE). There is one for
// each priority that the threads of a queue can run at.
//
// Documentation: WORK_QUEUE_TYPE.
type WorkQueue uint32

const (
	CriticalWork      WorkQueue = 0
	DelayedWork       WorkQueue = 1 // the one for drivers
	HyperCriticalWork WorkQueue = 2
	NormalWork        WorkQueue = 3
	BackgroundWork    WorkQueue = 4
	RealTimeWork      WorkQueue = 5
	SuperCriticalWork WorkQueue = 6

	// CustomPriorityWork plus a priority from 1 to 31 is the queue of that priority.
	CustomPriorityWork WorkQueue = 32
)

// workPriorities are the priorities of the queues that have a name.
var workPriorities = [...]int8{
	CriticalWork: 13, DelayedWork: 12, HyperCriticalWork: 15, NormalWork: 8,
	BackgroundWork: 7, RealTimeWork: 18, SuperCriticalWork: 14,
}

// Priority returns the priority of the queue's threads, or 0 if there is no such
// queue.
func (which WorkQueue) Priority() int8 {
	switch {
	case which < WorkQueue(len(workPriorities)):
		return workPriorities[which]
	case which > CustomPriorityWork && which <= CustomPriorityWork+kernel.MaxPriority:
		return int8(which - CustomPriorityWork)
	}
	return 0
}

// workQueues are the system's queues by priority, and usedWork is the set of those
// that ever had an item. The dispatcher lock guards them.
var (
	workQueues [kernel.MaxPriority + 1]Queue
	usedWork   uint32
)

// SystemWork returns the system's queue of a priority, for the threads that serve
// it.
func SystemWork(priority int8) *Queue {
	q := &workQueues[priority]
	if q.Entries.Flink == nil {
		q.Queue.Init(0)
	}
	return q
}

// Kinds of misuse, parameter 1 of bug check WORKER_INVALID.
const (
	workFreed       = 0
	workQueuedTwice = 1
	noWorkQueue     = 6
)

// Init makes w an item that is not queued (ExInitializeWorkItem).
//
// IRQL: any
func (w *WorkItem) Init(r WorkRoutine, parameter unsafe.Pointer) {
	checkResident(unsafe.Pointer(w), unsafe.Sizeof(*w))
	w.Entry = list.Entry{}
	w.Routine = *(*uintptr)(unsafe.Pointer(&r))
	w.Parameter = parameter
}

// Queue hands the item to the worker threads (ExQueueWorkItem). An item that is
// queued already is bug check WORKER_INVALID, as is a queue that there is not.
//
// IRQL: <= DISPATCH_LEVEL
func (w *WorkItem) Queue(which WorkQueue) {
	priority := which.Priority()
	if priority == 0 {
		bugcheck.Stop(bugcheck.WorkerInvalid, noWorkQueue, uintptr(unsafe.Pointer(w)), uintptr(which), 0)
	}
	a := kernel.Args{P: unsafe.Pointer(w), A: uintptr(priority)}
	kernel.Enter(queueWork, &a)
}

// CheckIdle stops the machine if the item is queued: it is about to be freed.
//
// IRQL: any
func (w *WorkItem) CheckIdle() { w.refuseQueued(workFreed) }

// CheckQueueable stops the machine if the item is queued: it is about to be queued
// again, for another routine.
//
// IRQL: any
func (w *WorkItem) CheckQueueable() { w.refuseQueued(workQueuedTwice) }

func (w *WorkItem) refuseQueued(kind uintptr) {
	if Checked && w.Entry.Flink != nil {
		bugcheck.Stop(bugcheck.WorkerInvalid, kind, uintptr(unsafe.Pointer(w)), 0, 0)
	}
}

func queueWork(a *kernel.Args) {
	w, priority := (*WorkItem)(a.P), int8(a.A)
	old := kernel.LockDispatcher()
	if w.Entry.Flink != nil {
		bugcheck.Stop(bugcheck.WorkerInvalid, workQueuedTwice, uintptr(a.P), 0, 0)
	}
	atomic.StoreUint32(&usedWork, usedWork|1<<priority)
	SystemWork(priority).InsertLocked(&w.Entry, false)
	kernel.UnlockDispatcher(old)
}

// EachWorkItem calls fn for every item that is queued until it returns false.
// Dispatcher lock held.
func EachWorkItem(fn func(*WorkItem) bool) {
	for set := atomic.LoadUint32(&usedWork); set != 0; set &= set - 1 {
		q := &workQueues[bits.TrailingZeros32(set)]
		if q.Len() == 0 {
			continue
		}
		for e := q.Entries.Flink; e != &q.Entries; e = e.Flink {
			if !fn((*WorkItem)(unsafe.Pointer(e))) { // Entry is its first field
				return
			}
		}
	}
}

// checkFreeWork stops the machine if a queued item lies in [lo, hi), which is
// about to be freed.
func checkFreeWork(lo, hi uintptr) {
	for set := atomic.LoadUint32(&usedWork); set != 0; set &= set - 1 {
		q := &workQueues[bits.TrailingZeros32(set)]
		if q.Len() == 0 {
			continue
		}
		old := kernel.LockDispatcher()
		bad := uintptr(0)
		for e := q.Entries.Flink; e != &q.Entries; e = e.Flink {
			if at := uintptr(unsafe.Pointer(e)); at >= lo && at < hi {
				bad = at
			}
		}
		kernel.UnlockDispatcher(old)
		if bad != 0 {
			bugcheck.Stop(bugcheck.WorkerInvalid, workFreed, bad, lo, hi)
		}
	}
}
