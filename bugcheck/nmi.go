package bugcheck

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
)

// NMICallback is a registered routine for non-maskable interrupts. It lies in
// resident memory that its owner keeps until it is deregistered.
type NMICallback struct {
	next    uintptr
	Routine uintptr // the func value, an NMIRoutine
	Context unsafe.Pointer
}

// NMIRoutine is an NMI_CALLBACK. It is told whether another routine has claimed
// the interrupt, and returns whether that is the case now. It runs at HIGH_LEVEL,
// and on x86-64 possibly in the middle of anything.
//
// IRQL: HIGH_LEVEL
type NMIRoutine func(context unsafe.Pointer, handled bool) bool

// nmiFirst is the routine registered last: they are called in that order.
var nmiFirst uintptr

// RegisterNMI adds a routine (KeRegisterNmiCallback).
//
// IRQL: any
func (c *NMICallback) Register() {
	on := lockCallbacks()
	c.next = nmiFirst
	nmiFirst = uintptr(unsafe.Pointer(c))
	unlockCallbacks(on)
}

// Deregister removes a routine, and reports false for one that is not registered
// (KeDeregisterNmiCallback). It may be running still.
//
// IRQL: any
func (c *NMICallback) Deregister() bool {
	on := lockCallbacks()
	found := false
	for p := &nmiFirst; *p != 0; p = &(*NMICallback)(pointer(*p)).next {
		if found = *p == uintptr(unsafe.Pointer(c)); found {
			*p = c.next
			break
		}
	}
	unlockCallbacks(on)
	return found
}

// parityError is parameter 1 of NMI_HARDWARE_FAILURE as Windows has it.
const parityError = 0x4F4454

// NMI serves a non-maskable interrupt, and on ARM64 what stands for it: the
// interrupt at HIGH_LEVEL. During a stop it freezes the processor. Otherwise the
// callbacks are asked; if none of them claims it, the machine stops.
func NMI(f *arch.Frame) {
	if Stopping() {
		if atomic.LoadUint32(&owner) == arch.ThisCPU().ID+1 {
			return // it has better things to do
		}
		Freeze(f)
	}
	handled := false
	for a := nmiFirst; a != 0; {
		c := (*NMICallback)(pointer(a))
		handled = (*(*NMIRoutine)(unsafe.Pointer(&c.Routine)))(c.Context, handled) || handled
		a = c.next
	}
	if !handled {
		StopFrame(NMIHardwareFailure, parityError, 0, 0, 0, f)
	}
}
