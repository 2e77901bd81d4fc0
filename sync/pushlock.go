package sync

import (
	"sync/atomic"
	"unsafe"

	"irqlab/chance"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/sync/spin"
)

// PushLock is an EX_PUSH_LOCK: one word, held by one thread exclusively or by
// any number shared. It is ready when it is zero and, unlike every other lock,
// may lie in pageable memory, which here is the Go heap. While nobody waits,
// one atomic operation takes it and one frees it.
//
// Those who wait are in line in order of arrival: who asks for shared access
// behind one who waits for exclusive access waits too. A release hands the lock
// to the oldest, or to all from the oldest on that ask for shared access. So
// the lock is fair, more than the documentation promises.
//
// The word does not say who the owner is: asking for the lock while holding it
// deadlocks the thread, undetected, except for shared behind shared while
// nobody waits. Normal kernel APCs must be disabled while a thread waits for or
// holds the lock; in checked mode it is bug check
// DRIVER_VERIFIER_DETECTED_VIOLATION 0xEA or 0xEB if they are not.
//
// Documentation: "Push Locks", ExAcquirePushLockExclusive.
type PushLock struct {
	word uintptr
}

// Bits of the word, as debuggers know them. Without pushWaiting the rest of the
// word is the number of threads that hold the lock shared; with it, the address
// of the wait block at the end of the line.
const (
	pushLocked  = 1 << 0 // held, in either mode
	pushWaiting = 1 << 1 // there is a line
	pushMany    = 1 << 3 // held shared by several; the count is in the oldest wait block
	pushShare   = 1 << 4 // one holder
	pushFlags   = pushShare - 1
)

// pushWaiter is a wait block: a thread in line, on its own kernel stack. The
// dispatcher lock guards the line and, as long as there is one, the word.
type pushWaiter struct {
	event     Event
	next      *pushWaiter // who came before
	last      *pushWaiter // in the block at the end of the line: the oldest
	previous  *pushWaiter // who came after
	shares    int32       // in the oldest, with pushMany: threads that hold the lock
	exclusive bool
}

// Init makes the lock free (ExInitializePushLock).
//
// IRQL: <= APC_LEVEL
func (l *PushLock) Init() {
	l.word = 0
	l.tell(spin.Initialized)
}

// AcquireExclusive takes the lock for the caller alone
// (ExAcquirePushLockExclusive).
//
// IRQL: <= APC_LEVEL, in a critical region
func (l *PushLock) AcquireExclusive() {
	l.check(pushAcquiredAPCs)
	l.tell(spin.Acquiring)
	chance.Point()
	if !atomic.CompareAndSwapUintptr(&l.word, 0, pushLocked) {
		l.wait(true)
	}
	l.tell(spin.Acquired)
}

// AcquireShared takes the lock together with others that do so
// (ExAcquirePushLockShared).
//
// IRQL: <= APC_LEVEL, in a critical region
func (l *PushLock) AcquireShared() {
	l.check(pushAcquiredAPCs)
	l.tell(spin.Acquiring)
	if !l.tryShared() {
		l.wait(false)
	}
	l.tell(spin.Acquired)
}

// TryAcquireExclusive is AcquireExclusive if the lock is free, and returns false
// if not (ExTryAcquirePushLockExclusive).
//
// IRQL: <= APC_LEVEL, in a critical region
func (l *PushLock) TryAcquireExclusive() bool {
	l.check(pushAcquiredAPCs)
	chance.Point()
	return l.tried(atomic.CompareAndSwapUintptr(&l.word, 0, pushLocked))
}

// TryAcquireShared is AcquireShared if that need not wait, and returns false if
// it would (ExTryAcquirePushLockShared).
//
// IRQL: <= APC_LEVEL, in a critical region
func (l *PushLock) TryAcquireShared() bool {
	l.check(pushAcquiredAPCs)
	return l.tried(l.tryShared())
}

func (l *PushLock) tried(ok bool) bool {
	if ok {
		l.tell(spin.Acquired)
	}
	return ok
}

// ReleaseExclusive ends AcquireExclusive (ExReleasePushLockExclusive).
//
// IRQL: <= APC_LEVEL, in a critical region
func (l *PushLock) ReleaseExclusive() {
	l.check(pushReleasedAPCs)
	l.tell(spin.Releasing)
	if !atomic.CompareAndSwapUintptr(&l.word, pushLocked, 0) {
		l.release()
	}
	chance.Point()
}

// ReleaseShared ends AcquireShared (ExReleasePushLockShared).
//
// IRQL: <= APC_LEVEL, in a critical region
func (l *PushLock) ReleaseShared() {
	l.check(pushReleasedAPCs)
	l.tell(spin.Releasing)
	if !atomic.CompareAndSwapUintptr(&l.word, pushShare|pushLocked, 0) {
		l.release()
	}
	chance.Point()
}

// Release ends either acquisition (ExReleasePushLock).
//
// IRQL: <= APC_LEVEL, in a critical region
func (l *PushLock) Release() {
	l.check(pushReleasedAPCs)
	l.tell(spin.Releasing)
	l.release()
	chance.Point()
}

func (l *PushLock) check(r rule) {
	if Checked {
		irql.AssertAtMost(irql.APC)
		r.wantAPCsOff(kernel.Owner(), "a push lock is acquired, held and released in a critical region: a kernel APC could ask for it on the same thread", l.address())
	}
}

func (l *PushLock) tell(op spin.Op) {
	if Checked && Hook != nil {
		Hook(kernel.Current(), l.address(), KindPushLock, op)
	}
}

func (l *PushLock) address() uintptr { return uintptr(unsafe.Pointer(l)) }

// grant returns the word after an acquisition that need not wait, and false if
// it must.
func grant(word uintptr, exclusive bool) (uintptr, bool) {
	switch {
	case word == 0 && exclusive:
		return pushLocked, true
	case exclusive, word&pushWaiting != 0, word == pushLocked:
		return 0, false
	}
	return (word + pushShare) | pushLocked, true
}

func (l *PushLock) tryShared() bool {
	for {
		word := atomic.LoadUintptr(&l.word)
		chance.Point()
		granted, ok := grant(word, false)
		if !ok {
			return false
		}
		if atomic.CompareAndSwapUintptr(&l.word, word, granted) {
			return true
		}
	}
}

// wait takes the lock or gets in line and waits for its turn.
func (l *PushLock) wait(exclusive bool) {
	l.tell(spin.Waiting)
	a := kernel.Args{P: unsafe.Pointer(l), A: truth(exclusive)}
	kernel.EnterBlocking(waitForPushLock, &a)
}

func waitForPushLock(a *kernel.Args) {
	l, exclusive := (*PushLock)(a.P), a.A != 0
	// The flags take the low bits of a block's address. That it is a word for a
	// moment keeps the compiler from putting the block on the heap.
	var room [unsafe.Sizeof(pushWaiter{}) + pushShare]byte
	at := uintptr(unsafe.Pointer(&room)) + pushFlags
	w := (*pushWaiter)(unsafe.Pointer(at &^ pushFlags))
	w.exclusive = exclusive
	w.event.InitSynchronization(false)

	old := kernel.LockDispatcher()
	for {
		word := atomic.LoadUintptr(&l.word)
		next, granted := grant(word, exclusive)
		if !granted {
			next = w.enqueue(word)
		}
		// With a line this cannot fail: the word is ours then.
		if !atomic.CompareAndSwapUintptr(&l.word, word, next) {
			continue
		}
		if granted {
			kernel.UnlockDispatcher(old)
			return
		}
		break
	}
	// The lock stays held until the wait has begun.
	kernel.KeepDispatcher(old)
	w.event.Header.Wait(nil, false, kernel.KernelMode)
}

// enqueue puts w at the end of the line and returns the word that says so.
func (w *pushWaiter) enqueue(word uintptr) uintptr {
	w.previous, w.shares = nil, 0
	if word&pushWaiting == 0 {
		w.next, w.last = nil, w
		if n := word / pushShare; n > 1 {
			w.shares = int32(n)
			word = pushLocked | pushMany
		}
		return w.address() | pushLocked | word&pushMany | pushWaiting
	}
	end := pushLine(word)
	w.next, w.last = end, end.last
	end.last, end.previous = nil, w
	return w.address() | word&pushFlags
}

// pushLine returns the end of the line in the word.
func pushLine(word uintptr) *pushWaiter { return (*pushWaiter)(unsafe.Pointer(word &^ pushFlags)) }

func (w *pushWaiter) address() uintptr { return uintptr(unsafe.Pointer(w)) }

func (l *PushLock) release() {
	word := atomic.LoadUintptr(&l.word)
	for word&pushWaiting == 0 {
		if word&pushLocked == 0 {
			notAcquired.violated("a push lock is released that nobody holds", l.address())
		}
		next := uintptr(0)
		if word/pushShare > 1 {
			next = word - pushShare
		}
		chance.Point()
		if atomic.CompareAndSwapUintptr(&l.word, word, next) {
			return
		}
		word = atomic.LoadUintptr(&l.word)
	}
	a := kernel.Args{P: unsafe.Pointer(l)}
	kernel.Enter(handOverPushLock, &a)
}

// handOverPushLock releases a lock with a line. The line is still there: only
// who holds the lock shortens it.
func handOverPushLock(a *kernel.Args) {
	l := (*PushLock)(a.P)
	old := kernel.LockDispatcher()
	word := atomic.LoadUintptr(&l.word)
	end := pushLine(word)
	w := end.last
	if word&pushMany != 0 {
		if w.shares--; w.shares > 0 {
			kernel.UnlockDispatcher(old)
			return
		}
	}
	n := served(w)
	atomic.StoreUintptr(&l.word, shorten(end, w, n))
	for ; n > 0; n-- {
		previous := w.previous // w is gone once its thread runs
		w.event.Header.SignalState = 1
		w.event.Header.Signal(eventIncrement)
		w = previous
	}
	kernel.UnlockDispatcher(old)
}

// served returns how many threads from the oldest on get the lock together.
func served(w *pushWaiter) int32 {
	if w.exclusive {
		return 1
	}
	n := int32(0)
	for ; w != nil && !w.exclusive; w = w.previous {
		n++
	}
	return n
}

// shorten takes the n oldest, w the first of them, out of the line and returns
// the word that gives them the lock.
func shorten(end, w *pushWaiter, n int32) uintptr {
	exclusive := w.exclusive
	for range n {
		w = w.previous
	}
	if w == nil {
		if exclusive {
			return pushLocked
		}
		return uintptr(n)*pushShare | pushLocked
	}
	w.next = nil
	end.last = w
	word := end.address() | pushLocked | pushWaiting
	if n > 1 {
		w.shares = n
		word |= pushMany
	}
	return word
}

// Word returns the lock word, for those who watch.
//
// IRQL: any
func (l *PushLock) Word() uintptr { return atomic.LoadUintptr(&l.word) }

// Line returns how many threads wait for the lock. Kernel context, dispatcher
// lock held.
func (l *PushLock) Line() int {
	word := atomic.LoadUintptr(&l.word)
	if word&pushWaiting == 0 {
		return 0
	}
	n := 0
	for w := pushLine(word); w != nil; w = w.next {
		n++
	}
	return n
}
