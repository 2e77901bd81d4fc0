package wdk

import (
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/sync"
)

// LOGICAL is a BOOLEAN of 32 bits in C.
type LOGICAL = bool

// KeGenericCallDpc runs Routine in a DPC on every processor and returns when
// each of them has called KeSignalCallDpcDone with its SystemArgument1.
//
// It is not documented; this follows the ReactOS kernel.
//
// IRQL: <= APC_LEVEL
//
// Documentation: none of its own.
func KeGenericCallDpc(Routine PKDEFERRED_ROUTINE, Context PVOID) {
	atMost(irql.APC)
	mustCall(Routine)
	sync.CallGenericDPC(Routine, Context)
}

// KeSignalCallDpcDone says that this processor has done its part.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeSignalCallDpcDone(SystemArgument1 PVOID) {
	exactly(irql.Dispatch)
	mustBe(&aGenericCall, SystemArgument1)
	(*kernel.GenericCall)(SystemArgument1).Done()
}

// KeSignalCallDpcSynchronize waits until every processor's routine has called
// it, and returns true on one processor.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeSignalCallDpcSynchronize(SystemArgument2 PVOID) LOGICAL {
	exactly(irql.Dispatch)
	mustBe(&aRendezvous, SystemArgument2)
	return (*kernel.Rendezvous)(SystemArgument2).Meet()
}
