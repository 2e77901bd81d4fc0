package sync

import (
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
)

// rule is parameter 1 of bug check DRIVER_VERIFIER_DETECTED_VIOLATION ("Bug
// Check 0xC4"): what Driver Verifier reports of the locks in this package.
type rule uintptr

const (
	fastAcquiredTooHigh   rule = 0x33   // fast mutex acquired above APC_LEVEL
	fastReleasedElsewhere rule = 0x34   // fast mutex released at another level than APC_LEVEL
	resourceAcquiredAPCs  rule = 0x37   // resource acquired with APCs enabled
	resourceReleasedAPCs  rule = 0x38   // resource released with APCs enabled
	unsafeAcquiredAPCs    rule = 0x39   // fast mutex acquired by the unsafe form with APCs enabled
	unsafeReleasedAPCs    rule = 0x3A   // the same of the release
	resourceReinitialized rule = 0xD0   // resource initialized that is in use
	resourceUninitialized rule = 0xD1   // resource deleted that is not initialized
	resourceFreed         rule = 0xD2   // resource deleted or freed that is owned or not deleted
	pushAcquiredAPCs      rule = 0xEA   // push lock acquired with APCs enabled
	pushReleasedAPCs      rule = 0xEB   // push lock released with APCs enabled
	selfDeadlock          rule = 0x1000 // the thread waits for a lock that it holds
	otherThread           rule = 0x1004 // a lock released by a thread that does not hold it
	notAcquired           rule = 0x1007 // a lock released that nobody holds
)

// violated stops the machine for a broken rule. The text says what it means for
// the lock at address.
func (r rule) violated(text string, address uintptr) {
	bugcheck.StopBecause(text, bugcheck.VerifierDetectedViolation, uintptr(r), uintptr(irql.Current()), address, 0)
}

// wantAPCsOff stops the machine unless no normal kernel APC can reach the
// thread: one that waits for a lock that the thread holds would never return.
func (r rule) wantAPCsOff(t *kernel.Thread, text string, address uintptr) {
	if !t.APCsDisabled() && irql.Current() < irql.APC {
		r.violated(text, address)
	}
}
