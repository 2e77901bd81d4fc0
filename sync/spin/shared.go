package spin

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/chance"
	"irqlab/irql"
)

// Shared is an EX_SPIN_LOCK (4 bytes): a spin lock that one processor holds
// exclusively or several hold shared. It is ready when it is zero. A processor
// that waits for exclusive access keeps new sharers out.
//
// Documentation: "Reader-Writer Spin Locks".
type Shared struct {
	word uint32
}

// writer is the bit of the word that says that a processor holds the lock
// exclusively, or will once those who share it have left. The other bits count
// them.
const writer = 1 << 31

// AcquireShared raises to DISPATCH_LEVEL, takes the lock together with others
// and returns the level to give to ReleaseShared (ExAcquireSpinLockShared).
//
// IRQL: <= DISPATCH_LEVEL
func (l *Shared) AcquireShared() irql.Level {
	old := irql.Raise(irql.Dispatch)
	l.enter()
	return old
}

// ReleaseShared undoes AcquireShared (ExReleaseSpinLockShared).
//
// IRQL: DISPATCH_LEVEL
func (l *Shared) ReleaseShared(old irql.Level) {
	if Checked {
		checkLevel(l.address(), irql.Dispatch)
	}
	l.leave()
	irql.Lower(old)
}

// AcquireSharedAtDpc is AcquireShared that leaves the level alone
// (ExAcquireSpinLockSharedAtDpcLevel).
//
// IRQL: >= DISPATCH_LEVEL
func (l *Shared) AcquireSharedAtDpc() {
	if Checked {
		checkAtDpc(l.address())
	}
	l.enter()
}

// ReleaseSharedFromDpc undoes AcquireSharedAtDpc
// (ExReleaseSpinLockSharedFromDpcLevel).
//
// IRQL: >= DISPATCH_LEVEL
func (l *Shared) ReleaseSharedFromDpc() {
	if Checked {
		checkAtDpc(l.address())
	}
	l.leave()
}

// AcquireExclusive raises to DISPATCH_LEVEL, takes the lock for this processor
// alone and returns the level to give to ReleaseExclusive
// (ExAcquireSpinLockExclusive).
//
// IRQL: <= DISPATCH_LEVEL
func (l *Shared) AcquireExclusive() irql.Level {
	old := irql.Raise(irql.Dispatch)
	l.enterAlone()
	return old
}

// ReleaseExclusive undoes AcquireExclusive (ExReleaseSpinLockExclusive).
//
// IRQL: DISPATCH_LEVEL
func (l *Shared) ReleaseExclusive(old irql.Level) {
	if Checked {
		checkLevel(l.address(), irql.Dispatch)
	}
	l.leaveAlone()
	irql.Lower(old)
}

// AcquireExclusiveAtDpc is AcquireExclusive that leaves the level alone
// (ExAcquireSpinLockExclusiveAtDpcLevel).
//
// IRQL: >= DISPATCH_LEVEL
func (l *Shared) AcquireExclusiveAtDpc() {
	if Checked {
		checkAtDpc(l.address())
	}
	l.enterAlone()
}

// ReleaseExclusiveFromDpc undoes AcquireExclusiveAtDpc
// (ExReleaseSpinLockExclusiveFromDpcLevel).
//
// IRQL: >= DISPATCH_LEVEL
func (l *Shared) ReleaseExclusiveFromDpc() {
	if Checked {
		checkAtDpc(l.address())
	}
	l.leaveAlone()
}

// TryConvert makes a shared hold exclusive if it is the only one and nobody
// waits for exclusive access. If it returns false the shared hold goes on
// (ExTryConvertSharedSpinLockExclusive).
//
// IRQL: >= DISPATCH_LEVEL
func (l *Shared) TryConvert() bool {
	if Checked {
		checkAtDpc(l.address())
		if atomic.LoadUint32(&l.word)&^writer == 0 {
			l.notOwned()
		}
	}
	if !atomic.CompareAndSwapUint32(&l.word, 1, writer) {
		return false
	}
	if Checked {
		l.forget(heldShared)
		l.remember(heldExclusive)
	}
	return true
}

// enter takes the lock shared.
func (l *Shared) enter() {
	chance.Point()
	if Checked {
		l.announce(heldShared)
	}
	if n := atomic.LoadUint32(&l.word); n&writer != 0 || !atomic.CompareAndSwapUint32(&l.word, n, n+1) {
		l.waitShared()
	}
	if Checked {
		l.remember(heldShared)
	}
}

//go:noinline
func (l *Shared) waitShared() {
	var spins uint64
	for {
		n := atomic.LoadUint32(&l.word)
		if n&writer == 0 && atomic.CompareAndSwapUint32(&l.word, n, n+1) {
			break
		}
		arch.Pause()
		spins++
	}
	contended(spins)
}

func (l *Shared) leave() {
	if Checked {
		if atomic.LoadUint32(&l.word)&^writer == 0 {
			l.notOwned()
		}
		l.forget(heldShared)
	}
	atomic.AddUint32(&l.word, ^uint32(0))
	chance.Point()
}

// enterAlone takes the lock exclusively: it keeps other writers and new sharers
// out first, then waits for those inside to leave.
func (l *Shared) enterAlone() {
	chance.Point()
	if Checked {
		l.announce(heldExclusive)
	}
	if !atomic.CompareAndSwapUint32(&l.word, 0, writer) {
		l.waitExclusive()
	}
	if Checked {
		l.remember(heldExclusive)
	}
}

//go:noinline
func (l *Shared) waitExclusive() {
	var spins uint64
	for {
		n := atomic.LoadUint32(&l.word)
		if n&writer == 0 && atomic.CompareAndSwapUint32(&l.word, n, n|writer) {
			break
		}
		arch.Pause()
		spins++
	}
	for atomic.LoadUint32(&l.word) != writer {
		arch.Pause()
		spins++
	}
	contended(spins)
}

func (l *Shared) leaveAlone() {
	if Checked {
		if atomic.LoadUint32(&l.word) != writer {
			l.notOwned()
		}
		l.forget(heldExclusive)
	}
	atomic.StoreUint32(&l.word, 0)
	chance.Point()
}

func (l *Shared) address() uintptr { return uintptr(unsafe.Pointer(l)) }

func (l *Shared) notOwned() {
	bugcheck.Stop(bugcheck.SpinLockNotOwned, l.address(), uintptr(atomic.LoadUint32(&l.word)), 0, 0)
}

// announce stops the machine for an acquisition that would wait for its own
// processor. Sharing twice waits only if a writer comes in between, which is
// the worse for being rare.
func (l *Shared) announce(mode uintptr) {
	if Hook != nil {
		Hook(l.address(), Acquiring)
	}
	for _, h := range here().recorded() {
		if h&^1 == l.address() && (mode == heldExclusive || h&1 == heldExclusive) {
			bugcheck.Stop(bugcheck.SpinLockAlreadyOwned, l.address(), uintptr(atomic.LoadUint32(&l.word)), 0, 0)
		}
	}
}

func (l *Shared) remember(mode uintptr) {
	here().add(l.address() | mode)
	if Hook != nil {
		Hook(l.address(), Acquired)
	}
}

// forget stops the machine if the processor does not hold the lock that way.
func (l *Shared) forget(mode uintptr) {
	if Hook != nil {
		Hook(l.address(), Releasing)
	}
	if !here().remove(l.address() | mode) {
		l.notOwned()
	}
}
