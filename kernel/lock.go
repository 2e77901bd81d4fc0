package kernel

import (
	"sync/atomic"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/chance"
	"irqlab/irql"
)

// databaseLock is the dispatcher lock. It is not a spin.Lock: it has no owner
// to record, since a thread switch hands it over.
var databaseLock uint32

// LockDispatcher raises to DISPATCH_LEVEL, takes the dispatcher lock and
// returns the level to give to UnlockDispatcher. Kernel context.
//
// It and UnlockDispatcher surround everything that the dispatcher does: they
// are written for the case that nothing is in the way, and without a stack
// check of their own.
//
// IRQL: <= DISPATCH_LEVEL
//
//go:nosplit
func LockDispatcher() irql.Level {
	old := arch.RaiseIRQL(uintptr(irql.Dispatch))
	if old >= uintptr(irql.Dispatch) {
		return lockRaised(old)
	}
	chance.Point()
	if !atomic.CompareAndSwapUint32(&databaseLock, 0, 1) {
		contend()
	}
	return irql.Level(old)
}

// lockRaised is LockDispatcher at DISPATCH_LEVEL, or for a caller in the wrong.
func lockRaised(old uintptr) irql.Level {
	if t := Current(); t.keepsLock && old == uintptr(irql.Dispatch) {
		t.keepsLock = false // from here on it is held by the caller
		return irql.Dispatch
	}
	irql.AssertAtMost(irql.Dispatch)
	lockDatabase()
	return irql.Level(old)
}

// UnlockDispatcher releases the dispatcher lock and restores the level. If a
// better thread became ready for this processor meanwhile, it runs first.
//
// IRQL: DISPATCH_LEVEL
//
//go:nosplit
func UnlockDispatcher(old irql.Level) {
	p := this()
	if p.preempt || p.rearm {
		p.unlockAfter(old)
		return
	}
	atomic.StoreUint32(&databaseLock, 0)
	chance.Point()
	irql.Set(old)
}

// unlockAfter is UnlockDispatcher when there is something to do first.
func (p *processor) unlockAfter(old irql.Level) {
	if p.preempt {
		if old < irql.Dispatch {
			p.reschedule()
			p = this() // it may have come back on another processor
		} else if !p.dispatching {
			board.RequestSelf(uintptr(irql.Dispatch))
		}
	}
	p.unlock()
	irql.Set(old)
}

func lockDatabase() {
	chance.Point()
	if !atomic.CompareAndSwapUint32(&databaseLock, 0, 1) {
		contend()
	}
}

// contend waits for the lock.
func contend() {
	for {
		for atomic.LoadUint32(&databaseLock) != 0 {
			arch.Pause()
		}
		if atomic.CompareAndSwapUint32(&databaseLock, 0, 1) {
			return
		}
	}
}

// unlock releases the lock and programs the clock if a deadline moved: under
// QEMU -icount a timer register write ends the processor's turn, and a turn
// that always ends inside the lock starves the others.
func (p *processor) unlock() {
	rearm := p.rearm
	p.rearm = false
	atomic.StoreUint32(&databaseLock, 0)
	chance.Point()
	if rearm {
		p.arm()
	}
}
