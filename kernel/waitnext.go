package kernel

import "irqlab/irql"

// A call made with Wait = TRUE signals an object for a thread that goes on to
// wait at once. It leaves the level raised to DISPATCH_LEVEL and the dispatcher
// locked; the wait that follows goes on from there, and restores the level that
// the first call was made at.
//
// Documentation: "KeSetEvent", "KeReleaseMutex", "KeReleaseSemaphore".

// KeepDispatcher ends a call made with Wait = TRUE. old is the level that the
// wait is to restore. Dispatcher lock held, and kept.
func KeepDispatcher(old irql.Level) {
	t := Current()
	t.WaitNext, t.keepsLock = true, true
	t.WaitIRQL = old
}

// resumes ends a Wait = TRUE: it returns the level that the wait restores, which
// is old without one. Dispatcher lock held.
func (t *Thread) resumes(old irql.Level) irql.Level {
	if t.WaitNext && old == irql.Dispatch {
		t.WaitNext = false
		return t.WaitIRQL
	}
	return old
}

// LetGo releases the lock if the running thread keeps it for the wait that
// follows, but leaves the level raised: a wait on behalf of Go code gives up the
// goroutine's P first, and the Go runtime may come to the dispatcher by another
// way then.
//
// IRQL: <= DISPATCH_LEVEL
func LetGo() {
	if t := Current(); t.keepsLock {
		t.keepsLock = false
		this().unlock()
	}
}

// PutOff lowers the level for another wait after LetGo: the Go runtime has to
// wait for a lock of its own first. It reports false, having done nothing, if
// there was none; else TakeUp, given the level that it returns, puts things back.
//
// IRQL: DISPATCH_LEVEL
func PutOff() (restore irql.Level, ok bool) {
	t := Current()
	if !t.WaitNext || t.keepsLock {
		return 0, false
	}
	LockDispatcher()
	restore = t.resumes(irql.Dispatch)
	UnlockDispatcher(restore)
	return restore, true
}

// TakeUp raises to DISPATCH_LEVEL again for the wait that PutOff put off.
//
// IRQL: <= APC_LEVEL
func TakeUp(restore irql.Level) {
	irql.Set(irql.Dispatch)
	t := Current()
	t.WaitNext, t.WaitIRQL = true, restore
}
