package linux

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/list"
	"irqlab/sync/spin"
)

// Lock order: a bucket's lock, then the dispatcher lock. A bucket is locked at
// DISPATCH_LEVEL; the futex word is read under it, and may be read from a page
// that is not there yet.

// bucket holds the threads that wait for futexes with the same hash, in order
// of arrival.
type bucket struct {
	lock spin.Lock
	wait list.Entry
	_    [64 - 24]byte // a cache line of its own
}

// buckets is indexed by bits of the futex address.
var buckets [64]bucket

func initFutex() {
	for i := range buckets {
		buckets[i].wait.Init()
	}
}

func bucketOf(addr uintptr) *bucket {
	// Multiplicative hashing; the words are at least 4 bytes apart.
	return &buckets[uint64(addr>>2)*0x9E3779B97F4A7C15>>58]
}

// Operations (futex(2)); the runtime uses these two, always private.
const (
	futexWait    = 0
	futexWake    = 1
	futexPrivate = 128
)

func futex(f *arch.Frame, s *state, addr, op uintptr, val uint32, timeout uintptr) uintptr {
	if addr%4 != 0 {
		return eINVAL.result()
	}
	switch op &^ futexPrivate {
	case futexWait:
		l := irql.Current()
		if l < irql.Dispatch {
			return s.futexWait(addr, val, timeout)
		}
		restore, ok := kernel.PutOff()
		if !ok {
			mayWait(f, l)
		}
		r := s.futexWait(addr, val, timeout)
		kernel.TakeUp(restore)
		return r
	case futexWake:
		return wakeFutex(addr, val)
	}
	return eNOSYS.result()
}

// semaphore is the negative value at which runtime.semasleep waits
// (runtime/lock_futex.go): a thread has announced itself there as a waiter for
// a lock of the runtime, whose holder may have been preempted by it.
func semaphore(val uint32) bool { return int32(val) < 0 }

// futexWait waits until the futex is woken, unless it has another value by
// then. The value is compared under the lock that every wake takes: a wake
// after the value changed finds the thread in the bucket, or the thread finds
// the value changed.
func (s *state) futexWait(addr uintptr, val uint32, timeout uintptr) uintptr {
	until := deadline(0)
	if timeout != 0 {
		t, e := readTimespec(timeout)
		if e != 0 {
			return e.result()
		}
		until = after(t.ns())
	}
	if semaphore(val) {
		kernel.BoostForLock(s.thread().Priority)
	}
	b := bucketOf(addr)
	old := b.lock.Acquire()
	if atomic.LoadUint32((*uint32)(pointer(addr))) != val {
		b.lock.Release(old)
		return eAGAIN.result()
	}
	s.futexKey = addr
	b.wait.InsertTail(&s.futex)
	b.lock.Release(old)

	for {
		s.sleep(until)
		interrupted, late := s.interrupted(), until.passed()
		old := b.lock.Acquire()
		woken := s.futexKey == 0
		if !woken && (interrupted || late) {
			s.futex.Remove()
		}
		b.lock.Release(old)
		switch {
		case woken:
			return 0
		case interrupted:
			return eINTR.result()
		case late:
			return eTIMEDOUT.result()
		}
	}
}

// wakeFutex wakes up to n threads that wait at addr and returns how many.
//
// IRQL: <= DISPATCH_LEVEL; raised Go code may release a lock of the runtime
// that others wait for.
func wakeFutex(addr uintptr, n uint32) uintptr {
	b := bucketOf(addr)
	old := b.lock.Acquire()
	woken := uint32(0)
	for e := b.wait.Flink; e != &b.wait && woken < n; {
		s := (*state)(e.Container(unsafe.Offsetof(state{}.futex)))
		e = e.Flink
		if s.futexKey != addr {
			continue
		}
		s.futex.Remove()
		s.futexKey = 0
		// Under the bucket's lock: without it the thread could see that it was
		// woken, return and end before its event is set.
		s.wake()
		woken++
	}
	b.lock.Release(old)
	return uintptr(woken)
}
