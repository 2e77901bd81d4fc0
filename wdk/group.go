package wdk

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/dpc"
	"irqlab/irql"
)

// There is one group of processors, 0, and one NUMA node, 0, of all processors.

// GROUP_AFFINITY is a set of processors of a group.
type GROUP_AFFINITY struct {
	Mask     KAFFINITY
	Group    USHORT
	Reserved [3]USHORT
}

// INVALID_PROCESSOR_INDEX is what KeGetProcessorIndexFromNumber returns for a
// processor that does not exist.
const INVALID_PROCESSOR_INDEX ULONG = 0xFFFF_FFFF

// KeQueryActiveGroupCount returns 1.
//
// IRQL: any
//
// Documentation: "KeQueryActiveGroupCount function (wdm.h)"
func KeQueryActiveGroupCount() USHORT { return 1 }

// KeQueryMaximumGroupCount returns 1.
//
// IRQL: any
//
// Documentation: "KeQueryMaximumGroupCount function (wdm.h)"
func KeQueryMaximumGroupCount() USHORT { return 1 }

// KeQueryGroupAffinity returns the active processors of a group, 0 for one that
// does not exist.
//
// IRQL: any
//
// Documentation: "KeQueryGroupAffinity function (wdm.h)"
func KeQueryGroupAffinity(GroupNumber USHORT) KAFFINITY {
	if GroupNumber != 0 {
		return 0
	}
	return KeQueryActiveProcessors()
}

// KeQueryMaximumProcessorCount returns how many processors there can be.
//
// IRQL: any
//
// Documentation: "KeQueryMaximumProcessorCount function (wdm.h)"
func KeQueryMaximumProcessorCount() ULONG { return arch.MaxCPUs }

// KeQueryMaximumProcessorCountEx is KeQueryMaximumProcessorCount for a group, or
// for ALL_PROCESSOR_GROUPS; 0 for one that does not exist.
//
// IRQL: any
//
// Documentation: "KeQueryMaximumProcessorCountEx function (wdm.h)"
func KeQueryMaximumProcessorCountEx(GroupNumber USHORT) ULONG {
	if GroupNumber != 0 && GroupNumber != ALL_PROCESSOR_GROUPS {
		return 0
	}
	return arch.MaxCPUs
}

// KeGetProcessorIndexFromNumber returns the processor's number across groups, or
// INVALID_PROCESSOR_INDEX.
//
// IRQL: any
//
// Documentation: "KeGetProcessorIndexFromNumber function (wdm.h)"
func KeGetProcessorIndexFromNumber(ProcNumber *PROCESSOR_NUMBER) ULONG {
	mustReach(unsafe.Pointer(ProcNumber), unsafe.Sizeof(*ProcNumber))
	if ProcNumber.Group != 0 || ProcNumber.Reserved != 0 || ULONG(ProcNumber.Number) >= atomic.LoadUint32(&arch.NumCPUs) {
		return INVALID_PROCESSOR_INDEX
	}
	return ULONG(ProcNumber.Number)
}

// KeGetProcessorNumberFromIndex undoes KeGetProcessorIndexFromNumber. It returns
// STATUS_INVALID_PARAMETER for a processor that does not exist.
//
// IRQL: any
//
// Documentation: "KeGetProcessorNumberFromIndex function (wdm.h)"
func KeGetProcessorNumberFromIndex(ProcIndex ULONG, ProcNumber *PROCESSOR_NUMBER) NTSTATUS {
	mustReach(unsafe.Pointer(ProcNumber), unsafe.Sizeof(*ProcNumber))
	if ProcIndex >= atomic.LoadUint32(&arch.NumCPUs) {
		return STATUS_INVALID_PARAMETER
	}
	*ProcNumber = PROCESSOR_NUMBER{Number: UCHAR(ProcIndex)}
	return STATUS_SUCCESS
}

// KeQueryHighestNodeNumber returns 0.
//
// IRQL: any
//
// Documentation: "KeQueryHighestNodeNumber function (wdm.h)"
func KeQueryHighestNodeNumber() USHORT { return 0 }

// KeGetCurrentNodeNumber returns 0.
//
// IRQL: any
//
// Documentation: "KeGetCurrentNodeNumber function (wdm.h)"
func KeGetCurrentNodeNumber() USHORT { return 0 }

// KeQueryNodeActiveAffinity tells the active processors of a node and their
// number. Affinity and Count may be nil; of a node that does not exist both are
// 0.
//
// IRQL: any
//
// Documentation: "KeQueryNodeActiveAffinity function (wdm.h)"
func KeQueryNodeActiveAffinity(NodeNumber USHORT, Affinity *GROUP_AFFINITY, Count *USHORT) {
	mayReach(unsafe.Pointer(Affinity), unsafe.Sizeof(*Affinity))
	mayReach(unsafe.Pointer(Count), unsafe.Sizeof(*Count))
	var set GROUP_AFFINITY
	var n USHORT
	if NodeNumber == 0 {
		set.Mask, n = KeQueryActiveProcessors(), USHORT(atomic.LoadUint32(&arch.NumCPUs))
	}
	if Affinity != nil {
		*Affinity = set
	}
	if Count != nil {
		*Count = n
	}
}

// KeQueryNodeMaximumProcessorCount returns how many processors a node can have, 0
// for one that does not exist.
//
// IRQL: any
//
// Documentation: "KeQueryNodeMaximumProcessorCount function (wdm.h)"
func KeQueryNodeMaximumProcessorCount(NodeNumber USHORT) USHORT {
	if NodeNumber != 0 {
		return 0
	}
	return arch.MaxCPUs
}

// KeSetSystemGroupAffinityThread is KeSetSystemAffinityThreadEx for processors of
// a group, and stores at PreviousAffinity, which may be nil, what
// KeRevertToUserGroupAffinityThread goes back to. A set without an active
// processor changes nothing.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeSetSystemGroupAffinityThread function (wdm.h)"
func KeSetSystemGroupAffinityThread(Affinity, PreviousAffinity *GROUP_AFFINITY) {
	atMost(irql.Dispatch)
	mustReach(unsafe.Pointer(Affinity), unsafe.Sizeof(*Affinity))
	mayReach(unsafe.Pointer(PreviousAffinity), unsafe.Sizeof(*PreviousAffinity))
	var was KAFFINITY
	if Affinity.Group == 0 {
		was = KeSetSystemAffinityThreadEx(Affinity.Mask)
	}
	if PreviousAffinity != nil {
		*PreviousAffinity = GROUP_AFFINITY{Mask: was}
	}
}

// KeRevertToUserGroupAffinityThread undoes KeSetSystemGroupAffinityThread.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeRevertToUserGroupAffinityThread function (wdm.h)"
func KeRevertToUserGroupAffinityThread(PreviousAffinity *GROUP_AFFINITY) {
	atMost(irql.Dispatch)
	mayReach(unsafe.Pointer(PreviousAffinity), unsafe.Sizeof(*PreviousAffinity))
	if PreviousAffinity.Group == 0 {
		KeRevertToUserAffinityThreadEx(PreviousAffinity.Mask)
	}
}

// PAFFINITY_TOKEN remembers what PsRevertToUserMultipleGroupAffinityThread goes
// back to.
type PAFFINITY_TOKEN = *affinityToken

type affinityToken struct {
	previous GROUP_AFFINITY
	set      bool
}

// PsAllocateAffinityToken makes a token and stores it at AffinityToken.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "PsAllocateAffinityToken function (wdm.h)"
func PsAllocateAffinityToken(AffinityToken *PAFFINITY_TOKEN) NTSTATUS {
	atMost(irql.APC)
	mustReach(unsafe.Pointer(AffinityToken), unsafe.Sizeof(*AffinityToken))
	*AffinityToken = new(affinityToken)
	return STATUS_SUCCESS
}

// PsFreeAffinityToken ends the use of a token.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "PsFreeAffinityToken function (wdm.h)"
func PsFreeAffinityToken(AffinityToken PAFFINITY_TOKEN) {
	atMost(irql.APC)
	mustReach(unsafe.Pointer(AffinityToken), unsafe.Sizeof(*AffinityToken))
}

// PsSetSystemMultipleGroupAffinityThread is KeSetSystemGroupAffinityThread for
// processors of several groups: of group 0, here. It returns
// STATUS_INVALID_PARAMETER without an active processor, or if the token is in use.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "PsSetSystemMultipleGroupAffinityThread function (wdm.h)"
func PsSetSystemMultipleGroupAffinityThread(GroupAffinities *GROUP_AFFINITY, GroupCount USHORT, AffinityToken PAFFINITY_TOKEN) NTSTATUS {
	atMost(irql.APC)
	mustReach(unsafe.Pointer(GroupAffinities), unsafe.Sizeof(*GroupAffinities))
	mustReach(unsafe.Pointer(AffinityToken), unsafe.Sizeof(*AffinityToken))
	all := GROUP_AFFINITY{}
	for _, g := range unsafe.Slice(GroupAffinities, GroupCount) {
		if g.Group != 0 {
			return STATUS_INVALID_PARAMETER
		}
		all.Mask |= g.Mask
	}
	if all.Mask&KeQueryActiveProcessors() == 0 || AffinityToken.set {
		return STATUS_INVALID_PARAMETER
	}
	KeSetSystemGroupAffinityThread(&all, &AffinityToken.previous)
	AffinityToken.set = true
	return STATUS_SUCCESS
}

// PsRevertToUserMultipleGroupAffinityThread undoes
// PsSetSystemMultipleGroupAffinityThread.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "PsRevertToUserMultipleGroupAffinityThread function (wdm.h)"
func PsRevertToUserMultipleGroupAffinityThread(AffinityToken PAFFINITY_TOKEN) {
	atMost(irql.APC)
	mustReach(unsafe.Pointer(AffinityToken), unsafe.Sizeof(*AffinityToken))
	if AffinityToken.set {
		AffinityToken.set = false
		KeRevertToUserGroupAffinityThread(&AffinityToken.previous)
	}
}

// KE_PROCESSOR_CHANGE_NOTIFY_STATE says what becomes of a processor.
type KE_PROCESSOR_CHANGE_NOTIFY_STATE uint32

const (
	KeProcessorAddStartNotify    KE_PROCESSOR_CHANGE_NOTIFY_STATE = 0
	KeProcessorAddCompleteNotify KE_PROCESSOR_CHANGE_NOTIFY_STATE = 1
	KeProcessorAddFailureNotify  KE_PROCESSOR_CHANGE_NOTIFY_STATE = 2
)

// KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT goes with a PPROCESSOR_CALLBACK_FUNCTION.
type KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT struct {
	State      KE_PROCESSOR_CHANGE_NOTIFY_STATE
	NtNumber   ULONG
	Status     NTSTATUS
	ProcNumber PROCESSOR_NUMBER
}

// PPROCESSOR_CALLBACK_FUNCTION is told of processors that are added. A failure
// stored at OperationStatus keeps the processor out.
//
// IRQL: PASSIVE_LEVEL
type PPROCESSOR_CALLBACK_FUNCTION = func(CallbackContext PVOID, ChangeContext *KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT, OperationStatus *NTSTATUS)

// KE_PROCESSOR_CHANGE_ADD_EXISTING has the callback told of the processors that
// run already.
const KE_PROCESSOR_CHANGE_ADD_EXISTING ULONG = 1

// processorCallback is a registration.
type processorCallback struct{ function PPROCESSOR_CALLBACK_FUNCTION }

// processorCallbacks are those registered, by their handles.
var processorCallbacks sync.Map

// KeRegisterProcessorChangeCallback registers a callback and returns what
// KeDeregisterProcessorChangeCallback takes, or nil if there is no callback, if it
// failed, or for a flag that does not exist. All processors start at boot, so only
// KE_PROCESSOR_CHANGE_ADD_EXISTING leads to calls.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "KeRegisterProcessorChangeCallback function (wdm.h)"
func KeRegisterProcessorChangeCallback(CallbackFunction PPROCESSOR_CALLBACK_FUNCTION, CallbackContext PVOID, Flags ULONG) PVOID {
	atMost(irql.Passive)
	if CallbackFunction == nil || Flags&^KE_PROCESSOR_CHANGE_ADD_EXISTING != 0 {
		return nil
	}
	if Flags&KE_PROCESSOR_CHANGE_ADD_EXISTING != 0 {
		for _, state := range []KE_PROCESSOR_CHANGE_NOTIFY_STATE{KeProcessorAddStartNotify, KeProcessorAddCompleteNotify} {
			for cpu := range atomic.LoadUint32(&arch.NumCPUs) {
				s := STATUS_SUCCESS
				CallbackFunction(CallbackContext, &KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT{
					State: state, NtNumber: cpu, ProcNumber: PROCESSOR_NUMBER{Number: UCHAR(cpu)},
				}, &s)
				if !NT_SUCCESS(s) {
					return nil
				}
			}
		}
	}
	c := PVOID(&processorCallback{CallbackFunction})
	processorCallbacks.Store(c, nil)
	return c
}

// KeDeregisterProcessorChangeCallback ends a registration.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "KeDeregisterProcessorChangeCallback function (wdm.h)"
func KeDeregisterProcessorChangeCallback(CallbackHandle PVOID) {
	atMost(irql.Passive)
	if _, found := processorCallbacks.LoadAndDelete(CallbackHandle); Checked && !found {
		wrongObject(CallbackHandle, 0)
	}
}

// KeShouldYieldProcessor reports whether the DPC that runs, or the time at
// DISPATCH_LEVEL, has lasted so long that the caller should end it and go on
// later.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KeShouldYieldProcessor function (wdm.h)"
func KeShouldYieldProcessor() LOGICAL {
	exactly(irql.Dispatch)
	return dpc.ShouldYield()
}

// KDPC_WATCHDOG_INFORMATION tells how far the watchdog's patience is used up, in
// clock ticks.
type KDPC_WATCHDOG_INFORMATION struct {
	DpcTimeLimit     ULONG
	DpcTimeCount     ULONG
	DpcWatchdogLimit ULONG
	DpcWatchdogCount ULONG
	Reserved         ULONG
}

// KeQueryDpcWatchdogInformation tells what is left of the watchdog's patience for
// the DPC that runs and for the time at DISPATCH_LEVEL. It returns
// STATUS_UNSUCCESSFUL where that means nothing.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KeQueryDpcWatchdogInformation function (wdm.h)"
func KeQueryDpcWatchdogInformation(WatchdogInformation *KDPC_WATCHDOG_INFORMATION) NTSTATUS {
	exactly(irql.Dispatch)
	mustReach(unsafe.Pointer(WatchdogInformation), unsafe.Sizeof(*WatchdogInformation))
	w, ok := dpc.QueryWatchdog()
	if !ok {
		return STATUS_UNSUCCESSFUL
	}
	*WatchdogInformation = KDPC_WATCHDOG_INFORMATION{
		DpcTimeLimit: w.SingleLimit, DpcTimeCount: left(w.SingleLimit, w.Single),
		DpcWatchdogLimit: w.SumLimit, DpcWatchdogCount: left(w.SumLimit, w.Sum),
	}
	return STATUS_SUCCESS
}

func left(limit, used ULONG) ULONG { return limit - min(limit, used) }
