package levels

import (
	"irqlab/irql"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() {
	add(exTimerProbes)
	add(deviceProbes)
	add(genericProbes)
	add(cacheAwareProbes)
	add(stackProbes)
	add(queryProbes)
	add(exceptionProbes)
	add(bugCheckProbes)
}

func exTimer() PEX_TIMER { return ExAllocateTimer(nil, nil, 0) }

var exTimerProbes = map[string]probe{
	"ExAllocateTimer": {call: func(c *caller) {
		var m PEX_TIMER
		if c.at(func() { m = exTimer() }) {
			c.want(m != nil, "no memory")
			ExDeleteTimer(m, true, true, nil)
		}
	}},
	"ExSetTimer": {call: func(c *caller) {
		m := exTimer()
		ran := c.at(func() { ExSetTimer(m, farAway, 0, nil) })
		c.want(ExDeleteTimer(m, true, true, nil) == ran, "set: %v", !ran)
	}},
	"ExCancelTimer": {call: func(c *caller) {
		m, was := exTimer(), false
		ExSetTimer(m, farAway, 0, nil)
		if c.at(func() { was = ExCancelTimer(m, nil) }) {
			c.want(was, "not set")
		}
		ExDeleteTimer(m, true, true, nil)
	}},
	"ExDeleteTimer": {call: func(c *caller) {
		m := exTimer()
		if !c.at(func() { ExDeleteTimer(m, true, false, nil) }) {
			ExDeleteTimer(m, true, true, nil)
		}
	}},
	"ExDeleteTimer Wait": {levels: atMostAPC, call: func(c *caller) {
		m := exTimer()
		if !c.at(func() { ExDeleteTimer(m, true, true, nil) }) {
			ExDeleteTimer(m, true, true, nil)
		}
	}},
	"ExInitializeSetTimerParameters":    simply(func() { ExInitializeSetTimerParameters(&setParameters) }),
	"ExInitializeDeleteTimerParameters": simply(func() { ExInitializeDeleteTimerParameters(&deleteParameters) }),
}

var (
	setParameters    EXT_SET_PARAMETERS
	deleteParameters EXT_DELETE_PARAMETERS
)

func deviceDPC(PKDPC, PDEVICE_OBJECT, PVOID, PVOID) {}

func deviceTimer(PDEVICE_OBJECT, PVOID) {}

var deviceProbes = map[string]probe{
	"IoInitializeDpcRequest": {call: func(c *caller) {
		d := kit.New[DEVICE_OBJECT](c)
		c.at(func() { IoInitializeDpcRequest(d, deviceDPC) })
	}},
	"IoRequestDpc": {call: func(c *caller) {
		d := kit.New[DEVICE_OBJECT](c)
		IoInitializeDpcRequest(d, deviceDPC)
		c.at(func() { IoRequestDpc(d, nil, nil) })
		KeFlushQueuedDpcs()
	}},
	"IoInitializeTimer": {call: func(c *caller) {
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = IoInitializeTimer(&timed, deviceTimer, nil) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"IoStartTimer": {call: func(c *caller) {
		IoInitializeTimer(&timed, deviceTimer, nil)
		if c.at(func() { IoStartTimer(&timed) }) {
			IoStopTimer(&timed)
		}
	}},
	"IoStopTimer": {call: func(c *caller) {
		IoInitializeTimer(&timed, deviceTimer, nil)
		c.at(func() { IoStopTimer(&timed) })
	}},
}

// timed is a device with a timer, which it keeps.
var timed DEVICE_OBJECT

// answer is a routine of a generic DPC.
func answer(_ PKDPC, _, SystemArgument1, SystemArgument2 PVOID) {
	KeSignalCallDpcSynchronize(SystemArgument2)
	KeSignalCallDpcDone(SystemArgument1)
}

// inGeneric has a routine called by each processor's part of a generic DPC: the
// level is that of a DPC, or another if the level is not allowed.
var genericProbes = map[string]probe{
	"KeGenericCallDpc": {call: func(c *caller) { c.at(func() { KeGenericCallDpc(answer, nil) }) }},
	// What these two are given comes from a generic call, so they are called
	// from one where that is allowed.
	"KeSignalCallDpcDone": {call: func(c *caller) {
		c.at(func() {
			if c.level == irql.Dispatch {
				irql.Lower(irql.Passive)
				KeGenericCallDpc(answer, nil)
				irql.Raise(c.level)
				return
			}
			KeSignalCallDpcDone(nil)
		})
	}},
	"KeSignalCallDpcSynchronize": {call: func(c *caller) {
		c.at(func() {
			if c.level == irql.Dispatch {
				irql.Lower(irql.Passive)
				KeGenericCallDpc(answer, nil)
				irql.Raise(c.level)
				return
			}
			KeSignalCallDpcSynchronize(nil)
		})
	}},
	"KeShouldYieldProcessor":        simply(func() { KeShouldYieldProcessor() }),
	"KeQueryDpcWatchdogInformation": simply(func() { KeQueryDpcWatchdogInformation(&watchdog) }),
}

var watchdog KDPC_WATCHDOG_INFORMATION

// onCacheAware probes a routine of a cache-aware run-down reference, begun with
// users.
func onCacheAware(users ULONG, routine func(PEX_RUNDOWN_REF_CACHE_AWARE)) probe {
	return probe{call: func(c *caller) {
		r := kit.New[EX_RUNDOWN_REF_CACHE_AWARE](c)
		ExInitializeRundownProtectionCacheAware(r, ExSizeOfRundownProtectionCacheAware())
		if users != 0 {
			ExAcquireRundownProtectionCacheAwareEx(r, users)
		}
		c.at(func() { routine(r) })
	}}
}

// ranDown is onCacheAware for one whose users have gone for good.
func ranDown(routine func(PEX_RUNDOWN_REF_CACHE_AWARE)) probe {
	return probe{call: func(c *caller) {
		r := kit.New[EX_RUNDOWN_REF_CACHE_AWARE](c)
		ExInitializeRundownProtectionCacheAware(r, ExSizeOfRundownProtectionCacheAware())
		ExWaitForRundownProtectionReleaseCacheAware(r)
		c.at(func() { routine(r) })
	}}
}

var cacheAwareProbes = map[string]probe{
	"ExSizeOfRundownProtectionCacheAware": simply(func() { ExSizeOfRundownProtectionCacheAware() }),
	"ExAllocateCacheAwareRundownProtection": {call: func(c *caller) {
		var r PEX_RUNDOWN_REF_CACHE_AWARE
		if c.at(func() { r = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, tag) }) {
			ExFreeCacheAwareRundownProtection(r)
		}
	}},
	"ExFreeCacheAwareRundownProtection": {call: func(c *caller) {
		r := ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, tag)
		if !c.at(func() { ExFreeCacheAwareRundownProtection(r) }) {
			ExFreeCacheAwareRundownProtection(r)
		}
	}},
	"ExInitializeRundownProtectionCacheAware": onCacheAware(0, func(r PEX_RUNDOWN_REF_CACHE_AWARE) {
		ExInitializeRundownProtectionCacheAware(r, 1<<20)
	}),
	"ExAcquireRundownProtectionCacheAware":        onCacheAware(0, func(r PEX_RUNDOWN_REF_CACHE_AWARE) { ExAcquireRundownProtectionCacheAware(r) }),
	"ExAcquireRundownProtectionCacheAwareEx":      onCacheAware(0, func(r PEX_RUNDOWN_REF_CACHE_AWARE) { ExAcquireRundownProtectionCacheAwareEx(r, 2) }),
	"ExReleaseRundownProtectionCacheAware":        onCacheAware(1, ExReleaseRundownProtectionCacheAware),
	"ExReleaseRundownProtectionCacheAwareEx":      onCacheAware(2, func(r PEX_RUNDOWN_REF_CACHE_AWARE) { ExReleaseRundownProtectionCacheAwareEx(r, 2) }),
	"ExWaitForRundownProtectionReleaseCacheAware": onCacheAware(0, ExWaitForRundownProtectionReleaseCacheAware),
	"ExReInitializeRundownProtectionCacheAware":   ranDown(ExReInitializeRundownProtectionCacheAware),
	"ExRundownCompletedCacheAware":                ranDown(ExRundownCompletedCacheAware),
}

func callout(PVOID) {}

// floating probes a save or a restore of floating point state.
func floating(routine, undo func(*KFLOATING_SAVE)) probe {
	return probe{call: func(c *caller) {
		s := new(KFLOATING_SAVE)
		c.at(func() { routine(s) }, func() { undo(s) })
	}}
}

func save(s *KFLOATING_SAVE) { KeSaveFloatingPointState(s) }

func restore(s *KFLOATING_SAVE) { KeRestoreFloatingPointState(s) }

func saveExtended(s *XSTATE_SAVE) { KeSaveExtendedProcessorState(1, s) }

// restores probes a restore at the level of the save. Above DISPATCH_LEVEL there
// is nothing saved, and the level comes first.
func restores(save, restore func(*KFLOATING_SAVE)) probe {
	return probe{call: func(c *caller) {
		s := new(KFLOATING_SAVE)
		c.at(func() {
			if c.allowed() {
				save(s)
			}
			restore(s)
		})
	}}
}

var stackProbes = map[string]probe{
	"KeExpandKernelStackAndCallout": {call: func(c *caller) {
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = KeExpandKernelStackAndCallout(callout, nil, 4096) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"KeExpandKernelStackAndCalloutEx": {call: func(c *caller) {
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = KeExpandKernelStackAndCalloutEx(callout, nil, 4096, false, nil) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"IoGetStackLimits":                simply(func() { var low, high ULONG_PTR; IoGetStackLimits(&low, &high) }),
	"IoGetRemainingStackSize":         simply(func() { IoGetRemainingStackSize() }),
	"IoWithinStackLimits":             simply(func() { IoWithinStackLimits(0, 1) }),
	"IoGetInitialStack":               simply(func() { IoGetInitialStack() }),
	"KeSaveFloatingPointState":        floating(save, restore),
	"KeRestoreFloatingPointState":     restores(save, restore),
	"KeSaveExtendedProcessorState":    floating(saveExtended, KeRestoreExtendedProcessorState),
	"KeRestoreExtendedProcessorState": restores(saveExtended, KeRestoreExtendedProcessorState),
}

var (
	processorNumber PROCESSOR_NUMBER
	pointer         PVOID
	systemTime      LARGE_INTEGER
	count           ULONG
)

var queryProbes = map[string]probe{
	"KeQueryActiveGroupCount":          simply(func() { KeQueryActiveGroupCount() }),
	"KeQueryMaximumGroupCount":         simply(func() { KeQueryMaximumGroupCount() }),
	"KeQueryGroupAffinity":             simply(func() { KeQueryGroupAffinity(0) }),
	"KeQueryMaximumProcessorCount":     simply(func() { KeQueryMaximumProcessorCount() }),
	"KeQueryMaximumProcessorCountEx":   simply(func() { count = KeQueryMaximumProcessorCountEx(0) }),
	"KeGetProcessorIndexFromNumber":    simply(func() { KeGetProcessorIndexFromNumber(&processorNumber) }),
	"KeGetProcessorNumberFromIndex":    simply(func() { KeGetProcessorNumberFromIndex(0, &processorNumber) }),
	"KeQueryHighestNodeNumber":         simply(func() { KeQueryHighestNodeNumber() }),
	"KeGetCurrentNodeNumber":           simply(func() { KeGetCurrentNodeNumber() }),
	"KeQueryNodeActiveAffinity":        simply(func() { KeQueryNodeActiveAffinity(0, nil, nil) }),
	"KeQueryNodeMaximumProcessorCount": simply(func() { count = ULONG(KeQueryNodeMaximumProcessorCount(0)) }),
	"KeSetSystemGroupAffinityThread": {call: func(c *caller) {
		if c.at(func() { KeSetSystemGroupAffinityThread(&GROUP_AFFINITY{Mask: 1}, nil) }) {
			KeRevertToUserAffinityThread()
		}
	}},
	"KeRevertToUserGroupAffinityThread": {call: func(c *caller) {
		KeSetSystemAffinityThread(1)
		if !c.at(func() { KeRevertToUserGroupAffinityThread(new(GROUP_AFFINITY)) }) {
			KeRevertToUserAffinityThread()
		}
	}},
	"KeRegisterProcessorChangeCallback": {call: func(c *caller) {
		var h PVOID
		if c.at(func() { h = KeRegisterProcessorChangeCallback(processorChange, nil, 0) }) {
			KeDeregisterProcessorChangeCallback(h)
		}
	}},
	"KeDeregisterProcessorChangeCallback": {call: func(c *caller) {
		h := KeRegisterProcessorChangeCallback(processorChange, nil, 0)
		if !c.at(func() { KeDeregisterProcessorChangeCallback(h) }) {
			KeDeregisterProcessorChangeCallback(h)
		}
	}},
	"KeQueryRuntimeThread":        onSelf(func(t PKTHREAD) { var user ULONG; KeQueryRuntimeThread(t, &user) }),
	"KeQueryTotalCycleTimeThread": onSelf(func(t PKTHREAD) { var stamp ULONG64; KeQueryTotalCycleTimeThread(t, &stamp) }),
	"PsGetThreadCreateTime":       onSelf(func(t PKTHREAD) { PsGetThreadCreateTime(t) }),
	"IoIsSystemThread":            onSelf(func(t PKTHREAD) { IoIsSystemThread(t) }),
	"KeBoostPriorityThread":       ofThread(func(t PKTHREAD) { KeBoostPriorityThread(t, 1) }),
	"KeSetAffinityThread":         ofThread(func(t PKTHREAD) { KeSetAffinityThread(t, 1) }),
	"KeSetIdealProcessorThread":   ofThread(func(t PKTHREAD) { KeSetIdealProcessorThread(t, 0) }),
	"ExGetPreviousMode":           simply(func() { ExGetPreviousMode() }),
	"KeGetPreviousMode":           simply(func() { KeGetPreviousMode() }),

	"KeQueryUnbiasedInterruptTime": simply(func() { KeQueryUnbiasedInterruptTime() }),
	"ExSystemTimeToLocalTime":      simply(func() { ExSystemTimeToLocalTime(&systemTime, &systemTime) }),
	"ExLocalTimeToSystemTime":      simply(func() { ExLocalTimeToSystemTime(&systemTime, &systemTime) }),
	"ExQueryTimerResolution":       simply(func() { var max, min, now ULONG; ExQueryTimerResolution(&max, &min, &now) }),
	"ExSetTimerResolution": {call: func(c *caller) {
		if c.at(func() { ExSetTimerResolution(10_000, true) }) {
			ExSetTimerResolution(0, false)
		}
	}},

	"AppendTailList": {call: func(c *caller) {
		_, h, e := list(c)
		InitializeListHead(e)
		c.at(func() { AppendTailList(h, e) })
	}},
	"PushEntryList": {call: func(c *caller) {
		h, e := kit.New[SINGLE_LIST_ENTRY](c), kit.New[SINGLE_LIST_ENTRY](c)
		c.at(func() { PushEntryList(h, e) })
	}},
	"PopEntryList": {call: func(c *caller) {
		h, e := kit.New[SINGLE_LIST_ENTRY](c), kit.New[SINGLE_LIST_ENTRY](c)
		PushEntryList(h, e)
		var got PSINGLE_LIST_ENTRY
		c.at(func() { got = PopEntryList(h) })
		c.want(got == e, "another entry")
	}},
	"RtlCopyMemory":                     simply(func() { RtlCopyMemory(PVOID(&room), PVOID(&room[32]), 32) }),
	"RtlZeroMemory":                     simply(func() { RtlZeroMemory(PVOID(&room), 32) }),
	"KeMemoryBarrier":                   simply(func() { KeMemoryBarrier() }),
	"InterlockedExchangePointer":        simply(func() { InterlockedExchangePointer(&pointer, nil) }),
	"InterlockedCompareExchangePointer": simply(func() { InterlockedCompareExchangePointer(&pointer, nil, nil) }),

	"KeReadStateMutant": {call: func(c *caller) {
		m, state := kit.New[KMUTANT](c), LONG(0)
		KeInitializeMutant(m, false)
		if c.at(func() { state = KeReadStateMutant(m) }) {
			c.want(state == 1, "state %d", state)
		}
	}},
	"KeReleaseMutant": {call: func(c *caller) {
		m, taken := kit.New[KMUTANT](c), min(c.level, irql.Dispatch)
		kit.At(taken, func() { KeInitializeMutant(m, true) })
		if !c.at(func() { KeReleaseMutant(m, 0, false, false) }) {
			kit.At(taken, func() { KeReleaseMutant(m, 0, false, false) })
		}
		c.want(KeReadStateMutant(m) == 1, "owned")
	}},
	"KeSetEventBoostPriority": {call: func(c *caller) {
		e := kit.New[KEVENT](c)
		KeInitializeEvent(e, SynchronizationEvent, false)
		if c.at(func() { KeSetEventBoostPriority(e, nil) }) {
			c.want(KeReadStateEvent(e) != 0, "not signalled")
		}
	}},

	"FltAcquirePushLockExclusiveEx": acquiresInRegion(withFlags(FltAcquirePushLockExclusiveEx), withFlags(FltReleasePushLockEx)),
	"FltAcquirePushLockSharedEx":    acquiresInRegion(withFlags(FltAcquirePushLockSharedEx), withFlags(FltReleasePushLockEx)),
	"FltReleasePushLockEx":          releasesInRegion(withFlags(FltAcquirePushLockExclusiveEx), withFlags(FltReleasePushLockEx)),
}

// withFlags is a routine without any.
func withFlags(routine func(PEX_PUSH_LOCK, ULONG)) func(PEX_PUSH_LOCK) {
	return func(l PEX_PUSH_LOCK) { routine(l, 0) }
}

func processorChange(PVOID, *KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT, *NTSTATUS) {}

// threadNotice is told of threads.
func threadNotice(_, _ HANDLE, _ BOOLEAN) {}

var exceptionProbes = map[string]probe{
	"ExRaiseAccessViolation":      raises(ExRaiseAccessViolation),
	"ExRaiseDatatypeMisalignment": raises(ExRaiseDatatypeMisalignment),
	"ProbeForRead":                simply(func() { ProbeForRead(nil, 0, 1) }),
	"ProbeForWrite":               simply(func() { ProbeForWrite(nil, 0, 1) }),

	"PsSetCreateThreadNotifyRoutine": {call: func(c *caller) {
		if c.at(func() { PsSetCreateThreadNotifyRoutine(threadNotice) }) {
			PsRemoveCreateThreadNotifyRoutine(threadNotice)
		}
	}},
	"PsSetCreateThreadNotifyRoutineEx": {call: func(c *caller) {
		routine := PCREATE_THREAD_NOTIFY_ROUTINE(threadNotice)
		if c.at(func() { PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifySubsystems, PVOID(&routine)) }) {
			PsRemoveCreateThreadNotifyRoutine(routine)
		}
	}},
	"PsRemoveCreateThreadNotifyRoutine": {call: func(c *caller) {
		PsSetCreateThreadNotifyRoutine(threadNotice)
		if !c.at(func() { PsRemoveCreateThreadNotifyRoutine(threadNotice) }) {
			PsRemoveCreateThreadNotifyRoutine(threadNotice)
		}
	}},
	"IoCreateSystemThread": {call: func(c *caller) {
		object := PVOID(KeGetCurrentThread())
		var h HANDLE
		s := STATUS_UNSUCCESSFUL
		if c.at(func() {
			s = IoCreateSystemThread(object, &h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) {}, nil)
		}) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
			ZwWaitForSingleObject(h, false, nil)
			ZwClose(h)
		}
	}},
}

func lastWords(PVOID, ULONG) {}

func lastReason(KBUGCHECK_CALLBACK_REASON, *KBUGCHECK_REASON_CALLBACK_RECORD, PVOID, ULONG) {}

func nmi(PVOID, BOOLEAN) BOOLEAN { return false }

// lastRecord returns a record for bug check callbacks, with what registers it.
func lastRecord(c *caller) (*KBUGCHECK_CALLBACK_RECORD, func() BOOLEAN) {
	r, component := kit.New[KBUGCHECK_CALLBACK_RECORD](c), kit.New[UCHAR](c)
	KeInitializeCallbackRecord(r)
	return r, func() BOOLEAN { return KeRegisterBugCheckCallback(r, lastWords, nil, 0, component) }
}

func reasonRecord(c *caller) (*KBUGCHECK_REASON_CALLBACK_RECORD, func() BOOLEAN) {
	r, component := kit.New[KBUGCHECK_REASON_CALLBACK_RECORD](c), kit.New[UCHAR](c)
	KeInitializeCallbackRecord(r)
	return r, func() BOOLEAN {
		return KeRegisterBugCheckReasonCallback(r, lastReason, KbCallbackSecondaryDumpData, component)
	}
}

var bugCheckProbes = map[string]probe{
	"KeInitializeCallbackRecord": {call: func(c *caller) {
		r := kit.New[KBUGCHECK_CALLBACK_RECORD](c)
		c.at(func() { KeInitializeCallbackRecord(r) })
	}},
	"KeRegisterBugCheckCallback": {call: func(c *caller) {
		r, register := lastRecord(c)
		c.at(func() { register() })
		c.want(KeDeregisterBugCheckCallback(r), "not registered")
	}},
	"KeDeregisterBugCheckCallback": {call: func(c *caller) {
		r, register := lastRecord(c)
		c.want(register(), "not registered")
		ok := false
		c.at(func() { ok = KeDeregisterBugCheckCallback(r) })
		c.want(ok, "not deregistered")
	}},
	"KeRegisterBugCheckReasonCallback": {call: func(c *caller) {
		r, register := reasonRecord(c)
		c.at(func() { register() })
		c.want(KeDeregisterBugCheckReasonCallback(r), "not registered")
	}},
	"KeDeregisterBugCheckReasonCallback": {call: func(c *caller) {
		r, register := reasonRecord(c)
		c.want(register(), "not registered")
		ok := false
		c.at(func() { ok = KeDeregisterBugCheckReasonCallback(r) })
		c.want(ok, "not deregistered")
	}},
	"KeRegisterNmiCallback": {call: func(c *caller) {
		var h PVOID
		if c.at(func() { h = KeRegisterNmiCallback(nmi, nil) }) {
			c.want(h != nil && KeDeregisterNmiCallback(h) == STATUS_SUCCESS, "not registered")
		}
	}},
	"KeDeregisterNmiCallback": {call: func(c *caller) {
		h, s := KeRegisterNmiCallback(nmi, nil), STATUS_UNSUCCESSFUL
		if !c.at(func() { s = KeDeregisterNmiCallback(h) }) {
			s = KeDeregisterNmiCallback(h)
		}
		c.want(s == STATUS_SUCCESS, "status %v", s)
	}},
}

// raises probes a routine that raises an exception.
func raises(routine func()) probe {
	return probe{call: func(c *caller) {
		s := STATUS_SUCCESS
		if c.at(func() { s = kit.Raised(routine) }) {
			c.want(!NT_SUCCESS(s), "status %v", s)
		}
	}}
}
