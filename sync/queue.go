package sync

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/list"
	"irqlab/ntstatus"
)

// Queue is a KQUEUE (64 bytes): entries that threads wait for, of whom only so
// many run at a time. See kernel.Queue for the rules.
//
// Documentation: KeInitializeQueue.
type Queue struct {
	kernel.Queue
}

// Init makes q an empty queue whose threads run at most maximum at a time, 0
// meaning the number of processors (KeInitializeQueue).
//
// IRQL: <= DISPATCH_LEVEL
func (q *Queue) Init(maximum uint32) {
	checkNew(&q.Header, unsafe.Sizeof(*q))
	q.Queue.Init(maximum)
}

// Insert puts an entry at the end of the queue and returns how many there were
// (KeInsertQueue). The entry is in resident memory, and in no other list.
//
// IRQL: <= DISPATCH_LEVEL
func (q *Queue) Insert(e *list.Entry) int32 { return q.insert(e, false) }

// InsertHead puts an entry in front of the others (KeInsertHeadQueue).
//
// IRQL: <= DISPATCH_LEVEL
func (q *Queue) InsertHead(e *list.Entry) int32 { return q.insert(e, true) }

func (q *Queue) insert(e *list.Entry, head bool) int32 {
	a := kernel.Args{P: unsafe.Pointer(q), Q: unsafe.Pointer(e), A: truth(head)}
	kernel.Enter(insertQueue, &a)
	return word(&a)
}

func insertQueue(a *kernel.Args) {
	a.R = uintptr(uint32((*Queue)(a.P).Queue.Insert((*list.Entry)(a.Q), a.A != 0)))
}

// Remove takes the first entry, and waits for its turn if there is none or if
// enough of the queue's threads run (KeRemoveQueue). The timeout is that of
// Wait. Without an entry the status is STATUS_TIMEOUT, STATUS_ABANDONED, or, if it
// would wait in UserMode while a user APC is due, STATUS_USER_APC.
//
// The thread belongs to the queue from then on, so a goroutine that is not
// locked raises STATUS_INVALID_THREAD.
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout
func (q *Queue) Remove(timeout *int64, mode kernel.Mode) (*list.Entry, ntstatus.Status) {
	kernel.Owner()
	r := removal{queue: q, timeout: timeout, mode: mode}
	a := kernel.Args{P: unsafe.Pointer(&r)}
	if arch.InKernel() || timeout != nil && *timeout == 0 || irql.Current() >= irql.Dispatch {
		kernel.Enter(removeHere, &a)
		return r.entry, r.status
	}
	for {
		kernel.EnterBlocking(removeForGo, &a)
		if r.status != ntstatus.KernelAPC {
			return r.entry, r.status
		}
	}
}

// removal carries a Remove into the kernel.
type removal struct {
	queue   *Queue
	timeout *int64
	mode    kernel.Mode
	rewait  kernel.Rewait
	entry   *list.Entry
	status  ntstatus.Status
}

func removeHere(a *kernel.Args) {
	r := (*removal)(a.P)
	r.entry, r.status = r.queue.Queue.Remove(r.timeout, r.mode)
}

func removeForGo(a *kernel.Args) {
	r := (*removal)(a.P)
	r.entry, r.status = r.queue.Queue.RemoveFromGo(r.timeout, r.mode, &r.rewait)
}

// Rundown ends the queue, before its memory is freed: all who wait or come
// later get STATUS_ABANDONED (KeRundownQueue). It returns the entries that are
// left, in a circle without a head, or nil.
//
// IRQL: <= DISPATCH_LEVEL
func (q *Queue) Rundown() *list.Entry {
	a := kernel.Args{P: unsafe.Pointer(q)}
	kernel.Enter(rundownQueue, &a)
	return (*list.Entry)(a.P)
}

func rundownQueue(a *kernel.Args) { a.P = unsafe.Pointer((*Queue)(a.P).Queue.Rundown()) }

// Len returns the number of entries (KeReadStateQueue).
//
// IRQL: any
func (q *Queue) Len() int32 { return q.Header.State() }
