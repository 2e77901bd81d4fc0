package wdk

import (
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
)

// KFLOATING_SAVE is filled by KeSaveFloatingPointState. Its fields are nobody's
// business.
type KFLOATING_SAVE struct {
	thread uintptr
	level  KIRQL
	around uint8 // the thread's FloatLevel before
	saved  bool
}

// XSTATE_SAVE is filled by KeSaveExtendedProcessorState.
type XSTATE_SAVE = KFLOATING_SAVE

// floatState is the unique value in parameter 1 of bug check
// IRQL_UNEXPECTED_VALUE, one of irqlab's own.
const floatState = 0x10

// KeSaveFloatingPointState begins a use of floating point that
// KeRestoreFloatingPointState ends. Every trap and every thread switch saves the
// registers here, so nothing is copied; that uses nest properly is checked: an
// inner one at a lower level than the one around it is bug check
// IRQL_UNEXPECTED_VALUE.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeSaveFloatingPointState function (wdm.h)"
func KeSaveFloatingPointState(FloatSave *KFLOATING_SAVE) NTSTATUS {
	atMost(irql.Dispatch)
	mustReach(unsafe.Pointer(FloatSave), unsafe.Sizeof(*FloatSave))
	t, l := kernel.Current(), irql.Current()
	if Checked && t.FloatLevel > uint8(l)+1 {
		wrongFloat("floating point state is saved at a lower level than the use around it", l, irql.Level(t.FloatLevel-1), t, 0)
	}
	*FloatSave = KFLOATING_SAVE{thread: uintptr(unsafe.Pointer(t)), level: l, around: t.FloatLevel, saved: true}
	t.FloatLevel = uint8(l) + 1
	return STATUS_SUCCESS
}

// KeRestoreFloatingPointState ends what KeSaveFloatingPointState began, in the
// same thread and at the same level; else it is bug check IRQL_UNEXPECTED_VALUE.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeRestoreFloatingPointState function (wdm.h)"
func KeRestoreFloatingPointState(FloatSave *KFLOATING_SAVE) NTSTATUS {
	atMost(irql.Dispatch)
	mustReach(unsafe.Pointer(FloatSave), unsafe.Sizeof(*FloatSave))
	t, l := kernel.Current(), irql.Current()
	if Checked && (!FloatSave.saved || l != FloatSave.level || uintptr(unsafe.Pointer(t)) != FloatSave.thread) {
		wrongFloat("floating point state is restored at another level, or by another thread, than it was saved",
			l, FloatSave.level, t, FloatSave.thread)
	}
	FloatSave.saved = false
	t.FloatLevel = FloatSave.around
	return STATUS_SUCCESS
}

func wrongFloat(text string, is, want irql.Level, t PKTHREAD, saved uintptr) {
	bugcheck.StopBecause(text, bugcheck.IRQLUnexpectedValue,
		uintptr(is)<<16|uintptr(want)<<8|floatState, uintptr(unsafe.Pointer(t)), saved, 0)
}

// KeSaveExtendedProcessorState is KeSaveFloatingPointState for the parts of the
// state in Mask.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeSaveExtendedProcessorState function (wdm.h)"
func KeSaveExtendedProcessorState(Mask ULONG64, XStateSave *XSTATE_SAVE) NTSTATUS {
	return KeSaveFloatingPointState(XStateSave)
}

// KeRestoreExtendedProcessorState ends what KeSaveExtendedProcessorState began.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeRestoreExtendedProcessorState function (wdm.h)"
func KeRestoreExtendedProcessorState(XStateSave *XSTATE_SAVE) {
	KeRestoreFloatingPointState(XStateSave)
}
