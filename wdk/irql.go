package wdk

import (
	"unsafe"

	"irqlab/irql"
)

// KeGetCurrentIrql returns the processor's level.
//
// IRQL: any
//
// Documentation: "KeGetCurrentIrql function (wdm.h)"
func KeGetCurrentIrql() KIRQL { return irql.Current() }

// KeRaiseIrql raises the level and stores the one before at OldIrql. A NewIrql
// below the level in force is bug check IRQL_NOT_GREATER_OR_EQUAL.
//
// IRQL: any
//
// Documentation: "KeRaiseIrql function (wdm.h)"
func KeRaiseIrql(NewIrql KIRQL, OldIrql PKIRQL) {
	mustBe(&aLevel, unsafe.Pointer(OldIrql))
	*OldIrql = irql.Raise(NewIrql)
}

// KfRaiseIrql raises the level and returns the one before.
//
// IRQL: any
func KfRaiseIrql(NewIrql KIRQL) KIRQL { return irql.Raise(NewIrql) }

// KeRaiseIrqlToDpcLevel raises to DISPATCH_LEVEL and returns the level before.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeRaiseIrqlToDpcLevel function (wdm.h)"
func KeRaiseIrqlToDpcLevel() KIRQL { return irql.Raise(irql.Dispatch) }

// KeRaiseIrqlToSynchLevel raises to SYNCH_LEVEL and returns the level before.
//
// IRQL: <= SYNCH_LEVEL
//
// Documentation: none of its own.
func KeRaiseIrqlToSynchLevel() KIRQL { return irql.Raise(irql.Synch) }

// KeLowerIrql restores the level that a raise returned. What the level held back
// happens before it returns: DPCs first, then APCs. A NewIrql above the level in
// force is bug check IRQL_NOT_LESS_OR_EQUAL.
//
// IRQL: any
//
// Documentation: "KeLowerIrql function (wdm.h)"
func KeLowerIrql(NewIrql KIRQL) { irql.Lower(NewIrql) }
