package wdk

import (
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/crash"
	"irqlab/ipi"
	"irqlab/irql"
	"irqlab/pool"
)

// KeBugCheck stops the machine with a code.
//
// IRQL: any
//
// Documentation: "KeBugCheck function (ntddk.h)"
func KeBugCheck(BugCheckCode ULONG) { bugcheck.Stop(bugcheck.Code(BugCheckCode), 0, 0, 0, 0) }

// KeBugCheckEx stops the machine with a code and what its four parameters mean.
//
// IRQL: any
//
// Documentation: "KeBugCheckEx function (wdm.h)"
func KeBugCheckEx(BugCheckCode ULONG, BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4 ULONG_PTR) {
	bugcheck.Stop(bugcheck.Code(BugCheckCode), BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4)
}

// Bug check callbacks. Their routines run at HIGH_LEVEL, with everything else
// frozen: they may only touch what is resident.
type (
	KBUGCHECK_CALLBACK_RECORD        = bugcheck.Callback
	PKBUGCHECK_CALLBACK_RECORD       = *KBUGCHECK_CALLBACK_RECORD
	KBUGCHECK_REASON_CALLBACK_RECORD = bugcheck.Callback
	KBUGCHECK_CALLBACK_REASON        = bugcheck.Reason
	KBUGCHECK_SECONDARY_DUMP_DATA    = crash.Offer

	// PKBUGCHECK_CALLBACK_ROUTINE saves a driver's state to its buffer.
	PKBUGCHECK_CALLBACK_ROUTINE = func(Buffer PVOID, Length ULONG)
	// PKBUGCHECK_REASON_CALLBACK_ROUTINE does what its reason asks for, with what
	// ReasonSpecificData points to.
	PKBUGCHECK_REASON_CALLBACK_ROUTINE = func(Reason KBUGCHECK_CALLBACK_REASON, Record *KBUGCHECK_REASON_CALLBACK_RECORD,
		ReasonSpecificData PVOID, ReasonSpecificDataLength ULONG)

	// PNMI_CALLBACK is told whether the interrupt was claimed already, and returns
	// whether it is now.
	PNMI_CALLBACK = func(Context PVOID, Handled BOOLEAN) BOOLEAN
)

// KbCallbackSecondaryDumpData is the one reason that is supported here.
const KbCallbackSecondaryDumpData = bugcheck.SecondaryData

// KeInitializeCallbackRecord prepares a record for its first registration.
//
// IRQL: any
//
// Documentation: "KeInitializeCallbackRecord function (wdm.h)"
func KeInitializeCallbackRecord(CallbackRecord PKBUGCHECK_CALLBACK_RECORD) {
	mayBecome(&aCallbackRecord, unsafe.Pointer(CallbackRecord))
	CallbackRecord.State = bugcheck.CallbackEmpty
}

// KeRegisterBugCheckCallback has a routine called when the machine stops, after
// the crash dump is written. It returns FALSE for a record that is registered.
//
// IRQL: any
//
// Documentation: "KeRegisterBugCheckCallback function (wdm.h)"
func KeRegisterBugCheckCallback(CallbackRecord PKBUGCHECK_CALLBACK_RECORD, CallbackRoutine PKBUGCHECK_CALLBACK_ROUTINE, Buffer PVOID, Length ULONG, Component *UCHAR) BOOLEAN {
	mustBe(&aCallbackRecord, unsafe.Pointer(CallbackRecord))
	mayReach(unsafe.Pointer(Component), unsafe.Sizeof(*Component))
	mustCall(CallbackRoutine)
	if CallbackRecord.State != bugcheck.CallbackEmpty {
		return false
	}
	hold(unsafe.Pointer(CallbackRecord), CallbackRoutine, Buffer)
	CallbackRecord.Routine = *(*uintptr)(unsafe.Pointer(&CallbackRoutine))
	CallbackRecord.Buffer, CallbackRecord.Length, CallbackRecord.Component = Buffer, Length, Component
	CallbackRecord.Reason = bugcheck.AfterDump
	return CallbackRecord.Register()
}

// KeDeregisterBugCheckCallback undoes KeRegisterBugCheckCallback. It returns FALSE
// for a record that is not registered.
//
// IRQL: any
//
// Documentation: "KeDeregisterBugCheckCallback function (wdm.h)"
func KeDeregisterBugCheckCallback(CallbackRecord PKBUGCHECK_CALLBACK_RECORD) BOOLEAN {
	mustBe(&aCallbackRecord, unsafe.Pointer(CallbackRecord))
	return CallbackRecord.Deregister()
}

// KeRegisterBugCheckReasonCallback has a routine called while the dump is made.
// It returns FALSE for a record that is registered, and for another reason than
// KbCallbackSecondaryDumpData.
//
// IRQL: any
//
// Documentation: "KeRegisterBugCheckReasonCallback function (wdm.h)"
func KeRegisterBugCheckReasonCallback(CallbackRecord *KBUGCHECK_REASON_CALLBACK_RECORD, CallbackRoutine PKBUGCHECK_REASON_CALLBACK_ROUTINE, Reason KBUGCHECK_CALLBACK_REASON, Component *UCHAR) BOOLEAN {
	mustBe(&aReasonRecord, unsafe.Pointer(CallbackRecord))
	mayReach(unsafe.Pointer(Component), unsafe.Sizeof(*Component))
	mustCall(CallbackRoutine)
	if CallbackRecord.State != bugcheck.CallbackEmpty || Reason != KbCallbackSecondaryDumpData {
		return false
	}
	hold(unsafe.Pointer(CallbackRecord), CallbackRoutine, nil)
	CallbackRecord.Routine = *(*uintptr)(unsafe.Pointer(&CallbackRoutine))
	CallbackRecord.Buffer, CallbackRecord.Length, CallbackRecord.Component = nil, 0, Component
	CallbackRecord.Reason = Reason
	return CallbackRecord.Register()
}

// KeDeregisterBugCheckReasonCallback undoes KeRegisterBugCheckReasonCallback. It
// returns FALSE for a record that is not registered.
//
// IRQL: any
//
// Documentation: "KeDeregisterBugCheckReasonCallback function (wdm.h)"
func KeDeregisterBugCheckReasonCallback(CallbackRecord *KBUGCHECK_REASON_CALLBACK_RECORD) BOOLEAN {
	mustBe(&aReasonRecord, unsafe.Pointer(CallbackRecord))
	return CallbackRecord.Deregister()
}

const nmiTag pool.Tag = 'K' | 'n'<<8 | 'm'<<16 | 'i'<<24

// KeRegisterNmiCallback has a routine called for every non-maskable interrupt,
// before those that were registered earlier. It returns a handle, nil if there is
// no memory. An interrupt that no routine claims is NMI_HARDWARE_FAILURE.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeRegisterNmiCallback function (wdm.h)"
func KeRegisterNmiCallback(CallbackRoutine PNMI_CALLBACK, Context PVOID) PVOID {
	atMost(irql.APC)
	mustCall(CallbackRoutine)
	c := (*bugcheck.NMICallback)(pool.Alloc(unsafe.Sizeof(bugcheck.NMICallback{}), nmiTag))
	if c == nil {
		return nil
	}
	hold(unsafe.Pointer(c), CallbackRoutine, Context)
	c.Routine = *(*uintptr)(unsafe.Pointer(&CallbackRoutine))
	c.Context = Context
	c.Register()
	return PVOID(c)
}

// KeDeregisterNmiCallback undoes KeRegisterNmiCallback. It returns
// STATUS_INVALID_HANDLE for what is no handle of that.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeDeregisterNmiCallback function (wdm.h)"
func KeDeregisterNmiCallback(Handle PVOID) NTSTATUS {
	atMost(irql.APC)
	c := (*bugcheck.NMICallback)(Handle)
	if !c.Deregister() {
		return STATUS_INVALID_HANDLE
	}
	ipi.Levels() // once all processors have answered, none runs the routine any more
	pool.Free(Handle, nmiTag)
	return STATUS_SUCCESS
}
