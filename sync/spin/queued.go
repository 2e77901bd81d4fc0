package spin

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/chance"
	"irqlab/irql"
)

// Queued is a KSPIN_LOCK that is only used through in-stack queue handles: it
// is granted in order of arrival, and each waiter spins on its own handle
// instead of on the shared word (an MCS lock). The word is the address of the
// last handle in line, zero while the lock is free.
//
// The same lock must never be used as a Lock as well.
type Queued struct {
	word uintptr
}

// QueueHandle is a KLOCK_QUEUE_HANDLE: the caller's place in line, and what
// Release needs to know. It lies on the caller's stack (or in pool) and must be
// the same for acquire and release. Its addresses are words, not pointers: a
// handle on a goroutine's stack does not move while the level is raised, and
// nothing in it is for the garbage collector.
type QueueHandle struct {
	next uintptr // handle behind this one
	lock uintptr // address of the Queued, with the bits below
	old  irql.Level
	_    [3]byte
	cpu  uint32 // number of the processor in line plus one, in checked mode
}

// Low bits of QueueHandle.lock, as debuggers know them.
const (
	queueWait  = 1 << 0 // LOCK_QUEUE_WAIT: in line, spinning
	queueOwner = 1 << 1 // LOCK_QUEUE_OWNER: holds the lock
	queueBits  = queueWait | queueOwner
)

// Init makes the lock free (KeInitializeSpinLock).
//
// IRQL: any
func (q *Queued) Init() {
	q.word = 0
	initialized(uintptr(unsafe.Pointer(q)))
}

// Acquire raises to DISPATCH_LEVEL and takes the lock, in order of arrival
// (KeAcquireInStackQueuedSpinLock). The level goes into the handle.
//
// IRQL: <= DISPATCH_LEVEL
func (q *Queued) Acquire(h *QueueHandle) {
	old := irql.Raise(irql.Dispatch)
	h.old = old
	q.enqueue(h)
}

// AcquireAtDpc takes the lock without touching the level
// (KeAcquireInStackQueuedSpinLockAtDpcLevel).
//
// IRQL: >= DISPATCH_LEVEL
func (q *Queued) AcquireAtDpc(h *QueueHandle) {
	if Checked {
		checkAtDpc(uintptr(unsafe.Pointer(q)))
	}
	h.old = irql.Dispatch
	q.enqueue(h)
}

// AcquireForDpc takes the lock from a threaded DPC routine; it raises only if
// that runs below DISPATCH_LEVEL (KeAcquireInStackQueuedSpinLockForDpc).
//
// IRQL: <= DISPATCH_LEVEL
func (q *Queued) AcquireForDpc(h *QueueHandle) {
	if irql.Current() < irql.Dispatch {
		q.Acquire(h)
		return
	}
	q.AcquireAtDpc(h)
}

// Test reports whether the lock is free, without taking it (KeTestSpinLock).
//
// IRQL: any
func (q *Queued) Test() bool { return atomic.LoadUintptr(&q.word) == 0 }

// Release passes the lock on and restores the level that Acquire found
// (KeReleaseInStackQueuedSpinLock).
//
// IRQL: DISPATCH_LEVEL
func (h *QueueHandle) Release() {
	if Checked {
		checkLevel(h.lock&^queueBits, irql.Dispatch)
	}
	h.dequeue()
	irql.Lower(h.old)
}

// ReleaseFromDpc passes the lock on without touching the level
// (KeReleaseInStackQueuedSpinLockFromDpcLevel).
//
// IRQL: >= DISPATCH_LEVEL
func (h *QueueHandle) ReleaseFromDpc() {
	if Checked {
		checkAtDpc(h.lock &^ queueBits)
	}
	h.dequeue()
}

// ReleaseForDpc ends what AcquireForDpc began, and lowers only if that raised
// (KeReleaseInStackQueuedSpinLockForDpc).
//
// IRQL: DISPATCH_LEVEL
func (h *QueueHandle) ReleaseForDpc() {
	if h.old < irql.Dispatch {
		h.Release()
		return
	}
	h.ReleaseFromDpc()
}

// enqueue gets in line and waits to be first.
func (q *Queued) enqueue(h *QueueHandle) {
	lock := uintptr(unsafe.Pointer(q))
	if Checked {
		if Hook != nil {
			Hook(lock, Acquiring)
		}
		h.cpu = arch.ThisCPU().ID + 1
	}
	h.next = 0
	h.lock = lock | queueWait
	last := atomic.SwapUintptr(&q.word, uintptr(unsafe.Pointer(h)))
	if last == 0 {
		h.lock = lock | queueOwner
	} else {
		if Checked && ordinary(last) {
			mixed(lock)
		}
		h.wait((*QueueHandle)(unsafe.Pointer(last)))
	}
	if Checked {
		here().add(lock)
		if Hook != nil {
			Hook(lock, Acquired)
		}
	}
}

// wait gets in line behind p and spins until p has passed the lock on. Until
// its next is set p can't leave, so reading it is safe.
//
// A processor behind itself waits for ever. With others in between the same
// mistake is not seen here: there are no links towards the head of the line.
//
//go:noinline
func (h *QueueHandle) wait(p *QueueHandle) {
	if Checked && p.cpu == h.cpu {
		bugcheck.Stop(bugcheck.SpinLockAlreadyOwned, h.lock&^queueBits, uintptr(unsafe.Pointer(p)), 0, 0)
	}
	chance.Point()
	atomic.StoreUintptr(&p.next, uintptr(unsafe.Pointer(h)))
	var spins uint64
	for atomic.LoadUintptr(&h.lock)&queueWait != 0 {
		arch.Pause()
		spins++
	}
	contended(spins)
}

// dequeue passes the lock to the next handle, or frees it.
func (h *QueueHandle) dequeue() {
	lock := h.lock &^ queueBits
	if Checked {
		if h.lock&queueOwner == 0 {
			bugcheck.Stop(bugcheck.SpinLockNotOwned, lock, uintptr(unsafe.Pointer(h)), 0, 0)
		}
		here().remove(lock)
		if Hook != nil {
			Hook(lock, Releasing)
		}
	}
	h.lock = lock
	next := atomic.LoadUintptr(&h.next)
	if next == 0 {
		chance.Point()
		q := (*Queued)(unsafe.Pointer(lock))
		if atomic.CompareAndSwapUintptr(&q.word, uintptr(unsafe.Pointer(h)), 0) {
			return
		}
		// Somebody has got in line but not linked itself yet.
		for next == 0 {
			arch.Pause()
			next = atomic.LoadUintptr(&h.next)
		}
	}
	n := (*QueueHandle)(unsafe.Pointer(next))
	atomic.StoreUintptr(&n.lock, lock|queueOwner)
}
