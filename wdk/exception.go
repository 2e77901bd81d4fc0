package wdk

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/mm"
	"irqlab/ntstatus"
	"irqlab/seh"
)

// Exceptions.
type (
	EXCEPTION_RECORD  = kernel.ExceptionRecord
	PEXCEPTION_RECORD = *EXCEPTION_RECORD
	CONTEXT           = arch.Frame
	PCONTEXT          = *CONTEXT

	// EXCEPTION_POINTERS are what a filter is told. The context is nil unless the
	// hardware raised the exception.
	EXCEPTION_POINTERS struct {
		ExceptionRecord PEXCEPTION_RECORD
		ContextRecord   PCONTEXT
	}
	PEXCEPTION_POINTERS = *EXCEPTION_POINTERS
)

// What a filter returns.
const (
	EXCEPTION_EXECUTE_HANDLER    LONG = 1
	EXCEPTION_CONTINUE_SEARCH    LONG = 0
	EXCEPTION_CONTINUE_EXECUTION LONG = -1
)

const (
	EXCEPTION_NONCONTINUABLE     = kernel.Noncontinuable
	EXCEPTION_MAXIMUM_PARAMETERS = 15

	// MmUserProbeAddress is where the addresses end that ProbeForRead accepts.
	MmUserProbeAddress ULONG_PTR = mm.UserProbe
)

// TryExcept is __try { body } __except (filter) { handler }. The filter is asked
// before anything is unwound; handler gets the exception's code, which
// GetExceptionCode returns in C.
//
// IRQL: <= APC_LEVEL
func TryExcept(body func(), filter func(PEXCEPTION_POINTERS) LONG, handler func(ExceptionCode NTSTATUS)) {
	atMost(irql.APC)
	mustCall(body)
	mustCall(filter)
	mustCall(handler)
	seh.Try(body, func(x *seh.Exception) seh.Disposition {
		return seh.Disposition(filter(&EXCEPTION_POINTERS{x.Record, x.Context}))
	}, func(x *seh.Exception) { handler(x.Code()) })
}

// TryFinally is __try { body } __finally { block }. Block is told what
// AbnormalTermination returns in C.
//
// IRQL: <= APC_LEVEL
func TryFinally(body func(), block func(AbnormalTermination BOOLEAN)) {
	atMost(irql.APC)
	mustCall(body)
	mustCall(block)
	seh.Finally(body, block)
}

// ExRaiseStatus raises an exception with the given code, an error or not. At
// DISPATCH_LEVEL and above, where nothing can handle it, it is bug check
// KMODE_EXCEPTION_NOT_HANDLED.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExRaiseStatus function (wdm.h)"
func ExRaiseStatus(Status NTSTATUS) { kernel.RaiseStatus(Status) }

// ExRaiseAccessViolation raises STATUS_ACCESS_VIOLATION.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ExRaiseAccessViolation function (ntddk.h)"
func ExRaiseAccessViolation() {
	exactly(irql.Passive)
	kernel.RaiseStatus(ntstatus.AccessViolation)
}

// ExRaiseDatatypeMisalignment raises STATUS_DATATYPE_MISALIGNMENT.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ExRaiseDatatypeMisalignment function (ntddk.h)"
func ExRaiseDatatypeMisalignment() {
	exactly(irql.Passive)
	kernel.RaiseStatus(ntstatus.Misalignment)
}

// ProbeForRead raises STATUS_DATATYPE_MISALIGNMENT for a user's buffer that is not
// aligned, and STATUS_ACCESS_VIOLATION for one that is not all below system space.
// A Length of 0 is always accepted. Reading the buffer may still cause an
// exception.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ProbeForRead function (wdm.h)"
func ProbeForRead(Address PVOID, Length SIZE_T, Alignment ULONG) {
	atMost(irql.APC)
	seh.ProbeForRead(Address, Length, uintptr(Alignment))
}

// ProbeForWrite is ProbeForRead for a buffer that will be written: each of its
// pages is, with what it has.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ProbeForWrite function (wdm.h)"
func ProbeForWrite(Address PVOID, Length SIZE_T, Alignment ULONG) {
	atMost(irql.APC)
	seh.ProbeForWrite(Address, Length, uintptr(Alignment))
}

var _ [152 - unsafe.Sizeof(EXCEPTION_RECORD{})]byte // as in ntddk.h
