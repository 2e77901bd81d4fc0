package bugcheck

import (
	"irqlab/arch"
	"irqlab/ntstatus"
)

// PageFault stops the machine for a page fault that nobody could serve: at
// DISPATCH_LEVEL and above 0xD1 if a driver made it and 0xA if the kernel did,
// below 0x50.
func PageFault(f *arch.Frame, va uintptr, a arch.Access) {
	if f.IRQL() >= 2 {
		code := IRQLNotLessOrEqual
		if driver(f.PC()) {
			code = DriverIRQLNotLessOrEqual
		}
		StopFrame(code, va, f.IRQL(), uintptr(a), f.PC(), f)
	}
	// 0x50 counts accesses differently from 0xA.
	kind := uintptr(0)
	switch a {
	case arch.AccessWrite:
		kind = 2
	case arch.AccessExecute:
		kind = 0x10
	}
	stopFault(PageFaultInNonpagedArea, va, kind, f)
}

// InterceptFault is Intercept for page faults. If it is set, it gets the stop that a
// fault of a thread's Go code below DISPATCH_LEVEL would be, for the code to get an
// exception in its place: PageFault and SpecialPoolFault return.
var InterceptFault *Intercepted

// Intercepted is a stop that was not made.
type Intercepted struct {
	Code       Code
	Parameters [4]uintptr
}

func stopFault(code Code, va, access uintptr, f *arch.Frame) {
	if i := InterceptFault; i != nil && !f.FromKernel() && f.IRQL() < 2 {
		*i = Intercepted{code, [4]uintptr{va, access, f.PC()}}
		return
	}
	StopFrame(code, va, access, f.PC(), 0, f)
}

// SpecialPoolFault stops the machine for a page fault in special pool: beside an
// allocation, or in one that was freed.
func SpecialPoolFault(f *arch.Frame, va uintptr, a arch.Access, beside bool) {
	code := PageFaultInFreedSpecialPool
	switch isDriver := driver(f.PC()); {
	case beside && isDriver:
		code = DriverFaultBeyondEnd
	case beside:
		code = PageFaultBeyondEnd
	case isDriver:
		code = DriverFaultInFreedSpecialPool
	}
	stopFault(code, va, uintptr(a), f)
}

// Trap stops the machine for a trap that is no exception of the code that it
// interrupted. The numbers are those of x86-64's vectors, on both architectures.
func Trap(f *arch.Frame) {
	number := uintptr(18) // machine check
	if f.Cause() == arch.CauseDoubleFault {
		number = 8
	}
	StopFrame(UnexpectedKernelModeTrap, number, f.PC(), f.SP(), 0, f)
}

// ExceptionCode returns the status that names what the frame's code did.
func ExceptionCode(f *arch.Frame) uintptr {
	code := ntstatus.AccessViolation
	switch f.Cause() {
	case arch.CauseDivide:
		code = ntstatus.IntegerDivide
	case arch.CauseFloat:
		code = ntstatus.FloatInvalid
	case arch.CauseBreakpoint:
		code = ntstatus.Breakpoint
	case arch.CauseDebug:
		code = ntstatus.SingleStep
	case arch.CauseUndefined:
		code = ntstatus.IllegalInstr
	case arch.CauseAlignment:
		code = ntstatus.Misalignment
	}
	return uintptr(uint32(code))
}

// driver reports whether the function at pc is not the kernel's own: the image
// holds irqlab's packages, the Go distribution, and the programs on top. What
// the Go runtime does at a raised level a driver made it do.
func driver(pc uintptr) bool {
	var p positions
	if !p.find(pc) {
		return true // a bad call: only a driver's function pointer leads there
	}
	var at Position
	for p.next(&at) {
		if !at.Inlined {
			return !resident(at.Function)
		}
	}
	return true
}

// residentPackages are the packages of the kernel proper, below wdk.
var residentPackages = [...]string{
	"arch", "board", "bugcheck", "crash", "disk", "dpc", "entry", "intr", "ipi", "irql", "kernel",
	"linux", "list", "mm", "ntstatus", "ob", "paging", "pool", "sync", "verifier", "wdk",
}

func resident(function string) bool {
	const module = "irqlab/"
	if !hasPrefix(function, module) {
		return false
	}
	rest := function[len(module):]
	for _, p := range &residentPackages {
		if hasPrefix(rest, p) && len(rest) > len(p) && (rest[len(p)] == '.' || rest[len(p)] == '/') {
			return true
		}
	}
	return false
}
