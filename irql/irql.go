// Package irql is the interrupt request level: one number per processor, kept
// in the hardware's own interrupt priority mask and nowhere else (CR8 on
// x86-64, ICC_PMR_EL1 on ARM64). Writing the mask is all that raising and
// lowering do; what becomes deliverable by a lowering, the hardware delivers.
//
// IRQL: every routine here may be called at any level.
package irql

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/chance"
)

// Level is an IRQL.
type Level uint8

// The levels of 64-bit Windows ("Managing Hardware Priorities").
const (
	Passive   Level = 0  // threads
	APC       Level = 1  // asynchronous procedure calls are masked
	Dispatch  Level = 2  // the dispatcher is masked: no thread switch
	DeviceMin Level = 3  // lowest device level (DIRQL)
	DeviceMax Level = 12 // highest device level
	Synch     Level = 12 // SYNCH_LEVEL on multiprocessor builds
	Clock     Level = 13 // the clock interrupt
	IPI       Level = 14 // inter-processor interrupts
	High      Level = 15 // everything is masked
)

// Current returns the processor's level (KeGetCurrentIrql).
//
//go:nosplit
func Current() Level { return Level(arch.ReadIRQL()) }

// Set writes the mask without a check. It is for code that has just read the
// level and knows the direction.
//
//go:nosplit
func Set(l Level) { arch.WriteIRQL(uintptr(l)) }

// raiseTo and lowerTo are what Raise and Lower are at present: the full path, or
// in kernel context the fast one of package arch, which comes back to the full
// path for Go code of a thread and for callers that are wrong.
var (
	raiseTo = raise
	lowerTo = lower
)

// Start puts the fast path to use, unless there is a seed: then every change of
// level is a schedule point. Boot processor, once.
func Start() {
	arch.LevelSlow = arch.LevelFallback{
		Raise: func(to uintptr) uintptr { return uintptr(raise(Level(to))) },
		Lower: func(to uintptr) { lower(Level(to)) },
	}
	if !chance.Enabled() {
		r, l := arch.LevelCode()
		raiseTo = *(*func(Level) Level)(unsafe.Pointer(&r))
		lowerTo = *(*func(Level))(unsafe.Pointer(&l))
	}
}

// Raise raises the level and returns the one in force before (KeRaiseIrql).
// A level below the current one is bug check IRQL_NOT_GREATER_OR_EQUAL.
//
// Raised to DISPATCH_LEVEL or above, Go code of a thread is pinned to its P
// and has 16 KiB of stack present, so that neither the garbage collector nor
// stack growth needs the dispatcher until the matching Lower.
func Raise(to Level) Level { return raiseTo(to) }

func raise(to Level) Level {
	chance.Point()
	old := Current()
	if to < old {
		bugcheck.StopAtCall("", bugcheck.IRQLNotGreaterOrEqual, uintptr(to), uintptr(old), 0, 0)
	}
	if !arch.InKernel() {
		switch {
		case to >= Dispatch && old < Dispatch:
			if Raising != nil {
				Raising()
			}
			arch.TouchStack()
			procPin()
			arch.ThisContext().Raised = arch.Goroutine()
		case to == APC && old < APC:
			mustStay()
		}
	}
	Set(to)
	return old
}

// Raising, if set, is called by Go code of a thread that is about to raise to
// DISPATCH_LEVEL or above.
var Raising func()

// Locked, set at boot, reports whether the running goroutine is locked to its
// thread.
var Locked func() bool

// mustStay stops the machine if the Go scheduler could move the goroutine to
// another thread, which would leave the level behind: at APC_LEVEL nothing pins
// it.
func mustStay() {
	if Locked != nil && !Locked() {
		bugcheck.StopText("a goroutine that is not locked to its thread raised to APC_LEVEL; irqlab.LockThread locks it",
			bugcheck.IRQLUnexpectedValue, uintptr(APC)<<16, 0, 0, 0, nil)
	}
}

// Lower restores a level that Raise returned (KeLowerIrql). Interrupts held
// back by the mask are taken before it returns. A level above the current one
// is bug check IRQL_NOT_LESS_OR_EQUAL.
func Lower(to Level) { lowerTo(to) }

func lower(to Level) {
	cur := Current()
	if to > cur {
		bugcheck.StopAtCall("", bugcheck.IRQLNotLessOrEqual, uintptr(to), uintptr(cur), 0, 0)
	}
	if to < Dispatch && cur >= Dispatch && Falling != nil {
		Falling()
	}
	if to == APC && cur > APC && !arch.InKernel() {
		mustStay()
	}
	Set(to)
	if !arch.InKernel() {
		if cur >= Dispatch && to < Dispatch {
			arch.ThisContext().Raised = 0
			procUnpin()
		}
		if to == Passive && Lowered != nil && arch.ThisContext().Attention != 0 {
			Lowered()
		}
	}
	chance.Point()
}

// Falling, if set, is called before Go code of a thread lowers its level from
// DISPATCH_LEVEL or above to one below. Spin locks are checked there.
var Falling func()

// Lowered, if set, is called by Go code of a thread that has lowered to
// PASSIVE_LEVEL when something came for the thread meanwhile: normal APC
// routines, which are Go, can't be called by the interrupt that the lowering let
// through.
var Lowered func()

// AssertAtMost stops the machine if the level is above max.
func AssertAtMost(max Level) {
	if l := Current(); l > max {
		bugcheck.StopAtCall("", bugcheck.IRQLNotLessOrEqual, 0, uintptr(l), uintptr(max), 0)
	}
}

// AssertAtLeast stops the machine if the level is below min.
func AssertAtLeast(min Level) {
	if l := Current(); l < min {
		bugcheck.StopAtCall("", bugcheck.IRQLNotGreaterOrEqual, 0, uintptr(l), uintptr(min), 0)
	}
}

//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()
