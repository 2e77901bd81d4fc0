package verifier

import (
	"sync/atomic"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/mm"
)

// Sizes of the tables.
const (
	maxClasses = 512
	maxLocks   = 4096 // a power of two
	window     = 32   // slots that a lock may be found in
)

// kind is what a lock is.
type kind uint8

const (
	kindSpin kind = iota
	kindFast      // those of package sync, in its order
	kindGuarded
	kindPush
	kindResource
	kindMutex
)

var kindNames = [...]string{"spin lock", "fast mutex", "guarded mutex", "push lock", "resource", "mutex"}

// site is where something was done: return addresses, the innermost first.
type site [10]uintptr

// class is what locks have in common. Class 0 is none.
type class struct {
	key   uintptr // the call that initialized them, or the address of the only one
	lock  uintptr // one of them
	first site    // where one was first acquired
	kind  kind

	low, high     irql.Level // the lowest at which one was held with interrupts enabled; the highest at which a service routine acquired one
	lowAt, highAt site
}

// unheld is class.low before any acquisition.
const unheld = irql.High + 1

// known is a lock whose class is known.
type known struct {
	lock  uintptr // 0: never used, gone: not any more
	class uint16
}

const gone = 1

// lock guards classes, edges, pairs, the growing and shrinking of locks, and the
// search.
var lock uint32

func acquire() (enabled bool) { return acquireWord(&lock) }

// acquireWord takes a lock of this package, in kernel context or as Go code at
// DISPATCH_LEVEL or above: below, the Go runtime may take the processor from who
// holds it.
func acquireWord(lock *uint32) (enabled bool) {
	if level := uintptr(irql.Current()); !arch.InKernel() && level < uintptr(irql.Dispatch) {
		bugcheck.StopBecause("Go code takes a lock of the verifier's below DISPATCH_LEVEL",
			bugcheck.IRQLNotGreaterOrEqual, level, level, uintptr(irql.Dispatch), 0)
	}
	enabled = arch.DisableInterrupts()
	for !atomic.CompareAndSwapUint32(lock, 0, 1) {
		arch.Pause()
	}
	return enabled
}

func release(enabled bool) {
	atomic.StoreUint32(&lock, 0)
	if enabled {
		arch.EnableInterrupts()
	}
}

func home(l uintptr) uintptr { return l / 8 * 0x9E3779B97F4A7C15 >> 40 }

// find returns the slot of a lock, or nil.
func find(l uintptr) *known {
	for i := range uintptr(window) {
		k := &state.locks[(home(l)+i)%maxLocks]
		switch atomic.LoadUintptr(&k.lock) {
		case l:
			return k
		case 0:
			return nil
		}
	}
	return nil
}

// classOf returns the class of a lock, a new one for a lock that may have been
// used without being initialized.
func classOf(l uintptr, k kind) uint16 {
	if known := find(l); known != nil {
		return known.class
	}
	if !resident(l) {
		return 0
	}
	on := acquire()
	c := enter(l, l, k)
	release(on)
	return c
}

// resident reports whether a lock lies where its end is noticed, or never comes.
func resident(l uintptr) bool {
	_, _, _, _, data, end := arch.ImageBounds()
	return mm.InPool(l) || data <= l && l < end
}

// initialized gives a lock the class of the call that initialized it.
func initialized(l uintptr, k kind) {
	if !resident(l) {
		return
	}
	at := here()
	key := at[0]
	if key == 0 {
		key = l
	}
	on := acquire()
	if known := find(l); known != nil {
		known.class = classFor(key, l, k)
	} else {
		enter(l, key, k)
	}
	release(on)
}

// enter makes a lock known, and returns its class or 0. Lock held.
func enter(l, key uintptr, k kind) uint16 {
	c := classFor(key, l, k)
	if c == 0 {
		return 0
	}
	for i := range uintptr(window) {
		slot := &state.locks[(home(l)+i)%maxLocks]
		if slot.lock == 0 || slot.lock == gone {
			slot.class = c
			atomic.StoreUintptr(&slot.lock, l)
			state.stats.Locks++
			return c
		}
	}
	state.stats.Missed++
	return 0
}

// classFor returns the class with a key, or 0 if there is no room for it. Lock
// held.
func classFor(key, l uintptr, k kind) uint16 {
	s, unused := &state.search, 0
	for i := 1; i <= s.classes; i++ {
		switch c := &state.classes[i]; {
		case c.key == key && c.kind == k:
			return uint16(i)
		case c.key == 0 && unused == 0:
			unused = i
		}
	}
	if unused == 0 && s.classes+1 < maxClasses {
		s.classes++
		unused = s.classes
	}
	if unused == 0 {
		state.stats.Missed++
		return 0
	}
	state.classes[unused] = class{key: key, lock: l, kind: k, low: unheld}
	state.stats.Classes++
	return uint16(unused)
}

// freed forgets the locks in memory that is about to be freed, and stops the
// machine if one of them is held.
func freed(lo, hi uintptr) {
	if rules&Leaks != 0 {
		objectsFreed(lo, hi)
	}
	if step := uintptr(8); (hi-lo)/step < maxLocks {
		for l := lo &^ (step - 1); l < hi; l += step {
			if k := find(l); k != nil {
				forget(k)
			}
		}
		return
	}
	for i := range state.locks {
		if k := &state.locks[i]; k.lock >= lo && k.lock < hi {
			forget(k)
		}
	}
}

func forget(k *known) {
	l := k.lock
	if t := holder(l); t != 0 {
		stopFreed(l, t)
	}
	on := acquire()
	forgetPairs(l)
	if c := &state.classes[k.class]; c.key == l {
		forgetEdges(k.class)
		*c = class{low: unheld}
		state.stats.Classes--
	}
	atomic.StoreUintptr(&k.lock, gone)
	state.stats.Locks--
	release(on)
}

// here returns where the verified call was made.
//
//go:noinline
func here() (at site) {
	var all [32]uintptr
	n := bugcheck.Callers(all[:])
	from := 0
	for from < n && bugcheck.KernelCaller(all[from]) {
		from++
	}
	if from == n { // the kernel's own
		from = min(ownFrames, n)
	}
	for i := 0; i < len(at) && from+i < n; i++ {
		at[i] = all[from+i]
	}
	return at
}

// ownFrames are those of this package and of the lock's, at least.
const ownFrames = 3

// quickly is here without telling the kernel's functions from others: for what
// happens too often.
//
//go:noinline
func (at *site) quickly() {
	var all [2 + len(at)]uintptr
	clear(all[bugcheck.Callers(all[:]):])
	copy(at[:], all[2:])
}
