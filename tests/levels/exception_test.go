package levels

import (
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() { add(exceptionProbes); add(noticeProbes); add(bugCheckProbes) }

var exceptionProbes = map[string]probe{
	"ExRaiseAccessViolation":      raises(ExRaiseAccessViolation),
	"ExRaiseDatatypeMisalignment": raises(ExRaiseDatatypeMisalignment),
	"ProbeForRead":                simply(func() { ProbeForRead(nil, 0, 1) }),
	"ProbeForWrite":               simply(func() { ProbeForWrite(nil, 0, 1) }),
}

// threadNotice is told of threads.
func threadNotice(_, _ HANDLE, _ BOOLEAN) {}

var noticeProbes = map[string]probe{
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
