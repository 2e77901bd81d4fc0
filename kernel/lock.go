package kernel

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/chance"
	"irqlab/irql"
)

// The dispatcher lock is not a spin.Lock: it has no owner to record, since a
// thread switch hands it over. Its word is arch.DispatcherLock.

// acquire and release are what locking and unlocking are at present: the full
// path, or the fast one of package arch, which comes back to parts of the full
// path for what is rare.
var (
	acquire = acquireFully
	release = releaseFully
)

// StartLock puts the fast path to use, unless there is a seed: then every
// acquisition and release is a schedule point. Boot processor, once.
func StartLock() {
	arch.DispatcherSlow = arch.DispatcherFallback{
		High:    func() { irql.AssertAtMost(irql.Dispatch) },
		Held:    takeDatabase,
		Release: releaseFully,
	}
	if !chance.Enabled() {
		a, r := arch.DispatcherCode()
		acquire = *(*func() (uintptr, unsafe.Pointer))(unsafe.Pointer(&a))
		release = *(*func(uintptr))(unsafe.Pointer(&r))
	}
}

// LockDispatcher raises to DISPATCH_LEVEL, takes the dispatcher lock and
// returns the level to give to UnlockDispatcher. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func LockDispatcher() irql.Level {
	old, _ := acquire()
	return irql.Level(old)
}

// Holder is the processor that has the dispatcher locked.
type Holder = processor

// Thread returns the thread that runs on the processor, which locked the
// dispatcher.
func (p *processor) Thread() *Thread { return p.current }

// LockInKernel is LockDispatcher for a caller that may be Go code of a thread:
// for that it does nothing and returns nil. In kernel context it returns the
// running processor.
//
// IRQL: <= DISPATCH_LEVEL
func LockInKernel() (*Holder, irql.Level) {
	old, p := acquire()
	return (*processor)(p), irql.Level(old)
}

// UnlockDispatcher releases the dispatcher lock and restores the level. If a
// better thread became ready for this processor meanwhile, it runs first.
//
// IRQL: DISPATCH_LEVEL
func UnlockDispatcher(old irql.Level) { release(uintptr(old)) }

// acquireFully is the full path of locking; see arch.DispatcherCode.
func acquireFully() (old uintptr, p unsafe.Pointer) {
	if !arch.InKernel() {
		return 0, nil
	}
	irql.AssertAtMost(irql.Dispatch)
	old = arch.ReadIRQL()
	irql.Set(irql.Dispatch)
	takeDatabase(old)
	return old, arch.Dispatcher()
}

// takeDatabase takes the lock for a caller that has raised from old, unless the
// call before this one has kept it (Wait = TRUE).
func takeDatabase(old uintptr) {
	if t := Current(); t.keepsLock && old == uintptr(irql.Dispatch) {
		t.keepsLock = false // from here on it is held by the caller
		return
	}
	lockDatabase()
}

// releaseFully is the full path of unlocking.
func releaseFully(old uintptr) {
	p := this()
	if p.preempt {
		if irql.Level(old) < irql.Dispatch {
			p.reschedule()
			p = this() // it may have come back on another processor
		} else if !p.dispatching {
			board.RequestSelf(uintptr(irql.Dispatch))
		}
	}
	p.unlock()
	irql.Set(irql.Level(old))
}

func lockDatabase() {
	chance.Point()
	for !atomic.CompareAndSwapUint32(&arch.DispatcherLock, 0, arch.DispatcherHeld) {
		for atomic.LoadUint32(&arch.DispatcherLock) != 0 {
			arch.Pause()
		}
	}
}

// unlock releases the lock and programs the clock if a deadline moved: under
// QEMU -icount a timer register write ends the processor's turn, and a turn
// that always ends inside the lock starves the others.
func (p *processor) unlock() {
	rearm := p.rearm
	p.rearm = false
	atomic.StoreUint32(&arch.DispatcherLock, 0)
	chance.Point()
	if rearm {
		p.arm()
	}
}
