package linux

import (
	"irqlab/kernel"
)

// A thread of the Go runtime knows itself by the number that clone or gettid
// returned, and keeps it when its kernel thread ends and another goes on in its
// place (kernel.Renew). So it is not that thread's ID.

// tids are the threads by number, less 1. Guarded by the dispatcher lock.
var tids struct {
	thread [maxTIDs]*kernel.Thread
	next   uint32
}

const maxTIDs = 2048 // not less than there can be threads

// assign gives s, the state of a new thread, its number. Numbers are handed out in
// turn, so that one is not used again soon.
func (s *state) assign() {
	old := kernel.LockDispatcher()
	for tids.thread[tids.next%maxTIDs] != nil {
		tids.next++
	}
	slot := tids.next % maxTIDs
	tids.next++
	tids.thread[slot] = s.thread()
	s.tid = slot + 1
	kernel.UnlockDispatcher(old)
}

// retire takes the number back from a thread that ends.
func (s *state) retire() {
	old := kernel.LockDispatcher()
	tids.thread[s.tid-1] = nil
	kernel.UnlockDispatcher(old)
}

// threadOf returns the thread with a number, or nil. Dispatcher lock held.
func threadOf(tid uint32) *kernel.Thread {
	if tid == 0 || tid > maxTIDs {
		return nil
	}
	return tids.thread[tid-1]
}

// renewed moves the running thread's state to the one that goes on in its place.
// Dispatcher lock held.
func renewed(from, to *kernel.Thread) {
	s := stateOf(from)
	n := initState(to, s.mask)
	n.alt, n.clearTID, n.tid, n.pending = s.alt, s.clearTID, s.tid, s.pending
	to.Name = threadName
	tids.thread[n.tid-1] = to
}
