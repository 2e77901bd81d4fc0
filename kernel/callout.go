package kernel

import (
	"unsafe"

	"irqlab/bugcheck"
)

// calloutExit is parameter 1 of bug check DRIVER_VERIFIER_DETECTED_VIOLATION, a
// value of irqlab's own: a thread ended in a callout on an expanded stack.
const calloutExit = 0x1AB0001

// refuseCallout stops the machine if a thread ends in the callout of
// KeExpandKernelStackAndCallout.
func (t *Thread) refuseCallout() {
	if t.Callouts != 0 {
		bugcheck.StopBecause("a thread ends inside the callout of KeExpandKernelStackAndCallout",
			bugcheck.VerifierDetectedViolation, calloutExit, uintptr(unsafe.Pointer(t)), 0, 0)
	}
}
