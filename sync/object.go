package sync

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/pool"
)

// Checked makes Init methods report objects outside resident memory.
var Checked = true

// pageableObject is parameter 1 of bug check
// DRIVER_VERIFIER_DETECTED_VIOLATION: a synchronization object lies in memory
// that is invalid or pageable. Parameter 2 is its address.
const pageableObject = 0xE1

// checkResident stops the machine unless [p, p+size) is in the pool, or kernel
// code uses its static data or its own stack.
//
// Above DISPATCH_LEVEL the pool can't be asked; Init is legal there.
func checkResident(p unsafe.Pointer, size uintptr) {
	if !Checked || irql.Current() > irql.Dispatch {
		return
	}
	lo := uintptr(p)
	hi := lo + size
	if _, end, _, ok := pool.Owner(lo); ok && hi <= end {
		return
	}
	if arch.InKernel() {
		_, _, _, _, data, end := arch.ImageBounds()
		if s := &arch.ThisContext().Stack; s.Lo <= lo && hi <= s.Hi || data <= lo && hi <= end {
			return
		}
	}
	bugcheck.Stop(bugcheck.VerifierDetectedViolation, pageableObject, lo, 0, 0)
}

// corruptList is parameter 1 of bug check KERNEL_SECURITY_CHECK_FAILURE.
const corruptList = 3

// checkNew stops the machine unless [h, h+size) may become an object: resident
// memory, and not an object that threads wait for, whose list of them would be
// lost.
//
// Above DISPATCH_LEVEL the dispatcher can't be asked either.
func checkNew(h *kernel.Header, size uintptr) {
	checkResident(unsafe.Pointer(h), size)
	if !Checked || irql.Current() > irql.Dispatch {
		return
	}
	if t := h.Waiter(); t != nil {
		bugcheck.StopBecause("an object was initialized that a thread waits for",
			bugcheck.KernelSecurityCheckFailure, corruptList, uintptr(unsafe.Pointer(h)), uintptr(unsafe.Pointer(t)), 0)
	}
}

// CheckFree stops the machine if an object of this package that is in use lies
// in [lo, hi), which is about to be freed. It is meant for pool.OnFree.
//
// IRQL: <= DISPATCH_LEVEL
func CheckFree(lo, hi uintptr) {
	if Checked {
		checkFreeResource(lo, hi)
		checkFreeWork(lo, hi)
	}
}

// word returns the signed state that an operation left in its arguments.
func word(a *kernel.Args) int32 { return int32(a.R) }

// beforeWait raises for an operation with Wait = TRUE: the level stays raised
// and the dispatcher locked until the wait that follows. max is the highest
// level at which that is allowed; the level to return to goes into a.
//
// Go code is raised by irql, which pins its goroutine; the wait unpins it.
func beforeWait(a *kernel.Args, max irql.Level) {
	irql.AssertAtMost(max)
	a.B = 1
	a.C = uintptr(irql.Raise(irql.Dispatch))
}

// finish ends an operation on behalf of a: it keeps the dispatcher lock after
// beforeWait, and releases it otherwise.
func finish(a *kernel.Args, old irql.Level) {
	if a.B != 0 {
		kernel.KeepDispatcher(irql.Level(a.C))
	} else {
		kernel.UnlockDispatcher(old)
	}
}
