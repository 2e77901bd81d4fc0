package sync

import (
	"sync/atomic"
	"unsafe"

	"irqlab/chance"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/sync/spin"
)

// GuardedMutex is a KGUARDED_MUTEX (56 bytes): a fast mutex whose owner is in a
// guarded region instead of at APC_LEVEL. A counter of the thread says so, not
// the processor's mask, which makes it the cheapest of the mutexes.
//
// Windows has made it an alias of the fast mutex since version 8. Here it is the
// mutex that the documentation describes; it is checked as FastMutex is.
//
// Documentation: "Fast Mutexes and Guarded Mutexes".
type GuardedMutex struct {
	Count      int32 // bit 0: free; each thread that waits adds guardedWaiter
	_          int32
	Owner      *kernel.Thread
	Contention uint32 // acquisitions that had to wait
	_          uint32
	Gate       Event

	// The owner's counts of disabled APCs, as a debugger finds them.
	KernelAPCDisable, SpecialAPCDisable int16
	_                                   uint32
}

const (
	guardedFree   = 1
	guardedWaiter = 4 // bit 1 is Windows' "waiter woken", which a hand-over has no use for
)

// Init makes m a free mutex (KeInitializeGuardedMutex).
//
// IRQL: <= APC_LEVEL
func (m *GuardedMutex) Init() {
	checkResident(unsafe.Pointer(m), unsafe.Sizeof(*m))
	m.Count, m.Owner, m.Contention = guardedFree, nil, 0
	m.KernelAPCDisable, m.SpecialAPCDisable = 0, 0
	m.Gate.InitSynchronization(false)
	KindGuardedMutex.tell(nil, m.address(), spin.Initialized)
}

// Acquire enters a guarded region and takes the mutex, waiting for it if need be
// (KeAcquireGuardedMutex).
//
// IRQL: <= APC_LEVEL
func (m *GuardedMutex) Acquire() {
	t, ok := kernel.OwnerInKernel()
	if watched() || !ok {
		m.acquire()
		return
	}
	t.SpecialAPCs-- // a guarded region
	if free := atomic.CompareAndSwapInt32(&m.Count, guardedFree, 0); !free {
		m.wait(t)
	}
	m.Owner = t
	m.KernelAPCDisable, m.SpecialAPCDisable = t.KernelAPCs, t.SpecialAPCs
}

func (m *GuardedMutex) acquire() {
	t := kernel.Owner()
	t.SpecialAPCs--
	m.take(t)
}

// Try is Acquire if the mutex is free. Otherwise, and be it the caller's own, it
// enters no region and returns false (KeTryToAcquireGuardedMutex).
//
// IRQL: <= APC_LEVEL
func (m *GuardedMutex) Try() bool {
	kernel.EnterGuardedRegion()
	if atomic.CompareAndSwapInt32(&m.Count, guardedFree, 0) {
		m.own(kernel.Current())
		return true
	}
	kernel.LeaveGuardedRegion()
	return false
}

// Release gives the mutex up and leaves the guarded region
// (KeReleaseGuardedMutex).
//
// IRQL: <= APC_LEVEL
func (m *GuardedMutex) Release() {
	if t := m.Owner; !watched() && t != nil {
		m.Owner = nil
		if !atomic.CompareAndSwapInt32(&m.Count, 0, guardedFree) {
			m.pass()
		}
		if t.SpecialAPCs == -1 && !t.HeldBack() {
			t.SpecialAPCs = 0
		} else {
			t.LeaveGuardedRegion()
		}
		return
	}
	m.give()
	kernel.LeaveGuardedRegion()
}

// AcquireUnsafe takes the mutex without a region of its own
// (KeAcquireGuardedMutexUnsafe): the caller is in a guarded region, or at
// APC_LEVEL. It goes with ReleaseUnsafe.
//
// IRQL: <= APC_LEVEL
func (m *GuardedMutex) AcquireUnsafe() {
	t := kernel.Owner()
	if Checked && !t.AllAPCsDisabled() {
		unsafeAcquiredAPCs.violated("the unsafe forms of a guarded mutex need a guarded region or APC_LEVEL", m.address())
	}
	m.take(t)
}

// ReleaseUnsafe gives up a mutex taken by AcquireUnsafe
// (KeReleaseGuardedMutexUnsafe).
//
// IRQL: <= APC_LEVEL
func (m *GuardedMutex) ReleaseUnsafe() {
	if Checked && !kernel.Owner().AllAPCsDisabled() {
		unsafeReleasedAPCs.violated("the unsafe forms of a guarded mutex need a guarded region or APC_LEVEL", m.address())
	}
	m.give()
}

// take is the one place where an acquisition may wait.
func (m *GuardedMutex) take(t *kernel.Thread) {
	if Checked {
		m.checkTake(t)
	}
	chance.Point()
	if !atomic.CompareAndSwapInt32(&m.Count, guardedFree, 0) {
		m.wait(t)
	}
	m.own(t)
}

func (m *GuardedMutex) checkTake(t *kernel.Thread) {
	irql.AssertAtMost(irql.APC)
	if m.Owner == t {
		selfDeadlock.violated("the thread acquires a guarded mutex that it owns: it would wait for itself for ever", m.address())
	}
	KindGuardedMutex.tell(t, m.address(), spin.Acquiring)
}

// wait takes the mutex if it has become free, or gets in line and waits until
// it is handed over.
func (m *GuardedMutex) wait(t *kernel.Thread) {
	for {
		n := atomic.LoadInt32(&m.Count)
		chance.Point()
		if n&guardedFree != 0 {
			if atomic.CompareAndSwapInt32(&m.Count, n, n&^guardedFree) {
				return
			}
		} else if atomic.CompareAndSwapInt32(&m.Count, n, n+guardedWaiter) {
			atomic.AddUint32(&m.Contention, 1)
			KindGuardedMutex.tell(t, m.address(), spin.Waiting)
			park(&m.Gate)
			return
		}
	}
}

func (m *GuardedMutex) own(t *kernel.Thread) {
	m.Owner = t
	m.KernelAPCDisable, m.SpecialAPCDisable = t.KernelAPCs, t.SpecialAPCs
	if Checked {
		KindGuardedMutex.tell(t, m.address(), spin.Acquired)
	}
}

// give frees the mutex, or hands it to the thread that has waited longest: then
// it is at no time free, and the line is one shorter.
func (m *GuardedMutex) give() {
	if Checked {
		m.checkGive()
	}
	m.Owner = nil
	m.pass()
}

// pass makes the mutex, which has no owner any more, free or another thread's.
func (m *GuardedMutex) pass() {
	for {
		n := atomic.LoadInt32(&m.Count)
		chance.Point()
		if n < guardedWaiter {
			if atomic.CompareAndSwapInt32(&m.Count, n, n^guardedFree) {
				break
			}
		} else if atomic.CompareAndSwapInt32(&m.Count, n, n-guardedWaiter) {
			m.Gate.Set(eventIncrement)
			break
		}
	}
	chance.Point()
}

func (m *GuardedMutex) checkGive() {
	switch owner := m.Owner; {
	case owner == nil:
		notAcquired.violated("a guarded mutex is released that nobody owns", m.address())
	case owner != kernel.Current():
		otherThread.violated("a guarded mutex is released by a thread that does not own it", m.address())
	}
	KindGuardedMutex.tell(m.Owner, m.address(), spin.Releasing)
}

func (m *GuardedMutex) address() uintptr { return uintptr(unsafe.Pointer(m)) }
