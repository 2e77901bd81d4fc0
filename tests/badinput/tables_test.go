package badinput

// inline are instructions, or inline code, which check nothing: what comes of a bad
// pointer is the processor's answer.
var inline = []string{
	"InterlockedIncrement", "InterlockedDecrement", "InterlockedExchange", "InterlockedExchangeAdd",
	"InterlockedCompareExchange", "InterlockedAnd", "InterlockedOr", "InterlockedXor", "InterlockedIncrement64",
	"InterlockedDecrement64", "InterlockedExchange64", "InterlockedExchangeAdd64", "InterlockedCompareExchange64",
	"InterlockedBitTestAndSet", "InterlockedBitTestAndReset", "InterlockedExchangePointer",
	"InterlockedCompareExchangePointer", "InterlockedCompareExchange128", "RtlCopyMemory", "RtlZeroMemory",
	"InitializeListHead", "IsListEmpty", "InsertHeadList", "InsertTailList", "RemoveEntryList", "RemoveHeadList",
	"RemoveTailList", "AppendTailList", "PushEntryList", "PopEntryList", "InitializeObjectAttributes",
}

// omitted are the routines that are left out, by the reason.
var omitted = map[string][]string{
	"it stops with the pool's lock held, for which internal/stops has wdk-free-nil and others": {
		"ExFreePool", "ExFreePoolWithTag", "ExFreePool2",
	},
}

// reasons are the same, by the routine.
var reasons = map[string]string{}

func init() {
	for reason, names := range omitted {
		for _, name := range names {
			reasons[name] = reason
		}
	}
}

// optional are pointers that may be nil.
var optional = map[string]bool{
	"PreviousSuspendCount": true, "PreviousState": true, "CurrentState": true, "PreviousCount": true,
	"HandleInformation": true, "ClientId": true, "ObjectAttributes": true, "PreviousAffinity": true,
	"PerformanceFrequency": true, "ActiveProcessors": true, "EventName": true, "Component": true, "ReturnLength": true,
	"Timeout": true, "TimeOut": true,
}

// exceptions are outcomes that differ from what the type of an argument says.
var exceptions = map[string]string{
	"IoCreateSystemThread.ThreadHandle nil":                           "returns 0xc000000d",
	"PsCreateSystemThread.ThreadHandle nil":                           "returns 0xc000000d",
	"NtTerminateProcess.ProcessHandle zero":                           "returns 0xc0000022",
	"ZwTerminateProcess.ProcessHandle zero":                           "returns 0xc0000022",
	"NtTerminateThread.ThreadHandle zero":                             "returns 0xc0000022",
	"ZwTerminateThread.ThreadHandle zero":                             "returns 0xc0000022",
	"ZwClose.Handle closed":                                           notKernels,
	"ZwClose.Handle invented":                                         notKernels,
	"ZwClose.Handle invented, for the kernel":                         notKernels,
	"ObCloseHandle.Handle closed":                                     notKernels,
	"ObCloseHandle.Handle invented":                                   notKernels,
	"ObCloseHandle.Handle invented, for the kernel":                   notKernels,
	"ObIsKernelHandle.Handle":                                         anyReturn,
	"InitializeObjectAttributes.r":                                    anyReturn,
	"PsCreateSystemThread.ProcessHandle zero":                         "", // the system's process
	"IoCreateSystemThread.ProcessHandle zero":                         "",
	"PsLookupProcessByProcessId.ProcessId":                            "returns 0xc000000b",
	"PsLookupThreadByThreadId.ThreadId":                               "returns 0xc000000d",
	"RtlRunOnceBeginInitialize.Context nil":                           anyReturn,
	"RtlRunOnceExecuteOnce.Context nil":                               anyReturn,
	"WdmlibIoDisconnectInterruptEx.Parameters paged out":              violation,
	"ZwDuplicateObject.TargetHandle nil":                              "returns 0xc000000d",
	"ObQueryNameString.ReturnLength nil":                              violation,
	"KeRestoreFloatingPointState.FloatSave paged out":                 "stop 0xc8", // it was not saved
	"KeRestoreExtendedProcessorState.XStateSave paged out":            "stop 0xc8",
	"KeUnstackDetachProcess.ApcState paged out":                       "stop 0x6", // nothing was attached
	"KeRevertToUserGroupAffinityThread.PreviousAffinity nil":          violation,
	"KeSetTimer.Dpc nil":                                              anyReturn,
	"KeSetTimerEx.Dpc nil":                                            anyReturn,
	"KeSetCoalescableTimer.Dpc nil":                                   anyReturn,
	"KeSetEventBoostPriority.Thread nil":                              anyReturn,
	"KeWaitForMultipleObjects.WaitBlockArray nil":                     anyReturn,
	"NtDuplicateObject.TargetHandle nil":                              "returns 0xc000000d",
	"KeRemoveQueue.Timeout nil":                                       "", // waits without limit
	"KeGetCurrentProcessorNumberEx.ProcNumber nil":                    anyReturn,
	"KeQueryNodeActiveAffinity.Affinity nil":                          anyReturn,
	"KeQueryNodeActiveAffinity.Count nil":                             anyReturn,
	"KeQueryLogicalProcessorRelationship.Information nil":             anyReturn,
	"KeQueryLogicalProcessorRelationship.ProcessorNumber nil":         anyReturn,
	"ExDeleteTimer.Parameters":                                        "",
	"ExSetTimer.Parameters nil":                                       anyReturn,
	"IoConnectInterrupt.SpinLock nil":                                 anyReturn,
	"IoDisconnectInterruptEx.Parameters paged out":                    violation,
	"IoReportInterruptActive.Parameters paged out":                    violation,
	"IoReportInterruptInactive.Parameters paged out":                  violation,
	"IoReportInterruptActive.Parameters paged out, at DISPATCH_LEVEL": notThere,
	"IoRequestDpc.DeviceObject nil":                                   notThere,
	"IoRequestDpc.DeviceObject not canonical":                         notThere,
	"IoRequestDpc.DeviceObject wild":                                  notThere,

	// The thread has a special kernel APC then.
	"KeInitializeApc.NormalRoutine nil":                      anyReturn,
	"KeInitializeApc.RundownRoutine nil":                     anyReturn,
	"NtQueueApcThread.ApcRoutine nil":                        "returns 0xc000000d",
	"ZwQueueApcThread.ApcRoutine nil":                        "returns 0xc000000d",
	"NtSetTimer.TimerApcRoutine nil":                         "returns 0x0",
	"ZwSetTimer.TimerApcRoutine nil":                         "returns 0x0",
	"ExAllocateTimer.Callback nil":                           anyReturn,
	"ExInitializeLookasideListEx.Allocate nil":               "returns 0x0",
	"ExInitializeLookasideListEx.Free nil":                   "returns 0x0",
	"ExInitializeNPagedLookasideList.Allocate nil":           anyReturn,
	"ExInitializeNPagedLookasideList.Free nil":               anyReturn,
	"ExInitializePagedLookasideList.Allocate nil":            anyReturn,
	"ExInitializePagedLookasideList.Free nil":                anyReturn,
	"IoCreateSystemThread.StartRoutine nil":                  "returns 0xc000000d",
	"PsCreateSystemThread.StartRoutine nil":                  "returns 0xc000000d",
	"KeRegisterProcessorChangeCallback.CallbackFunction nil": "returns nil",
	"PsSetCreateThreadNotifyRoutine.NotifyRoutine nil":       "returns 0x0", // rule thr-notify-null
	"PsSetCreateProcessNotifyRoutine.NotifyRoutine nil":      "returns 0x0",
	"PsRemoveCreateThreadNotifyRoutine.NotifyRoutine nil":    "returns 0xc000007a",

	// A user has no right to wait for what nobody can wait for.
	"NtWaitForSingleObject.Handle of another type: Directory":                        "returns 0xc0000022",
	"NtWaitForMultipleObjects.Handles of another type: Directory":                    "returns 0xc0000022",
	"NtSignalAndWaitForSingleObject.WaitableObjectHandle of another type: Directory": "returns 0xc0000022",

	// No parameters beside the others.
	"ExAllocatePool3.ExtendedParameters": anyReturn,
}
