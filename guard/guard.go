// Package guard takes locks in a way that cannot leave them held: what a function
// takes in a defer statement is released whenever it ends, also by an exception.
//
//	defer guard.FastMutex(m).Release()
//
// It is the AutoLock of C++ drivers. The deferred call is decided on when the lock
// is taken, so it needs no variable for the level before. Guards are small values;
// they allocate nothing.
//
// A spin lock's guard releases it at every return. An exception at DISPATCH_LEVEL
// stops the machine before anything could be unwound.
package guard

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/sync/spin"
)

// Held is a lock that is held, or a region or level that was entered.
type Held struct {
	object  unsafe.Pointer
	level   irql.Level // before
	release func(Held) // a top-level function
}

// Release ends it. It must be called once, by the same thread, and in reverse
// order of taking.
//
// IRQL: as the lock demands
func (h Held) Release() { h.release(h) }

// Raise raises IRQL. Release lowers it to what it was.
//
// IRQL: <= l
func Raise(l irql.Level) Held { return Held{nil, irql.Raise(l), lower} }

func lower(h Held) { irql.Lower(h.level) }

// CriticalRegion disables normal kernel APCs.
//
// IRQL: <= APC_LEVEL
func CriticalRegion() Held {
	kernel.EnterCriticalRegion()
	return Held{release: leaveCritical}
}

func leaveCritical(Held) { kernel.LeaveCriticalRegion() }

// GuardedRegion disables all kernel APCs.
//
// IRQL: <= APC_LEVEL
func GuardedRegion() Held {
	kernel.EnterGuardedRegion()
	return Held{release: leaveGuarded}
}

func leaveGuarded(Held) { kernel.LeaveGuardedRegion() }

// Spin takes a spin lock and raises to DISPATCH_LEVEL.
//
// IRQL: <= DISPATCH_LEVEL
func Spin(l *spin.Lock) Held { return Held{unsafe.Pointer(l), l.Acquire(), releaseSpin} }

func releaseSpin(h Held) { (*spin.Lock)(h.object).Release(h.level) }

// Queued takes a queued spin lock and raises to DISPATCH_LEVEL.
//
// IRQL: <= DISPATCH_LEVEL
func Queued(q *spin.Queued, handle *spin.QueueHandle) Held {
	q.Acquire(handle)
	return Held{object: unsafe.Pointer(handle), release: releaseQueued}
}

func releaseQueued(h Held) { (*spin.QueueHandle)(h.object).Release() }

// SpinShared takes a reader/writer spin lock shared and raises to DISPATCH_LEVEL.
//
// IRQL: <= DISPATCH_LEVEL
func SpinShared(l *spin.Shared) Held {
	return Held{unsafe.Pointer(l), l.AcquireShared(), releaseSpinShared}
}

func releaseSpinShared(h Held) { (*spin.Shared)(h.object).ReleaseShared(h.level) }

// SpinExclusive takes a reader/writer spin lock exclusively and raises to
// DISPATCH_LEVEL.
//
// IRQL: <= DISPATCH_LEVEL
func SpinExclusive(l *spin.Shared) Held {
	return Held{unsafe.Pointer(l), l.AcquireExclusive(), releaseSpinExclusive}
}

func releaseSpinExclusive(h Held) { (*spin.Shared)(h.object).ReleaseExclusive(h.level) }

// Mutex waits for a mutex and owns it.
//
// IRQL: <= APC_LEVEL
func Mutex(m *sync.Mutex) Held {
	if s := m.Wait(nil, false, kernel.KernelMode); s != ntstatus.Success && s != ntstatus.AbandonedWait0 {
		kernel.RaiseStatus(s)
	}
	return Held{object: unsafe.Pointer(m), release: releaseMutex}
}

func releaseMutex(h Held) { (*sync.Mutex)(h.object).Release() }

// FastMutex takes a fast mutex and raises to APC_LEVEL.
//
// IRQL: <= APC_LEVEL
func FastMutex(m *sync.FastMutex) Held {
	m.Acquire()
	return Held{object: unsafe.Pointer(m), release: releaseFast}
}

func releaseFast(h Held) { (*sync.FastMutex)(h.object).Release() }

// GuardedMutex takes a guarded mutex and enters a guarded region.
//
// IRQL: <= APC_LEVEL
func GuardedMutex(m *sync.GuardedMutex) Held {
	m.Acquire()
	return Held{object: unsafe.Pointer(m), release: releaseGuarded}
}

func releaseGuarded(h Held) { (*sync.GuardedMutex)(h.object).Release() }

// PushShared takes a push lock shared, in a critical region.
//
// IRQL: <= APC_LEVEL
func PushShared(l *sync.PushLock) Held {
	kernel.EnterCriticalRegion()
	l.AcquireShared()
	return Held{object: unsafe.Pointer(l), release: releasePushShared}
}

func releasePushShared(h Held) {
	(*sync.PushLock)(h.object).ReleaseShared()
	kernel.LeaveCriticalRegion()
}

// PushExclusive takes a push lock exclusively, in a critical region.
//
// IRQL: <= APC_LEVEL
func PushExclusive(l *sync.PushLock) Held {
	kernel.EnterCriticalRegion()
	l.AcquireExclusive()
	return Held{object: unsafe.Pointer(l), release: releasePushExclusive}
}

func releasePushExclusive(h Held) {
	(*sync.PushLock)(h.object).ReleaseExclusive()
	kernel.LeaveCriticalRegion()
}

// ResourceShared acquires a resource shared, in a critical region.
//
// IRQL: <= APC_LEVEL
func ResourceShared(r *sync.Resource) Held {
	kernel.EnterCriticalRegion()
	r.AcquireShared(true)
	return Held{object: unsafe.Pointer(r), release: releaseResource}
}

// ResourceExclusive acquires a resource exclusively, in a critical region.
//
// IRQL: <= APC_LEVEL
func ResourceExclusive(r *sync.Resource) Held {
	kernel.EnterCriticalRegion()
	r.AcquireExclusive(true)
	return Held{object: unsafe.Pointer(r), release: releaseResource}
}

func releaseResource(h Held) {
	(*sync.Resource)(h.object).Release()
	kernel.LeaveCriticalRegion()
}

// Rundown protects an object from being run down, and raises
// STATUS_DELETE_PENDING if that has begun.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL where it may raise
func Rundown(r *sync.Rundown) Held {
	if !r.Acquire() {
		kernel.RaiseStatus(ntstatus.DeletePending)
	}
	return Held{object: unsafe.Pointer(r), release: releaseRundown}
}

func releaseRundown(h Held) { (*sync.Rundown)(h.object).Release() }

// RemoveLock keeps a device from being removed, and raises STATUS_DELETE_PENDING
// if that has begun.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL where it may raise
func RemoveLock(l *sync.RemoveLock) Held {
	if s := l.Acquire(); s != ntstatus.Success {
		kernel.RaiseStatus(s)
	}
	return Held{object: unsafe.Pointer(l), release: releaseRemove}
}

func releaseRemove(h Held) { (*sync.RemoveLock)(h.object).Release() }
