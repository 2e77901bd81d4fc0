// Package spin has the kernel's spin locks. They lie below everything that
// blocks, because everything that blocks is made with them.
//
// A spin lock is held at DISPATCH_LEVEL or above with interrupts enabled, so a
// processor that spins still answers devices, the clock and other processors.
package spin

import (
	"sync/atomic"

	"irqlab/arch"
	"irqlab/irql"
)

// Lock is a KSPIN_LOCK: one pointer-sized word, zero while free. In checked
// mode the owner's context address with bit 0 set is stored, as in checked
// builds of Windows.
type Lock struct {
	word uintptr
}

// Acquire raises to DISPATCH_LEVEL, takes the lock and returns the level to
// give to Release (KeAcquireSpinLock).
//
// IRQL: <= DISPATCH_LEVEL
func (l *Lock) Acquire() irql.Level {
	old := irql.Raise(irql.Dispatch)
	l.AcquireAtDpc()
	return old
}

// Release frees the lock and restores the level (KeReleaseSpinLock).
//
// IRQL: DISPATCH_LEVEL
func (l *Lock) Release(old irql.Level) {
	l.ReleaseFromDpc()
	irql.Lower(old)
}

// AcquireAtDpc takes the lock without touching the level
// (KeAcquireSpinLockAtDpcLevel).
//
// IRQL: >= DISPATCH_LEVEL
func (l *Lock) AcquireAtDpc() {
	for !atomic.CompareAndSwapUintptr(&l.word, 0, 1) {
		for atomic.LoadUintptr(&l.word) != 0 {
			arch.Pause()
		}
	}
}

// ReleaseFromDpc frees the lock without touching the level
// (KeReleaseSpinLockFromDpcLevel).
//
// IRQL: >= DISPATCH_LEVEL
func (l *Lock) ReleaseFromDpc() { atomic.StoreUintptr(&l.word, 0) }
