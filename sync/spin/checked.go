package spin

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/chance"
	"irqlab/irql"
)

// Checked says that every lock records its owner and verifies the rules of its
// use, as checked builds of Windows do. SetChecked changes it.
var Checked = true

// watched says that the full path must be taken: in checked mode, and under a
// seed, where every acquisition is a schedule point.
var watched = true

// SetChecked turns checked mode on or off, at any time: a lock may be released
// in another mode than it was acquired in.
//
// IRQL: PASSIVE_LEVEL
func SetChecked(on bool) {
	arch.LockSlow = arch.LockFallback{
		Acquire:   func(l *uintptr) uintptr { return uintptr((*Lock)(unsafe.Pointer(l)).acquire()) },
		Contended: func(l *uintptr) { (*Lock)(unsafe.Pointer(l)).wait(taken) },
		Release:   func(l *uintptr, old uintptr) { (*Lock)(unsafe.Pointer(l)).release(irql.Level(old)) },
	}
	for i := range held {
		held[i].n = 0 // of locks released in the other mode
	}
	irql.Falling = nil
	if on {
		irql.Falling = falling
	}
	Checked = on
	watched = on || chance.Enabled()
	if watched {
		acquire, release = (*Lock).acquire, (*Lock).release
		return
	}
	a, r := arch.LockCode()
	acquire = *(*func(*Lock) irql.Level)(unsafe.Pointer(&a))
	release = *(*func(*Lock, irql.Level))(unsafe.Pointer(&r))
}

// Op is a step in the life of a lock that Hook is told of.
type Op uint8

const (
	Acquiring   Op = iota // before the first attempt; not before a mere try
	Acquired              // the caller holds the lock
	Releasing             // the caller still holds the lock
	Initialized           // the lock is new
	Waiting               // the thread is about to wait for it; not for spin locks
)

// Hook, if not nil, is called in checked mode at each step of every lock, with
// the lock's address: the one place that tracing and schedule points need. It
// must be a top-level resident function and must not take a lock.
var Hook func(lock uintptr, op Op)

func initialized(lock uintptr) {
	if Hook != nil {
		Hook(lock, Initialized)
	}
}

// Parameter 1 of bug check DRIVER_VERIFIER_DETECTED_VIOLATION; parameter 2 is
// the level, parameter 3 the lock.
const releasedAtWrongLevel = 0x32

// owner is the word of a lock that the caller holds: the address of the running
// thread's context with bit 0 set. At DISPATCH_LEVEL the thread stays, and an
// ISR or DPC that takes a lock of the thread it interrupted is a deadlock that
// must be found too, so the thread is the right owner for those as well.
func owner() uintptr { return uintptr(unsafe.Pointer(arch.ThisContext())) | 1 }

func (l *Lock) address() uintptr { return uintptr(unsafe.Pointer(l)) }

// takeChecked is take in checked mode.
func (l *Lock) takeChecked() {
	if Hook != nil {
		Hook(l.address(), Acquiring)
	}
	word := owner()
	if !atomic.CompareAndSwapUintptr(&l.word, 0, word) {
		l.wait(word)
	}
	here().add(l.address())
	if Hook != nil {
		Hook(l.address(), Acquired)
	}
}

// tryChecked is one attempt in checked mode.
func (l *Lock) tryChecked() bool {
	word := owner()
	if !atomic.CompareAndSwapUintptr(&l.word, 0, word) {
		if atomic.LoadUintptr(&l.word) == word {
			bugcheck.Stop(bugcheck.SpinLockAlreadyOwned, l.address(), word, 0, 0)
		}
		return false
	}
	here().add(l.address())
	if Hook != nil {
		Hook(l.address(), Acquired)
	}
	return true
}

// checkOwned stops the machine unless the caller holds the lock.
func (l *Lock) checkOwned() {
	w := atomic.LoadUintptr(&l.word)
	if w != owner() && w != taken {
		bugcheck.Stop(bugcheck.SpinLockNotOwned, l.address(), w, 0, 0)
	}
	here().remove(l.address())
	if Hook != nil {
		Hook(l.address(), Releasing)
	}
}

// ordinary reports whether a word that is not zero is that of a Lock, whose owner
// it is then, and not the handle of a Queued.
func ordinary(word uintptr) bool { return word == taken || word&1 != 0 }

// mixedForms is parameter 1 of bug check DRIVER_VERIFIER_DETECTED_VIOLATION, a
// value of irqlab's own; parameter 3 is the lock.
const mixedForms = 0x1AB0002

// mixed stops the machine for a lock that one uses as a Lock while another holds
// it as a Queued, or the reverse.
func mixed(lock uintptr) {
	bugcheck.StopBecause("a spin lock is used both as an ordinary and as an in-stack queued lock",
		bugcheck.VerifierDetectedViolation, mixedForms, uintptr(irql.Current()), lock, 0)
}

// checkAtDpc stops the machine below DISPATCH_LEVEL, where the thread could be
// switched out with the lock held.
func checkAtDpc(lock uintptr) {
	if level := irql.Current(); level < irql.Dispatch {
		bugcheck.Stop(bugcheck.IRQLNotGreaterOrEqual, lock, uintptr(level), 0, 0)
	}
}

// checkLevel stops the machine at any other level than the given one.
func checkLevel(lock uintptr, want irql.Level) {
	if level := irql.Current(); level != want {
		bugcheck.Stop(bugcheck.VerifierDetectedViolation, releasedAtWrongLevel, uintptr(level), lock, 0)
	}
}

// Owned reports whether the running thread holds the lock. Outside checked mode
// it can only tell that somebody does.
//
// IRQL: >= DISPATCH_LEVEL
func (l *Lock) Owned() bool {
	w := atomic.LoadUintptr(&l.word)
	return w == owner() || w == taken
}

// contention counts, per processor, how often and how long it spun.
var contention [arch.MaxCPUs]struct {
	waits, spins uint64
	_            [6]uint64 // a cache line each
}

// contended accounts one acquisition that had to wait. An ISR may interrupt it
// and count as well, hence the atomic additions.
func contended(spins uint64) {
	c := &contention[arch.ThisCPU().ID]
	atomic.AddUint64(&c.waits, 1)
	atomic.AddUint64(&c.spins, spins)
}

// Contention returns how many acquisitions on the processor had to wait, and
// how many rounds they spun in all.
//
// IRQL: any
func Contention(cpu uint32) (waits, spins uint64) {
	c := &contention[cpu]
	return atomic.LoadUint64(&c.waits), atomic.LoadUint64(&c.spins)
}
