package kernel

import (
	"unsafe"

	"irqlab/ntstatus"
)

// A thread is suspended by a normal kernel APC to it, whose routine waits for a
// semaphore of the thread. So it stops where it can take one: not in a critical
// region, nor above PASSIVE_LEVEL.

// MaximumSuspendCount bounds the suspensions of a thread.
const MaximumSuspendCount = 0x7F

// suspendSemaphore is a KSEMAPHORE that counts from 0 to 2.
type suspendSemaphore struct {
	Header Header
	limit  int32
	_      int32
}

// SuspendRoutine is the normal routine that suspends; package apc sets it. Its
// context is the thread.
var SuspendRoutine NormalRoutine

func (t *Thread) initSuspend() {
	t.suspendSemaphore.Header.Init(TypeSemaphore, unsafe.Sizeof(suspendSemaphore{}), 0)
	t.suspendSemaphore.limit = 2
}

// SuspendObject returns what SuspendRoutine is to wait for.
func (t *Thread) SuspendObject() *Header { return &t.suspendSemaphore.Header }

func suspendNothing(*APC, *NormalRoutine, *unsafe.Pointer, *unsafe.Pointer, *unsafe.Pointer) {}

// Suspend suspends the thread once more and returns how often it was before
// (KeSuspendThread). More than MaximumSuspendCount is
// STATUS_SUSPEND_COUNT_EXCEEDED, a thread that is about to end
// STATUS_THREAD_IS_TERMINATING, and a thread whose goroutine is not locked to it
// STATUS_INVALID_THREAD. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func Suspend(t *Thread) (previous int8, s ntstatus.Status) {
	old := LockDispatcher()
	previous = t.SuspendCount
	switch {
	case previous == MaximumSuspendCount:
		s = ntstatus.SuspendCount
	case !t.APCQueueable:
		s = ntstatus.ThreadTerminating
	case !t.Locked || SuspendRoutine == nil:
		s = ntstatus.InvalidThread
	default:
		t.SuspendCount++
		switch {
		case previous != 0:
		case t.suspendAPC.Inserted:
			// Resumed before it took effect: that is taken back.
			t.suspendSemaphore.Header.SignalState--
		default:
			t.suspendAPC.Init(t, suspendNothing, nil, SuspendRoutine, KernelMode, unsafe.Pointer(t))
			t.suspendAPC.insert(0)
		}
	}
	UnlockDispatcher(old)
	return previous, s
}

// Resume takes back one suspension and returns how many there were
// (KeResumeThread); with the last one the thread goes on. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func Resume(t *Thread) (previous int8) {
	old := LockDispatcher()
	previous = t.SuspendCount
	if previous > 0 {
		t.SuspendCount--
		if previous == 1 {
			t.wakeSuspended()
		}
	}
	UnlockDispatcher(old)
	return previous
}

// ForceResume takes back all suspensions and returns how many there were
// (KeForceResumeThread). Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func ForceResume(t *Thread) (previous int8) {
	old := LockDispatcher()
	previous = t.SuspendCount
	if previous > 0 {
		t.SuspendCount = 0
		t.wakeSuspended()
	}
	UnlockDispatcher(old)
	return previous
}

func (t *Thread) wakeSuspended() {
	h := &t.suspendSemaphore.Header
	h.SignalState++
	if !h.WaitList.Empty() {
		h.Signal(0)
	}
}
