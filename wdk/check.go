package wdk

import (
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
)

// Checked makes the routines check what the documentation demands of their
// callers: the level, and where objects lie.
var Checked = true

// Parameter 1 of DRIVER_VERIFIER_DETECTED_VIOLATION.
const (
	setEventTooHigh = 0x80  // KeSetEvent above DISPATCH_LEVEL
	pageableObject  = 0xE1  // a synchronization object in pageable memory
	wrongLevel      = 0xE5  // any other routine at a level that is not allowed
	serviceLevel    = 0xE6  // a Zw routine above PASSIVE_LEVEL, or without special kernel APCs
	waitTooHigh     = 0x120 // a wait above DISPATCH_LEVEL
	waitForEver     = 0x121 // a wait without a timeout at DISPATCH_LEVEL
	waitAtDispatch  = 0x122 // one with a timeout that is not zero
	userWaitOnStack = 0x123 // a wait in user mode for an object on a stack

	// Values of irqlab's own.
	noObject         = 0x1AB0003 // a routine was given something else than it takes
	userWaitForMutex = 0x1AB0004 // a wait in user mode for a KMUTEX
	noRoutine        = 0x1AB0005 // a routine to call is nil
	outOfRange       = 0x1AB0006 // a number or flags that mean nothing
)

// atMost stops the machine above the given level.
func atMost(max irql.Level) {
	if Checked {
		if l := irql.Current(); l > max {
			bugcheck.Stop(bugcheck.VerifierDetectedViolation, wrongLevel, uintptr(l), 0, uintptr(max))
		}
	}
}

// exactly stops the machine at any other level.
func exactly(level irql.Level) {
	if Checked {
		if l := irql.Current(); l != level {
			bugcheck.Stop(bugcheck.VerifierDetectedViolation, wrongLevel, uintptr(l), uintptr(level), uintptr(level))
		}
	}
}

// passiveWithAPCs stops the machine unless a Zw routine may be called: at
// PASSIVE_LEVEL, and with special kernel APCs enabled, which may have to complete
// what it asks for.
func passiveWithAPCs() {
	if Checked {
		l, t := irql.Current(), kernel.Current()
		if l > irql.Passive || t.SpecialAPCs != 0 {
			bugcheck.Stop(bugcheck.VerifierDetectedViolation, serviceLevel, uintptr(l), uintptr(-t.SpecialAPCs), 0)
		}
	}
}
