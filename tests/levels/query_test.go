package levels

import (
	"irqlab/irql"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() { add(queryProbes) }

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
	"KeReleaseMutant Abandoned, Wait": {levels: atMostAPC, call: func(c *caller) {
		m, e := kit.New[KMUTANT](c), event(c, true)
		KeInitializeMutant(m, true)
		if !c.at(func() { KeReleaseMutant(m, 0, true, true) }, func() { take(PVOID(e)) }) {
			KeReleaseMutant(m, 0, true, false)
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
