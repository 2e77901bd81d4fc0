package sync

import (
	"sync/atomic"
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/sync/spin"
)

// FastMutex is a FAST_MUTEX (56 bytes): a mutex without recursion, timeouts or a
// place in waits. Its owner runs at APC_LEVEL, so that no APC can ask for the
// mutex on the same thread. One atomic operation takes it and one frees it while
// nobody waits; otherwise the release hands it to the thread that has waited
// longest.
//
// Acquiring it twice deadlocks the thread. In checked mode that is bug check
// DRIVER_VERIFIER_DETECTED_VIOLATION 0x1000; a release by another thread is
// 0x1004 and one of a free mutex 0x1007.
//
// Documentation: "Fast Mutexes and Guarded Mutexes".
type FastMutex struct {
	Count      int32 // 1 free, 0 held, -n held with n threads waiting
	_          int32
	Owner      *kernel.Thread
	Contention uint32 // acquisitions that had to wait
	_          uint32
	Event      Event
	OldIRQL    uint32 // level before the last Acquire
	_          uint32
}

// Init makes m a free mutex (ExInitializeFastMutex).
//
// IRQL: <= DISPATCH_LEVEL
func (m *FastMutex) Init() {
	checkResident(unsafe.Pointer(m), unsafe.Sizeof(*m))
	m.Count, m.Owner, m.Contention = 1, nil, 0
	m.Event.InitSynchronization(false)
	KindFastMutex.tell(nil, m.address(), spin.Initialized)
}

// Acquire raises to APC_LEVEL and takes the mutex, waiting for it if need be
// (ExAcquireFastMutex).
//
// IRQL: <= APC_LEVEL
func (m *FastMutex) Acquire() {
	t, ok := kernel.OwnerInKernel()
	if watched() || !ok {
		m.acquire()
		return
	}
	old := irql.Raise(irql.APC)
	if n := atomic.AddInt32(&m.Count, -1); n != 0 {
		m.wait(t)
	}
	m.Owner, m.OldIRQL = t, uint32(old)
}

func (m *FastMutex) acquire() {
	t := m.mayRaise()
	old := irql.Raise(irql.APC)
	m.take(t)
	m.OldIRQL = uint32(old)
}

// Try is Acquire if the mutex is free. Otherwise, and be it the caller's own, it
// leaves the level alone and returns false (ExTryToAcquireFastMutex).
//
// IRQL: <= APC_LEVEL
func (m *FastMutex) Try() bool {
	t := m.mayRaise()
	old := irql.Raise(irql.APC)
	if !atomic.CompareAndSwapInt32(&m.Count, 1, 0) {
		irql.Lower(old)
		return false
	}
	m.own(t)
	m.OldIRQL = uint32(old)
	return true
}

// Release gives the mutex up and restores the level that Acquire or Try found
// (ExReleaseFastMutex).
//
// IRQL: APC_LEVEL
func (m *FastMutex) Release() {
	old := irql.Level(m.OldIRQL) // the next owner may change it at once
	if watched() {
		m.release()
	} else {
		m.Owner = nil
		if n := atomic.AddInt32(&m.Count, 1); n <= 0 {
			m.Event.Set(eventIncrement)
		}
	}
	irql.Lower(old)
}

func (m *FastMutex) release() {
	if Checked && irql.Current() != irql.APC {
		fastReleasedElsewhere.violated("a fast mutex is released at APC_LEVEL, the level its owner runs at", m.address())
	}
	m.give()
}

// AcquireUnsafe takes the mutex and leaves the level alone
// (ExAcquireFastMutexUnsafe): the caller is in a critical or guarded region, or
// at APC_LEVEL already. It goes with ReleaseUnsafe.
//
// IRQL: <= APC_LEVEL
func (m *FastMutex) AcquireUnsafe() {
	t := kernel.Owner()
	if Checked {
		if irql.Current() > irql.APC {
			fastAcquiredTooHigh.violated(fastTooHigh, m.address())
		}
		unsafeAcquiredAPCs.wantAPCsOff(t, "the unsafe forms of a fast mutex need a critical region or APC_LEVEL", m.address())
	}
	m.take(t)
}

// ReleaseUnsafe gives up a mutex taken by AcquireUnsafe
// (ExReleaseFastMutexUnsafe).
//
// IRQL: <= APC_LEVEL
func (m *FastMutex) ReleaseUnsafe() {
	if Checked {
		unsafeReleasedAPCs.wantAPCsOff(kernel.Owner(), "the unsafe forms of a fast mutex need a critical region or APC_LEVEL", m.address())
	}
	m.give()
}

const fastTooHigh = "a fast mutex may make its caller wait, so it is acquired at APC_LEVEL or below"

// mayRaise returns the caller's thread if it may acquire the mutex by a form
// that raises.
func (m *FastMutex) mayRaise() *kernel.Thread {
	if Checked && irql.Current() > irql.APC {
		fastAcquiredTooHigh.violated(fastTooHigh, m.address())
	}
	return kernel.Owner()
}

// take is the one place where an acquisition may wait.
func (m *FastMutex) take(t *kernel.Thread) {
	if Checked {
		m.checkTake(t)
	}
	if atomic.AddInt32(&m.Count, -1) != 0 {
		m.wait(t)
	}
	m.own(t)
}

func (m *FastMutex) checkTake(t *kernel.Thread) {
	if m.Owner == t {
		selfDeadlock.violated("the thread acquires a fast mutex that it owns: it would wait for itself for ever", m.address())
	}
	KindFastMutex.tell(t, m.address(), spin.Acquiring)
}

// wait waits until the mutex is handed over.
func (m *FastMutex) wait(t *kernel.Thread) {
	atomic.AddUint32(&m.Contention, 1)
	KindFastMutex.tell(t, m.address(), spin.Waiting)
	park(&m.Event)
}

func (m *FastMutex) own(t *kernel.Thread) {
	m.Owner = t
	if Checked {
		KindFastMutex.tell(t, m.address(), spin.Acquired)
	}
}

// give frees the mutex or, with a set of its event, hands it over. The event is
// signalled for one waiter at a time: only an owner sets it, and there is none
// before the waiter has consumed the signal.
func (m *FastMutex) give() {
	if Checked {
		m.checkGive()
	}
	m.Owner = nil
	if atomic.AddInt32(&m.Count, 1) <= 0 {
		m.Event.Set(eventIncrement)
	}
}

func (m *FastMutex) checkGive() {
	switch owner := m.Owner; {
	case owner == nil:
		notAcquired.violated("a fast mutex is released that nobody owns", m.address())
	case owner != kernel.Current():
		otherThread.violated("a fast mutex is released by a thread that does not own it", m.address())
	}
	KindFastMutex.tell(m.Owner, m.address(), spin.Releasing)
}

func (m *FastMutex) address() uintptr { return uintptr(unsafe.Pointer(m)) }
