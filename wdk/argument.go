package wdk

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/mm"
	"irqlab/pool"
)

// shape is what must be behind a pointer that a routine is given.
type shape struct {
	size, align uintptr
	raised      bool                      // the routines raise to DISPATCH_LEVEL before they touch it
	anywhere    bool                      // it may lie in a Go variable
	is          func(unsafe.Pointer) bool // whether it is such an object; nil if memory does not tell
}

// mustBe stops the machine unless p points to an object of the shape: as a touch of
// p would if nothing is there, and else as Driver Verifier does for memory that is
// freed or pageable, or not aligned.
func mustBe(s *shape, p unsafe.Pointer) {
	if Checked {
		s.check(p, s.raised, s.is)
	}
}

// atMostWith is atMost and mustBe.
func atMostWith(max irql.Level, s *shape, p unsafe.Pointer) {
	if Checked {
		atMost(max)
		s.check(p, s.raised, s.is)
	}
}

// mayBecome is mustBe for memory that is yet to become an object. That of a driver
// in Go lies in pool, unless the shape says otherwise.
func mayBecome(s *shape, p unsafe.Pointer) {
	if Checked {
		s.check(p, false, nil)
		if !s.anywhere && !arch.InKernel() && !mm.InPool(uintptr(p)) {
			bugcheck.StopAtCall("a kernel object must lie in nonpaged pool, not in a Go variable: use ExAllocatePool2 or New",
				bugcheck.VerifierDetectedViolation, pageableObject, uintptr(p), 0, 0)
		}
	}
}

// mustReach stops the machine, or raises an exception, as a touch of n bytes at p
// would, and for memory of pool that is freed. What is paged out is left to a touch
// below DISPATCH_LEVEL.
func mustReach(p unsafe.Pointer, n uintptr) {
	if Checked && !reachable(uintptr(p), n) {
		fault(uintptr(p), false)
	}
}

// mayReach is mustReach for a pointer that may be nil.
func mayReach(p unsafe.Pointer, n uintptr) {
	if Checked && p != nil && !reachable(uintptr(p), n) {
		fault(uintptr(p), false)
	}
}

// mustCall stops the machine for a routine that is nil, at once: a call of it would
// stop the machine as well, but later, where nothing tells who gave it.
func mustCall[F any](routine F) {
	if Checked && *(*uintptr)(unsafe.Pointer(&routine)) == 0 {
		bugcheck.StopAtCall("a routine that the caller has called is nil",
			bugcheck.VerifierDetectedViolation, noRoutine, uintptr(irql.Current()), 0, 0)
	}
}

// mustTake stops the machine for a number that a routine gives no meaning to, and
// has no status for.
func mustTake(taken bool, number uintptr) {
	if Checked && !taken {
		bugcheck.StopAtCall("a routine was given a number, or flags, that it gives no meaning to",
			bugcheck.VerifierDetectedViolation, outOfRange, uintptr(irql.Current()), number, 0)
	}
}

//go:noinline
func (s *shape) check(p unsafe.Pointer, raised bool, is func(unsafe.Pointer) bool) {
	at := uintptr(p)
	resident := true
	switch {
	case mm.InPaged(at):
		resident = false
	case mm.InPool(at):
		resident = mapped(at, s.size) && !pool.Freed(at)
	case !mapped(at, s.size):
		fault(at, raised)
	case mm.InAreas(at):
		resident = s.anywhere
	}
	switch {
	case !resident || at%s.align != 0:
		bugcheck.StopAtCall("an object lies in memory that is freed or pageable, or is not aligned",
			bugcheck.VerifierDetectedViolation, pageableObject, at, 0, 0)
	case is != nil && !is(p):
		wrongObject(p, *(*uint8)(p))
	}
}

// wrongObject stops the machine for what a routine was given at p, which says of
// itself that it is of the type.
func wrongObject(p unsafe.Pointer, typ uint8) {
	bugcheck.StopAtCall("a routine was given what is no object of the type that it takes, or is not initialized",
		bugcheck.VerifierDetectedViolation, noObject, uintptr(irql.Current()), uintptr(p), uintptr(typ))
}

// reachable reports whether a touch of the n bytes at p, less than a page, goes
// well: it may bring in a page, but meets no freed memory.
func reachable(p, n uintptr) bool {
	switch {
	case n == 0 || mm.InPaged(p) && irql.Current() < irql.Dispatch:
		return true
	case mm.InPool(p):
		return mapped(p, n) && !pool.Freed(p)
	}
	return mapped(p, n)
}

// mapped reports whether the n bytes at p, less than a page, are there, or come into
// being when they are touched, as a Go variable's may.
func mapped(p, n uintptr) bool {
	last := p + n - 1
	if mm.Mapped(p) && ((p^last) < arch.PageSize || mm.Mapped(last)) {
		return true
	}
	if !mm.InAreas(p) {
		return false
	}
	a := kernel.Args{A: p, B: n}
	kernel.Enter(accessible, &a)
	return a.R != 0
}

func accessible(a *kernel.Args) { a.R = truth(mm.Accessible(a.A, a.B, mm.Read)) }

// fault does what a touch of an address does where nothing is: an exception below
// DISPATCH_LEVEL for a user's address, else a bug check.
func fault(at uintptr, raised bool) {
	level := irql.Current()
	switch {
	case raised || level >= irql.Dispatch:
		bugcheck.StopAtCall("", bugcheck.IRQLNotLessOrEqual, at, uintptr(max(level, irql.Dispatch)), 0, 0)
	case mm.System(at):
		bugcheck.StopAtCall("", bugcheck.PageFaultInNonpagedArea, at, 0, 0, 0)
	default:
		kernel.RaiseStatus(STATUS_ACCESS_VIOLATION)
	}
}
