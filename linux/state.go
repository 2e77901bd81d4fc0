package linux

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/list"
	"irqlab/ntstatus"
)

// state is what this package keeps of a thread, in its Personality. A thread
// changes its own; what others touch says so.
type state struct {
	event   kernel.Header // synchronization event: look what has happened
	pending uint64        // signals posted, bit n-1 is signal n; atomic
	mask    uint64        // signals blocked; others read it
	alt     altStack

	futex    list.Entry // in a bucket; guarded by its lock
	futexKey uintptr    // the address waited for; 0 once woken

	poll list.Entry // in pollers; guarded by the files lock

	clearTID uintptr // set_tid_address(2)
	tid      uint32  // its number; see tids
	magic    uintptr // stateMagic
}

// stateMagic tells threads of Go from threads of the kernel.
const stateMagic = 0x676f_6d61_6368_696e

var _ [unsafe.Sizeof(kernel.Thread{}.Personality) - unsafe.Sizeof(state{})]byte

// stateOf returns the state of a thread, nil if it is not one of Go.
func stateOf(t *kernel.Thread) *state {
	if s := (*state)(unsafe.Pointer(&t.Personality)); s.magic == stateMagic {
		return s
	}
	return nil
}

// current returns the running thread's state.
func current() *state { return (*state)(unsafe.Pointer(&kernel.Current().Personality)) }

// thread returns the thread whose state s is.
func (s *state) thread() *kernel.Thread {
	return (*kernel.Thread)(unsafe.Pointer(uintptr(unsafe.Pointer(s)) - unsafe.Offsetof(kernel.Thread{}.Personality)))
}

// initState makes t a thread of Go with a mask of blocked signals.
func initState(t *kernel.Thread, mask uint64) *state {
	s := (*state)(unsafe.Pointer(&t.Personality))
	*s = state{mask: mask, magic: stateMagic}
	t.TimeoutBoost = wakeBoost
	s.event.Init(kernel.TypeSynchronizationEvent, unsafe.Sizeof(s.event), 0)
	s.alt.flags = stackDisabled
	return s
}

// wakeBoost lifts a thread that was woken, or whose time has come, for a moment.
// Without it the thread queues behind every thread that computes, for a quantum
// of each, and the runtime hands work from thread to thread. NT's own boost for
// events would last as long as the quantum: too long here, where a stop of the
// world wakes all threads that compute.
const wakeBoost = kernel.Brief

// wake sets the thread's event.
//
// IRQL: <= DISPATCH_LEVEL
func (s *state) wake() { kernel.SignalHeader(&s.event, wakeBoost) }

// deadline is an interrupt time (100 ns) at which a wait ends; 0 is never.
type deadline uint64

// after returns the deadline ns from now. It is rounded up, so that a wait
// never ends early: one for the fraction of ns, one for that of the present.
func after(ns int64) deadline {
	if ns < 0 {
		ns = 0
	}
	return deadline(kernel.InterruptTime() + uint64(ns)/100 + 2)
}

func (d deadline) passed() bool { return d != 0 && kernel.InterruptTime() >= uint64(d) }

// sleep waits until somebody wakes the thread or the deadline has passed. It
// may return for no reason; the caller looks.
func (s *state) sleep(until deadline) {
	if until == 0 {
		kernel.WaitHeader(&s.event, nil, false)
		return
	}
	now := kernel.InterruptTime()
	if now >= uint64(until) {
		return
	}
	timeout := -int64(uint64(until) - now)
	kernel.WaitHeader(&s.event, &timeout, false)
}

// interrupted reports whether a signal is pending that the thread accepts, so
// that its wait must end with EINTR.
func (s *state) interrupted() bool { return atomic.LoadUint64(&s.pending)&^s.mask != 0 }

// mayWait stops the machine if the call f cannot wait at the level it was made at,
// or with interrupts disabled, which other code would have to enable again.
func mayWait(f *arch.Frame, l irql.Level) {
	text := "the Go runtime had to wait, in a system call, at a raised IRQL"
	switch {
	case l >= irql.Dispatch:
	case !f.InterruptsEnabled():
		text = "the Go runtime had to wait, in a system call, with interrupts disabled"
	default:
		return
	}
	bugcheck.StopText(text, bugcheck.IRQLNotLessOrEqual, f.Syscall(), uintptr(l), 0, f.PC(), f)
}

// exitStatus is the NTSTATUS that a thread of the runtime ends with.
const exitStatus = ntstatus.Success
