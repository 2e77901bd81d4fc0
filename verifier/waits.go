package verifier

import (
	"sync/atomic"
	"unsafe"

	"irqlab/kernel"
)

// maxCycle bounds the threads in a cycle that is found.
const maxCycle = 16

// link is a thread that waits for what the next one has.
type link struct {
	thread *kernel.Thread
	what   uintptr // a lock, a mutant, or a thread
	kind   kind
	object *kernel.Header // what, if it is one
}

// chain is the way from the running thread through those that it waits for.
// The dispatcher lock guards it.
var chain struct {
	n     int
	links [maxCycle]link
}

// No thread in a cycle runs, so nothing in it can change. The last one to join it
// finds it: a wait for an object begins under the dispatcher lock, and is looked at
// there, while a wait for a lock is made known before it is looked at. A look
// before the lock is taken would not do: two threads could look, and then wait.

// waitingFor stops the machine if the running thread, which has made known that it
// waits for a lock, waits for itself.
func waitingFor(t *kernel.Thread, l uintptr, k kind) {
	if t.WaitNext {
		return // the dispatcher lock is held for the wait, which is a lock's own
	}
	atomic.AddUint64(&state.stats.Waits, 1)
	old := kernel.LockDispatcher()
	chain.n = 0
	closed := follow(link{t, l, k, nil})
	kernel.UnlockDispatcher(old)
	if closed {
		stopWaits(l)
	}
}

// blocking stops the machine if the running thread, which begins to wait for
// objects, waits for itself. Dispatcher lock held.
func blocking(t *kernel.Thread) {
	var objects [maxCycle]*kernel.Header
	for _, h := range objects[:t.WaitsOnlyFor(objects[:])] {
		if holderOf(h) == nil {
			continue
		}
		atomic.AddUint64(&state.stats.Waits, 1)
		chain.n = 0
		if what := uintptr(unsafe.Pointer(h)); follow(link{t, what, kindMutex, h}) {
			stopWaits(what)
		}
	}
}

// follow adds a link, and goes on with whoever has what its thread waits for. It
// reports whether that leads back to the first thread.
func follow(l link) bool {
	if chain.n == maxCycle {
		return false
	}
	chain.links[chain.n] = l
	chain.n++
	if l.object != nil {
		if holds(holderOf(l.object)) {
			return true
		}
	} else {
		for i := range state.threads {
			o := &state.threads[i]
			if o.n == 0 {
				continue
			}
			on := o.acquire()
			t := (*kernel.Thread)(unsafe.Pointer(o.thread))
			has := o.n != 0 && o.has(l.what)
			o.release(on)
			if has && t != l.thread && holds(t) {
				return true
			}
		}
	}
	chain.n--
	return false
}

// holderOf returns the thread that a dispatcher object is to be had from.
func holderOf(h *kernel.Header) *kernel.Thread {
	switch h.Type {
	case kernel.TypeMutant:
		return (*kernel.Mutant)(unsafe.Pointer(h)).Owner
	case kernel.TypeThread:
		return (*kernel.Thread)(unsafe.Pointer(h))
	}
	return nil
}

// holds follows the waits of a thread that has what the last link waits for, and
// reports whether they lead back.
func holds(t *kernel.Thread) bool {
	if t == nil {
		return false
	}
	for i := range chain.n {
		if chain.links[i].thread == t {
			return i == 0
		}
	}
	if o, on := ownerOf(t, false); o != nil {
		wants, k := o.wants, o.kind
		o.release(on)
		if wants != 0 {
			return follow(link{t, wants, k, nil})
		}
	}
	var objects [maxCycle]*kernel.Header
	for _, h := range objects[:t.WaitsOnlyFor(objects[:])] {
		if follow(link{t, uintptr(unsafe.Pointer(h)), kindMutex, h}) {
			return true
		}
	}
	return false
}
