package kernel

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/list"
	"irqlab/ntstatus"
)

// Queue is a KQUEUE (64 bytes): entries that threads wait for, and a bound on
// how many of those threads run at the same time. Entries are handed out first
// in, first out; of the threads that wait, the last one comes first, since its
// stack and caches are the warmest.
//
// A thread that has removed an entry belongs to the queue from then on, until
// it removes from another one or ends. It counts as running until it asks for
// the next entry, except while it waits for something else: then another may
// take its place, and for a while more may run than the bound says when that
// wait ends.
//
// Header.SignalState is the number of entries. All fields are guarded by the
// dispatcher lock.
type Queue struct {
	Header       Header
	Entries      list.Entry
	CurrentCount uint32     // threads of the queue that run
	MaximumCount uint32     // the bound
	Threads      list.Entry // threads of the queue
}

// The public x64 layout.
const (
	_ = uint(64 - unsafe.Sizeof(Queue{}))
	_ = uint(unsafe.Sizeof(Queue{}) - 64)
	_ = uint(0x18 - unsafe.Offsetof(Queue{}.Entries))
	_ = uint(0x30 - unsafe.Offsetof(Queue{}.Threads))
)

// serving is a thread's part in a queue. Dispatcher lock.
type serving struct {
	queue    *Queue
	entry    list.Entry  // in queue.Threads
	asking   bool        // it waits for an entry of the queue, so it is not counted
	received *list.Entry // what ended that wait
}

// Init makes q an empty queue (KeInitializeQueue). With a bound of 0 as many
// threads may run as there are processors.
//
// IRQL: <= DISPATCH_LEVEL
func (q *Queue) Init(maximum uint32) {
	if maximum == 0 {
		maximum = arch.NumCPUs
	}
	q.Header.Init(TypeQueue, unsafe.Sizeof(Queue{}), 0)
	q.Entries.Init()
	q.Threads.Init()
	q.CurrentCount, q.MaximumCount = 0, maximum
}

// Insert puts an entry at the end of the queue, or at its head, and returns how
// many there were (KeInsertQueue, KeInsertHeadQueue). If a thread waits and may
// run, it gets the entry at once. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func (q *Queue) Insert(e *list.Entry, head bool) int32 {
	old := LockDispatcher()
	n := q.InsertLocked(e, head)
	UnlockDispatcher(old)
	return n
}

// InsertLocked is Insert with the dispatcher lock held.
func (q *Queue) InsertLocked(e *list.Entry, head bool) int32 {
	n := q.Header.SignalState
	q.Header.SignalState++
	if head {
		q.Entries.InsertHead(e)
	} else {
		q.Entries.InsertTail(e)
	}
	q.activate()
	return n
}

// Remove takes an entry, and waits for one if there is none or if enough
// threads of the queue run (KeRemoveQueue). The timeout is that of a wait. The
// status is STATUS_TIMEOUT or STATUS_ABANDONED if the entry is nil, or
// STATUS_USER_APC if a user APC is due to a thread that would wait in UserMode.
// Kernel context.
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout
func (q *Queue) Remove(timeout *int64, mode Mode) (*list.Entry, ntstatus.Status) {
	return q.RemoveFromGo(timeout, mode, nil)
}

// RemoveFromGo is Remove on behalf of Go code; see WaitManyFromGo.
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout
func (q *Queue) RemoveFromGo(timeout *int64, mode Mode, r *Rewait) (*list.Entry, ntstatus.Status) {
	t := Current()
	if irql.Current() >= irql.Dispatch && (timeout == nil || *timeout != 0) {
		refuse(t)
	}
	var due uint64
	switch {
	case r != nil && r.begun:
		due = r.due
	case timeout != nil:
		due = dueTime(*timeout)
	}
	for {
		old := LockDispatcher()
		t.WaitIRQL = old
		switch t.apcsFirst(old, r != nil) {
		case waitAnew:
			continue
		case leaveWait:
			r.due, r.begun = due, true
			return nil, ntstatus.KernelAPC
		}
		if q.Header.Abandoned != 0 {
			UnlockDispatcher(old)
			return nil, ntstatus.AbandonedWait0
		}
		q.enlist(t)
		q.leave()
		if e := q.next(); e != nil {
			q.CurrentCount++
			UnlockDispatcher(old)
			return e, ntstatus.Success
		}
		if s, ok := t.alerted(false, mode); ok {
			q.CurrentCount++
			UnlockDispatcher(old)
			return nil, s
		}
		if timeout != nil && due <= InterruptTime() {
			q.CurrentCount++
			UnlockDispatcher(old)
			return nil, ntstatus.Timeout
		}
		t.waitFor(&q.Header, mode, r != nil)
		t.serving.asking, t.serving.received = true, nil
		s := t.blockUntil(due, old)
		if s != ntstatus.KernelAPC {
			return t.serving.received, s
		}
	}
}

// enlist makes t a thread of the queue that counts as running. Dispatcher lock
// held.
func (q *Queue) enlist(t *Thread) {
	if t.serving.queue != q {
		t.quit()
		t.serving.queue = q
		q.Threads.InsertTail(&t.serving.entry)
		q.CurrentCount++
	}
}

// quit takes a thread out of the queue that it belongs to, where it counts as
// running. Dispatcher lock held.
func (t *Thread) quit() {
	if q := t.serving.queue; q != nil {
		t.serving.queue = nil
		t.serving.entry.Remove()
		q.leave()
		q.activate()
	}
}

// leave counts a thread of the queue less. Dispatcher lock held.
func (q *Queue) leave() { q.CurrentCount-- }

// stops and goesOn count the thread's queue when the thread begins and ends a
// wait. Dispatcher lock held.
func (s *serving) stops() {
	if q := s.queue; q != nil && !s.asking {
		q.leave()
		q.activate()
	}
}

func (s *serving) goesOn() {
	s.asking = false
	if q := s.queue; q != nil {
		q.CurrentCount++
	}
}

// next takes the first entry if one more thread may run.
func (q *Queue) next() *list.Entry {
	if q.CurrentCount >= q.MaximumCount {
		return nil
	}
	e := q.Entries.Flink
	if e == &q.Entries {
		return nil
	}
	if e.Flink == nil || e.Blink == nil {
		bugcheck.Stop(bugcheck.InvalidWorkQueueItem, uintptr(unsafe.Pointer(e)), uintptr(unsafe.Pointer(q)), 0, 0)
	}
	e.Remove()
	e.Flink, e.Blink = nil, nil
	q.Header.SignalState--
	return e
}

// activate hands entries to threads that wait, as far as they may run.
// Dispatcher lock held.
func (q *Queue) activate() {
	for !q.Header.WaitList.Empty() {
		e := q.next()
		if e == nil {
			return
		}
		b := (*WaitBlock)(unsafe.Pointer(q.Header.WaitList.Blink)) // Entry is its first field
		b.Thread.serving.received = e
		b.Thread.unwait(ntstatus.Success, 0)
	}
	if QueueStarves != nil && q.Starving() {
		QueueStarves(q)
	}
}

// Starving reports whether the queue has an entry and no thread for it although
// one more may run. Dispatcher lock held.
func (q *Queue) Starving() bool {
	return q.Header.SignalState > 0 && q.CurrentCount < q.MaximumCount && q.Header.WaitList.Empty()
}

// QueueStarves, if set, is told of a queue that starves, so that somebody can
// add a thread. It is a top-level resident function, called with the dispatcher
// lock held.
var QueueStarves func(*Queue)

// Rundown ends the queue (KeRundownQueue): threads that wait, and all that ask
// later, get STATUS_ABANDONED. It returns the entries that are left, linked in a
// circle without a head, or nil. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func (q *Queue) Rundown() *list.Entry {
	old := LockDispatcher()
	q.Header.Abandoned = 1
	for e := q.Threads.RemoveHead(); e != nil; e = q.Threads.RemoveHead() {
		t := (*Thread)(e.Container(unsafe.Offsetof(Thread{}.serving) + unsafe.Offsetof(serving{}.entry)))
		t.serving.queue = nil
	}
	for !q.Header.WaitList.Empty() {
		b := (*WaitBlock)(unsafe.Pointer(q.Header.WaitList.Flink))
		b.Thread.unwait(ntstatus.AbandonedWait0, 0)
	}
	var first *list.Entry
	if !q.Entries.Empty() {
		first = q.Entries.Flink
		q.Entries.Remove()
		q.Entries.Init()
	}
	q.Header.SignalState, q.CurrentCount = 0, 0
	UnlockDispatcher(old)
	return first
}

// refuseWork stops the machine if t, which is about to end, runs a work item.
func (t *Thread) refuseWork() {
	if t.Work != 0 {
		bugcheck.Stop(bugcheck.WorkerThreadTermination, uintptr(unsafe.Pointer(t)), 0, t.Work, 0)
	}
}
