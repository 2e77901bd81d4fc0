package verifier

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/kernel"
)

// maxThreads bounds the threads that hold locks at the same time.
const maxThreads = 256

// owner has the locks that a thread holds, but for mutants, which the thread
// itself knows, and the lock that it waits for.
type owner struct {
	lock   uint32  // guards the rest; held with interrupts disabled
	thread uintptr // 0: unused
	n      int
	held   [maxHeld]held
	wants  uintptr
	kind   kind
	notes  [maxNotes]note // where mutants were waited for, last
	next   int
}

const maxNotes = 4

type note struct {
	lock uintptr
	at   site
}

// remember keeps where a mutant was waited for, for as long as there is room.
func (o *owner) remember(l uintptr, at *site) {
	i := 0
	for i < maxNotes && o.notes[i].lock != l {
		i++
	}
	if i == maxNotes {
		i = o.next
		o.next = (i + 1) % maxNotes
	}
	o.notes[i] = note{l, *at}
}

// has reports whether the thread holds the lock, which is no mutant.
func (o *owner) has(l uintptr) bool {
	for i := range o.n {
		if o.held[i].lock == l {
			return true
		}
	}
	return false
}

func (o *owner) acquire() (enabled bool) { return acquireWord(&o.lock) }

func (o *owner) release(enabled bool) {
	atomic.StoreUint32(&o.lock, 0)
	if enabled {
		arch.EnableInterrupts()
	}
}

// ownerOf returns what is known of a thread, locked, or nil. If there is nothing
// it may claim an entry that says nothing.
func ownerOf(t *kernel.Thread, claim bool) (o *owner, enabled bool) {
	a := uintptr(unsafe.Pointer(t))
	start := a / 256 * 0x9E3779B97F4A7C15 >> 40
	for round := 0; round < 2; round++ {
		for i := range uintptr(window) {
			o = &state.threads[(start+i)%maxThreads]
			if round == 0 && atomic.LoadUintptr(&o.thread) != a {
				continue
			}
			enabled = o.acquire()
			if o.thread == a || round == 1 && o.n == 0 && o.wants == 0 {
				if o.thread != a {
					atomic.StoreUintptr(&o.thread, a)
					clear(o.notes[:])
				}
				return o, enabled
			}
			o.release(enabled)
		}
		if !claim {
			return nil, false
		}
	}
	return nil, false
}

// holder returns a thread that holds the lock, or the processor's number plus one
// for a spin lock; 0 if it is free.
func holder(l uintptr) uintptr {
	for i := range state.cpus {
		p := &state.cpus[i]
		for n := range min(p.n, maxHeld) {
			if p.held[n].lock == l {
				return uintptr(i) + 1
			}
		}
	}
	for i := range state.threads {
		if o := &state.threads[i]; o.n != 0 && o.holds(l) {
			return o.thread
		}
	}
	return 0
}

func (o *owner) holds(l uintptr) bool {
	on := o.acquire()
	has := o.has(l)
	o.release(on)
	return has
}

// holdsAny reports whether the running thread holds a lock, or a mutant.
func holdsAny(t *kernel.Thread) bool {
	if t.NextMutant(nil) != nil {
		return true
	}
	o, on := ownerOf(t, false)
	if o == nil {
		return false
	}
	n := o.n
	o.release(on)
	return n != 0
}

// heldByThread is a copy of what a thread holds, mutants included.
type heldByThread struct {
	n     int
	held  [2 * maxHeld]held
	notes [maxNotes]note
}

// read fills in what t holds: the running thread, or any with the dispatcher lock
// held.
func (a *heldByThread) read(t *kernel.Thread) {
	a.n = 0
	if o, on := ownerOf(t, false); o != nil {
		a.n = copy(a.held[:], o.held[:o.n])
		a.notes = o.notes
		o.release(on)
	}
	for m := t.NextMutant(nil); m != nil; m = t.NextMutant(m) {
		a.add(m)
	}
}

func (a *heldByThread) add(m *kernel.Mutant) {
	if a.n == len(a.held) {
		return
	}
	l := uintptr(unsafe.Pointer(m))
	h := held{lock: l, kind: kindMutex}
	if rules&Order != 0 {
		h.class = classOf(l, kindMutex)
	}
	for i := range a.notes {
		if a.notes[i].lock == l {
			h.at = a.notes[i].at
		}
	}
	a.held[a.n] = h
	a.n++
}
