package sync

import (
	"sync/atomic"
	"unsafe"

	"irqlab/chance"
	"irqlab/kernel"
)

// Rundown is an EX_RUNDOWN_REF (8 bytes): it keeps an object alive for as long
// as somebody uses it, and lets its owner wait until nobody does. It is ready
// when it is zero.
//
// Documentation: "Run-Down Protection".
type Rundown struct {
	word uintptr
}

// The word is the number of users in units of rundownUse, or, once the owner has
// asked for the end, the address of its wait block with rundownActive set, and
// rundownActive alone when all users have left.
const (
	rundownActive = 1
	rundownUse    = 2
)

// rundownWait is an owner that waits, on its own kernel stack.
type rundownWait struct {
	users uintptr // that have not left yet
	event Event
}

// Init makes r ready (ExInitializeRundownProtection).
//
// IRQL: <= APC_LEVEL
func (r *Rundown) Init() { atomic.StoreUintptr(&r.word, 0) }

// Acquire counts the caller as a user and returns true, or returns false if the
// end has been asked for (ExAcquireRundownProtection).
//
// IRQL: <= DISPATCH_LEVEL
func (r *Rundown) Acquire() bool { return r.AcquireMany(1) }

// AcquireMany is Acquire n times (ExAcquireRundownProtectionEx).
//
// IRQL: <= DISPATCH_LEVEL
func (r *Rundown) AcquireMany(n uint32) bool {
	for {
		word := atomic.LoadUintptr(&r.word)
		chance.Point()
		if word&rundownActive != 0 {
			return false
		}
		if atomic.CompareAndSwapUintptr(&r.word, word, word+uintptr(n)*rundownUse) {
			return true
		}
	}
}

// Release counts a user less (ExReleaseRundownProtection).
//
// IRQL: <= DISPATCH_LEVEL
func (r *Rundown) Release() { r.ReleaseMany(1) }

// ReleaseMany is Release n times (ExReleaseRundownProtectionEx).
//
// IRQL: <= DISPATCH_LEVEL
func (r *Rundown) ReleaseMany(n uint32) {
	for {
		word := atomic.LoadUintptr(&r.word)
		chance.Point()
		if word&rundownActive != 0 {
			w := (*rundownWait)(unsafe.Pointer(word &^ rundownActive))
			if w == nil {
				r.notHeld()
			}
			if w.leave(uintptr(n)) {
				return
			}
			r.notHeld()
		}
		if word < uintptr(n)*rundownUse {
			r.notHeld()
		}
		if atomic.CompareAndSwapUintptr(&r.word, word, word-uintptr(n)*rundownUse) {
			return
		}
	}
}

// leave counts n users less, the last of whom wakes the owner, and reports whether
// there were as many.
func (w *rundownWait) leave(n uintptr) bool {
	for {
		users := atomic.LoadUintptr(&w.users)
		chance.Point()
		switch {
		case users < n:
			return false
		case !atomic.CompareAndSwapUintptr(&w.users, users, users-n):
		case users == n:
			w.event.Set(0)
			return true
		default:
			return true
		}
	}
}

// notHeld stops the machine.
func (r *Rundown) notHeld() {
	notAcquired.violated("run-down protection is released that nobody holds", uintptr(unsafe.Pointer(r)))
}

// Wait refuses further users and returns when those there are have left
// (ExWaitForRundownProtectionRelease). Waiting again returns at once.
//
// IRQL: <= APC_LEVEL
func (r *Rundown) Wait() {
	if word := atomic.LoadUintptr(&r.word); word == rundownActive ||
		word == 0 && atomic.CompareAndSwapUintptr(&r.word, 0, rundownActive) {
		return
	}
	a := kernel.Args{P: unsafe.Pointer(r)}
	kernel.EnterBlocking(waitForRundown, &a)
}

func waitForRundown(a *kernel.Args) {
	r := (*Rundown)(a.P)
	var room rundownWait
	at := uintptr(unsafe.Pointer(&room)) // a word, or room would go to the heap
	w := (*rundownWait)(unsafe.Pointer(at))
	w.event.InitSynchronization(false)
	var users uintptr
	for {
		word := atomic.LoadUintptr(&r.word)
		if word&rundownActive != 0 {
			return
		}
		users = word / rundownUse
		w.users = users
		if atomic.CompareAndSwapUintptr(&r.word, word, at|rundownActive) {
			break
		}
	}
	// The last user sets the event, so it is done with the block only then.
	if users != 0 {
		w.event.Header.Wait(nil, false, kernel.KernelMode)
	}
	atomic.StoreUintptr(&r.word, rundownActive)
}

// Reinit makes r ready again after Wait (ExReInitializeRundownProtection).
//
// IRQL: <= APC_LEVEL
func (r *Rundown) Reinit() { atomic.StoreUintptr(&r.word, 0) }

// Completed makes r as it is after Wait (ExRundownCompleted).
//
// IRQL: <= APC_LEVEL
func (r *Rundown) Completed() { atomic.StoreUintptr(&r.word, rundownActive) }
