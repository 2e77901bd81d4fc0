package verifier

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/kernel"
	"irqlab/sync"
	"irqlab/sync/spin"
)

// step is what happens to a lock that threads hold.
type step struct {
	thread *kernel.Thread
	lock   uintptr
	kind   kind
	op     spin.Op
	at     site
}

// threadLock is told of every step of the locks of package sync.
func threadLock(t *kernel.Thread, l uintptr, k sync.Kind, op spin.Op) {
	s := step{thread: t, lock: l, kind: kind(k), op: op}
	if op == spin.Acquired || op == spin.Acquiring {
		s.at.quickly()
	}
	s.enter()
}

// mutantMade is told of a mutant that is initialized.
func mutantMade(m *kernel.Mutant) {
	s := step{lock: uintptr(unsafe.Pointer(m)), kind: kindMutex, op: spin.Initialized}
	s.enter()
}

// wait is told of what the running thread is about to wait for.
func wait(t *kernel.Thread, h *kernel.Header, only bool) {
	switch h.Type {
	case kernel.TypeMutant:
		if (*kernel.Mutant)(unsafe.Pointer(h)).Owner == t || !t.Locked && t.Go {
			return
		}
		s := step{thread: t, lock: uintptr(unsafe.Pointer(h)), kind: kindMutex, op: spin.Acquiring, at: here()}
		if only && rules&Order != 0 {
			s.order()
		}
		if o, on := ownerOf(t, true); o != nil {
			o.remember(s.lock, &s.at)
			o.release(on)
		}
	case kernel.TypeThread:
	default:
		return
	}
}

// enter takes the step in kernel context, where its stack is enough.
func (s *step) enter() {
	if arch.InKernel() {
		take(unsafe.Pointer(s))
	} else {
		arch.Gate(take, unsafe.Pointer(s))
	}
}

func take(arg unsafe.Pointer) {
	s := (*step)(arg)
	switch s.op {
	case spin.Initialized:
		initialized(s.lock, s.kind)
	case spin.Acquiring:
		if rules&Order != 0 {
			s.order()
		}
	case spin.Waiting:
		if o, on := ownerOf(s.thread, true); o != nil {
			o.wants, o.kind = s.lock, s.kind
			o.release(on)
		}
		if rules&Deadlock != 0 {
			waitingFor(s.thread, s.lock, s.kind)
		}
	case spin.Acquired:
		s.acquired()
	case spin.Releasing:
		s.released()
	}
}

// order checks an acquisition by the running thread against all that it holds,
// which mostly is nothing.
func (s *step) order() {
	if holdsAny(s.thread) {
		s.orderAll()
	}
}

// orderAll is not inlined: its variable is large, and cleared first.
//
//go:noinline
func (s *step) orderAll() {
	var all heldByThread
	all.read(s.thread)
	for i := range all.n {
		if all.held[i].lock == s.lock {
			return // once more
		}
	}
	c := classOf(s.lock, s.kind)
	for i := all.n - 1; i >= 0 && c != 0; i-- {
		ordered(&all.held[i], s.lock, c)
	}
}

func (s *step) acquired() {
	o, on := ownerOf(s.thread, true)
	if o == nil {
		atomic.AddUint64(&state.stats.Missed, 1)
		return
	}
	atomic.AddUint64(&state.stats.ThreadAcquisitions, 1)
	o.wants = 0
	if o.n < maxHeld {
		h := held{lock: s.lock, kind: s.kind, at: s.at}
		if rules&Order != 0 {
			h.class = classOf(s.lock, s.kind)
		}
		o.held[o.n] = h
		o.n++
	} else {
		atomic.AddUint64(&state.stats.Missed, 1)
	}
	o.release(on)
}

func (s *step) released() {
	o, on := ownerOf(s.thread, false)
	if o == nil {
		return
	}
	for i := o.n - 1; i >= 0; i-- {
		if o.held[i].lock == s.lock {
			for ; i+1 < o.n; i++ {
				o.held[i] = o.held[i+1]
			}
			o.n--
			break
		}
	}
	o.release(on)
}
