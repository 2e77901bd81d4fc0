package kernel

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/ntstatus"
)

// ExceptionRecord is an EXCEPTION_RECORD: what happened, and where.
type ExceptionRecord struct {
	Code        ntstatus.Status
	Flags       uint32
	Record      *ExceptionRecord // of the exception that this one was raised for
	Address     uintptr          // of the instruction
	Parameters  uint32           // used of Information
	_           uint32
	Information [15]uintptr // of an access violation: what was tried (0 read, 1 write, 8 execute), and the address
}

// Noncontinuable is the flag of an exception that execution cannot go on after.
const Noncontinuable = 1

// Registration is the kernel's part of a try block (EXCEPTION_REGISTRATION_RECORD):
// where it leaves the description of a hardware exception that Go code in the
// block caused. It lies in Go memory and is in use as long as the block runs. Its
// goroutine is locked to the thread meanwhile.
type Registration struct {
	Outer    *Registration
	Filtered bool // this block or one outside it has a filter
	Pending  bool // Record and Context describe an exception that nobody has looked at
	Record   ExceptionRecord
	Context  arch.Frame
}

// Handlers returns the innermost registration of the running thread.
//
// IRQL: any
func Handlers() *Registration { return (*Registration)(unsafe.Pointer(Current().handlers)) }

// SetHandlers makes r the innermost registration of the running thread.
//
// IRQL: any
func SetHandlers(r *Registration) { Current().handlers = uintptr(unsafe.Pointer(r)) }

// Filtered reports whether a filter of the running thread is going to be asked about
// an exception of its Go code.
//
// IRQL: any
func Filtered() bool {
	r := Handlers()
	return r != nil && r.Filtered
}

// Describe describes the hardware exception that made f, with the address that a
// page fault has.
func (r *ExceptionRecord) Describe(f *arch.Frame, va uintptr, a arch.Access) {
	*r = ExceptionRecord{Code: ntstatus.Status(int32(bugcheck.ExceptionCode(f))), Address: f.Instruction()}
	switch f.Cause() {
	case arch.CausePageFault:
		r.Parameters, r.Information[0], r.Information[1] = 2, uintptr(a), va
	case arch.CauseProtection:
		// The processor does not tell the address.
		r.Parameters, r.Information[1] = 2, ^uintptr(0)
	}
}

// Faulted leaves the exception that made f with the innermost try block of the
// running thread's Go code, and reports whether there is one.
//
// IRQL: <= APC_LEVEL
func Faulted(f *arch.Frame, va uintptr, a arch.Access) bool {
	r := Handlers()
	if r == nil {
		return false
	}
	r.Record.Describe(f, va, a)
	r.Context = *f
	r.Context.Detach()
	r.Pending = true
	return true
}

// lastException is that of a stop, for debuggers: it is in every dump.
var lastException struct {
	record  ExceptionRecord
	context arch.Frame
}

// Unhandled stops the machine with a code for an exception without a handler.
// The context is that of a hardware exception, or nil.
//
// IRQL: any
func Unhandled(code bugcheck.Code, r *ExceptionRecord, c *arch.Frame) {
	a := Args{P: unsafe.Pointer(r), Q: unsafe.Pointer(c), A: uintptr(code)}
	Enter(unhandled, &a)
}

func unhandled(a *Args) {
	var frame *arch.Frame
	if a.Q != nil {
		frame = &lastException.context
		*frame = *(*arch.Frame)(a.Q)
	}
	stopFor(bugcheck.Code(a.A), (*ExceptionRecord)(a.P), frame)
}

func stopFor(code bugcheck.Code, r *ExceptionRecord, f *arch.Frame) {
	last := &lastException.record
	*last = *r
	record, context := uintptr(unsafe.Pointer(last)), uintptr(unsafe.Pointer(f))
	status := uintptr(uint32(r.Code))
	switch code {
	case bugcheck.SystemThreadException:
		bugcheck.StopFrame(code, status, r.Address, record, context, f)
	case bugcheck.InterruptException:
		bugcheck.StopFrame(code, record, context, status, r.Address, f)
	}
	bugcheck.StopFrame(code, status, r.Address, r.Information[0], r.Information[1], f)
}

// Trapped stops the machine for an exception where there are no handlers: in
// kernel context, or at DISPATCH_LEVEL and above.
//
// IRQL: any
func Trapped(f *arch.Frame, va uintptr, a arch.Access) {
	switch f.Cause() {
	case arch.CauseDoubleFault, arch.CauseMachineCheck:
		bugcheck.Trap(f)
	}
	code := bugcheck.KmodeExceptionNotHandled
	switch {
	case arch.ThisCPU().Interrupt.Contains(f.SP()):
		code = bugcheck.InterruptException
	case f.IRQL() < uintptr(irql.Dispatch) && Current().System:
		code = bugcheck.SystemThreadException
	}
	var r ExceptionRecord
	r.Describe(f, va, a)
	stopFor(code, &r, f)
}
