package sync

import (
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

// WorkQueue names one of the system's queues (WORK_QUEUE_TYPE).
type WorkQueue uint32

const (
	CriticalWork      WorkQueue = iota // its workers run at priority 13
	DelayedWork                        // 12; the one for drivers
	HyperCriticalWork                  // 15; reserved
	WorkQueues
)

// workQueues are the system's queues. The dispatcher lock guards them.
var workQueues [WorkQueues]Queue

// SystemWork returns one of the system's queues, for the threads that serve it.
func SystemWork(which WorkQueue) *Queue {
	q := &workQueues[which]
	if q.Entries.Flink == nil {
		q.Queue.Init(0)
	}
	return q
}

// Kinds of misuse, parameter 1 of bug check WORKER_INVALID.
const (
	workFreed       = 0
	workQueuedTwice = 1
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
// queued already is bug check WORKER_INVALID.
//
// IRQL: <= DISPATCH_LEVEL
func (w *WorkItem) Queue(which WorkQueue) {
	a := kernel.Args{P: unsafe.Pointer(w), A: uintptr(which)}
	kernel.Enter(queueWork, &a)
}

// CheckIdle stops the machine if the item is queued: it is about to be changed
// or freed.
//
// IRQL: any
func (w *WorkItem) CheckIdle() {
	if Checked && w.Entry.Flink != nil {
		bugcheck.Stop(bugcheck.WorkerInvalid, workFreed, uintptr(unsafe.Pointer(w)), 0, 0)
	}
}

func queueWork(a *kernel.Args) {
	w := (*WorkItem)(a.P)
	old := kernel.LockDispatcher()
	if w.Entry.Flink != nil {
		bugcheck.Stop(bugcheck.WorkerInvalid, workQueuedTwice, uintptr(a.P), 0, 0)
	}
	SystemWork(WorkQueue(a.A)).InsertLocked(&w.Entry, false)
	kernel.UnlockDispatcher(old)
}

// EachWorkItem calls fn for every item that is queued until it returns false.
// Dispatcher lock held.
func EachWorkItem(fn func(*WorkItem) bool) {
	for i := range workQueues {
		q := &workQueues[i]
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
	for i := range workQueues {
		q := &workQueues[i]
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
