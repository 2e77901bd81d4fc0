package seh

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/mm"
	"irqlab/ntstatus"
)

// ProbeForRead raises STATUS_DATATYPE_MISALIGNMENT if a user's buffer is not
// aligned to a multiple of alignment, a power of two, and STATUS_ACCESS_VIOLATION
// if it is not all below system space (ProbeForRead). Whether there is memory is
// known only by reading it, in a try block. A buffer of no bytes is always right.
//
// IRQL: <= APC_LEVEL
func ProbeForRead(address unsafe.Pointer, length, alignment uintptr) {
	irql.AssertAtMost(irql.APC)
	if length == 0 {
		return
	}
	at := uintptr(address)
	if at&(alignment-1) != 0 {
		kernel.RaiseStatus(ntstatus.Misalignment)
	}
	if end := at + length; end < at || end > mm.UserProbe {
		violate(arch.AccessRead, mm.UserProbe)
	}
}

// ProbeForWrite is ProbeForRead for a buffer that will be written: it also writes
// a byte of each page, what it had, so that one that cannot be written is found
// now (ProbeForWrite).
//
// IRQL: <= APC_LEVEL
func ProbeForWrite(address unsafe.Pointer, length, alignment uintptr) {
	ProbeForRead(address, length, alignment)
	for at := uintptr(address); at < uintptr(address)+length; at = at&^(arch.PageSize-1) + arch.PageSize {
		p := (*byte)(unsafe.Pointer(at))
		touch(p)
	}
}

// touch writes what a byte has. The compiler would drop it in a loop.
//
//go:noinline
func touch(p *byte) {
	v := *p
	store(p, v)
}

//go:noinline
func store(p *byte, v byte) { *p = v }

// violate raises an access violation for an access to an address.
func violate(a arch.Access, va uintptr) {
	r := kernel.ExceptionRecord{Code: ntstatus.AccessViolation, Flags: kernel.Noncontinuable, Parameters: 2}
	r.Information[0], r.Information[1] = uintptr(a), va
	Raise(&r)
}
