package dpc

import (
	"unsafe"

	"irqlab/bugcheck"
)

// TimerOf, if set, returns the address of a timer that is set and will queue the
// object, or 0. Checked mode asks it at each Insert at DISPATCH_LEVEL or below
// of an object that a timer was given, since the object is the timer's alone
// then.
var TimerOf func(d *Object) uintptr

// AttachTimer notes that a timer is given the object.
//
// IRQL: <= DISPATCH_LEVEL
func (d *Object) AttachTimer() { d.timed = 1 }

// Expire is Insert on behalf of the object's timer. Kernel context.
//
// IRQL: any
func (d *Object) Expire(arg1, arg2 unsafe.Pointer) bool { return d.insert(arg1, arg2, true) }

// checkTimer stops the machine if a timer that is set has the object.
func (d *Object) checkTimer() {
	if TimerOf == nil {
		return
	}
	if t := TimerOf(d); t != 0 {
		bugcheck.StopBecause("a DPC was queued by hand that a timer is set to queue (KeSetTimer)",
			bugcheck.TimerOrDPCInvalid, ofTimer, uintptr(unsafe.Pointer(d)), t, 0)
	}
}
