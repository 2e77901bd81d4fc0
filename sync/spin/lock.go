// Package spin has the kernel's spin locks. They lie below everything that
// blocks, because everything that blocks is made with them.
//
// A spin lock is held at DISPATCH_LEVEL or above with interrupts enabled, so a
// processor that spins still answers devices, the clock and other processors.
// Its holder must not wait, must not be switched out, and must not touch
// pageable memory (for Go: the heap's page may be absent, but never allocate).
//
// The package has four locks:
//
//	Lock         KSPIN_LOCK, the ordinary one; unfair under contention
//	Queued       KSPIN_LOCK used through in-stack handles; first come, first served
//	Shared       EX_SPIN_LOCK, one writer or several readers
//	AcquireTo    a Lock shared with interrupt service routines, held at their level
//
// Lock order: this package takes no lock of its own.
//
// Documentation: "Introduction to Spin Locks", "Queued Spin Locks",
// "Preventing Errors and Deadlocks While Using Spin Locks".
package spin

import (
	"sync/atomic"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/chance"
	"irqlab/irql"
)

// Lock is a KSPIN_LOCK: one pointer-sized word, zero while free and zero to
// begin with. It must lie in resident memory.
//
// In checked mode the word of a held lock is its owner; see owner.
type Lock struct {
	word uintptr
}

// taken is the word of a lock that is held, outside checked mode.
const taken = arch.LockHeld

// acquire and release are what Acquire and Release are at present: the full
// path, or in unchecked mode the fast one of package arch, which comes back to
// the full path for Go code of a thread and for a lock that is held.
var (
	acquire = (*Lock).acquire
	release = (*Lock).release
)

// Init makes the lock free (KeInitializeSpinLock).
//
// IRQL: any
func (l *Lock) Init() {
	l.word = 0
	initialized(l.address())
}

// Acquire raises to DISPATCH_LEVEL, takes the lock and returns the level to
// give to Release (KeAcquireSpinLock). Taking a lock that this processor's
// thread holds never returns; in checked mode it is bug check
// SPIN_LOCK_ALREADY_OWNED.
//
// IRQL: <= DISPATCH_LEVEL
func (l *Lock) Acquire() irql.Level { return acquire(l) }

func (l *Lock) acquire() irql.Level {
	old := irql.Raise(irql.Dispatch)
	l.take()
	return old
}

// Release frees the lock and restores the level (KeReleaseSpinLock). In checked
// mode a lock that the caller does not hold is bug check SPIN_LOCK_NOT_OWNED.
//
// IRQL: DISPATCH_LEVEL
func (l *Lock) Release(old irql.Level) { release(l, old) }

func (l *Lock) release(old irql.Level) {
	if Checked {
		checkLevel(l.address(), irql.Dispatch)
		l.checkOwned()
	}
	atomic.StoreUintptr(&l.word, 0)
	irql.Lower(old)
}

// AcquireAtDpc takes the lock without touching the level
// (KeAcquireSpinLockAtDpcLevel).
//
// IRQL: >= DISPATCH_LEVEL
func (l *Lock) AcquireAtDpc() {
	if watched || !atomic.CompareAndSwapUintptr(&l.word, 0, taken) {
		l.acquireAtDpc()
	}
}

func (l *Lock) acquireAtDpc() {
	if Checked {
		checkAtDpc(l.address())
	}
	l.take()
}

// ReleaseFromDpc frees the lock without touching the level
// (KeReleaseSpinLockFromDpcLevel).
//
// IRQL: >= DISPATCH_LEVEL
func (l *Lock) ReleaseFromDpc() {
	if watched {
		l.checkFromDpc()
	}
	atomic.StoreUintptr(&l.word, 0)
}

func (l *Lock) checkFromDpc() {
	if Checked {
		checkAtDpc(l.address())
		l.checkOwned()
	}
}

// TryAtDpc takes the lock if it is free and reports whether it did
// (KeTryToAcquireSpinLockAtDpcLevel). In checked mode the owner's second try is
// bug check SPIN_LOCK_ALREADY_OWNED.
//
// IRQL: >= DISPATCH_LEVEL
func (l *Lock) TryAtDpc() bool {
	if !Checked {
		return atomic.CompareAndSwapUintptr(&l.word, 0, taken)
	}
	checkAtDpc(l.address())
	return l.tryChecked()
}

// Try takes the lock if it is free (KeTryToAcquireSpinLock). It returns at
// DISPATCH_LEVEL with the level to give to Release if it did, and at the caller's
// level if it did not.
//
// IRQL: <= DISPATCH_LEVEL
func (l *Lock) Try() (old irql.Level, ok bool) {
	old = irql.Raise(irql.Dispatch)
	if !l.TryAtDpc() {
		irql.Lower(old)
		return old, false
	}
	return old, true
}

// Test reports whether the lock is free, without taking it (KeTestSpinLock).
// The answer may be stale at once: it is for polling at a low level before an
// Acquire.
//
// IRQL: any
func (l *Lock) Test() bool { return atomic.LoadUintptr(&l.word) == 0 }

// AcquireForDpc takes the lock from a threaded DPC routine, which may find
// itself at PASSIVE_LEVEL or, where threaded DPCs are disabled, at
// DISPATCH_LEVEL; it raises only in the first case (KeAcquireSpinLockForDpc).
//
// IRQL: <= DISPATCH_LEVEL
func (l *Lock) AcquireForDpc() irql.Level {
	old := irql.Current()
	if old < irql.Dispatch {
		return l.Acquire()
	}
	l.AcquireAtDpc()
	return old
}

// ReleaseForDpc ends what AcquireForDpc began, and lowers only if that raised
// (KeReleaseSpinLockForDpc).
//
// IRQL: DISPATCH_LEVEL
func (l *Lock) ReleaseForDpc(old irql.Level) {
	if old < irql.Dispatch {
		l.Release(old)
		return
	}
	l.ReleaseFromDpc()
}

// AcquireTo raises to the given level, DISPATCH_LEVEL or above, and takes the
// lock. It is for data shared with interrupt service routines: the level is the
// highest of those that use the lock (KeAcquireInterruptSpinLock), HIGH_LEVEL
// if every level may. A routine at a level that is not masked by the holder
// would deadlock on its own processor.
//
// IRQL: <= to
func (l *Lock) AcquireTo(to irql.Level) irql.Level {
	old := irql.Raise(to)
	l.AcquireAtDpc()
	return old
}

// ReleaseTo frees a lock taken by AcquireTo and restores the level
// (KeReleaseInterruptSpinLock).
//
// IRQL: the level given to AcquireTo
func (l *Lock) ReleaseTo(old irql.Level) {
	l.ReleaseFromDpc()
	irql.Lower(old)
}

// take is the one place where an ordinary acquisition happens.
func (l *Lock) take() {
	chance.Point()
	if Checked {
		l.takeChecked()
		return
	}
	if !atomic.CompareAndSwapUintptr(&l.word, 0, taken) {
		l.wait(taken)
	}
}

// wait spins until the lock is free and taken with the given word. It reads
// until then, so that the line stays shared among those who wait.
//
//go:noinline
func (l *Lock) wait(word uintptr) {
	if Checked {
		switch w := atomic.LoadUintptr(&l.word); {
		case w == word && word != taken:
			bugcheck.Stop(bugcheck.SpinLockAlreadyOwned, l.address(), word, 0, 0)
		case w != 0 && !ordinary(w):
			mixed(l.address())
		}
	}
	var spins uint64
	for {
		for atomic.LoadUintptr(&l.word) != 0 {
			arch.Pause()
			spins++
		}
		if atomic.CompareAndSwapUintptr(&l.word, 0, word) {
			break
		}
	}
	contended(spins)
}
