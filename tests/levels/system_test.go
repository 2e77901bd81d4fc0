package levels

import (
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() {
	add(timeProbes)
	add(processorProbes)
	add(threadProbes)
	add(objectProbes)
	add(stopProbes)
}

var timeProbes = map[string]probe{
	"KeQueryInterruptTime":        simply(func() { KeQueryInterruptTime() }),
	"KeQueryInterruptTimePrecise": simply(func() { var stamp ULONG64; KeQueryInterruptTimePrecise(&stamp) }),
	"KeQuerySystemTime":           simply(func() { var now LARGE_INTEGER; KeQuerySystemTime(&now) }),
	"KeQuerySystemTimePrecise":    simply(func() { var now LARGE_INTEGER; KeQuerySystemTimePrecise(&now) }),
	"KeQueryTickCount":            simply(func() { var n LARGE_INTEGER; KeQueryTickCount(&n) }),
	"KeQueryTimeIncrement":        simply(func() { KeQueryTimeIncrement() }),
	"KeQueryPerformanceCounter":   simply(func() { KeQueryPerformanceCounter(nil) }),
	"KeStallExecutionProcessor":   simply(func() { KeStallExecutionProcessor(1) }),
}

// broadcast is an IPI routine, and its argument the answer.
func broadcast(argument ULONG_PTR) ULONG_PTR { return argument }

var processorProbes = map[string]probe{
	"KeGetCurrentProcessorNumber":   simply(func() { KeGetCurrentProcessorNumber() }),
	"KeGetCurrentProcessorNumberEx": simply(func() { KeGetCurrentProcessorNumberEx(nil) }),
	"KeQueryActiveProcessors":       simply(func() { KeQueryActiveProcessors() }),
	"KeQueryActiveProcessorCount":   simply(func() { KeQueryActiveProcessorCount(nil) }),
	"KeQueryActiveProcessorCountEx": simply(func() { KeQueryActiveProcessorCountEx(0) }),
	"KeIpiGenericCall": {call: func(c *caller) {
		got := ULONG_PTR(0)
		if c.at(func() { got = KeIpiGenericCall(broadcast, 7) }) {
			c.want(got == 7, "answer %d", got)
		}
	}},
	"KeSetSystemAffinityThread": {call: func(c *caller) {
		if c.at(func() { KeSetSystemAffinityThread(1) }) {
			KeRevertToUserAffinityThread()
		}
	}},
	"KeSetSystemAffinityThreadEx": {call: func(c *caller) {
		if c.at(func() { KeSetSystemAffinityThreadEx(1) }) {
			KeRevertToUserAffinityThread()
		}
	}},
	"KeRevertToUserAffinityThread": {call: func(c *caller) {
		KeSetSystemAffinityThread(1)
		if !c.at(KeRevertToUserAffinityThread) {
			KeRevertToUserAffinityThread()
		}
	}},
	"KeRevertToUserAffinityThreadEx": {call: func(c *caller) {
		KeSetSystemAffinityThread(1)
		if !c.at(func() { KeRevertToUserAffinityThreadEx(0) }) {
			KeRevertToUserAffinityThreadEx(0)
		}
	}},
}

// sleeper makes a system thread that sleeps until the probe's call is over, and
// returns it with a handle.
func sleeper(c *caller) (PKTHREAD, HANDLE) {
	e := kit.New[KEVENT](c)
	KeInitializeEvent(e, NotificationEvent, false)
	var h HANDLE
	if s := PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) { take(PVOID(e)) }, nil); s != STATUS_SUCCESS {
		c.Fatal(s)
	}
	var t PVOID
	if s := ObReferenceObjectByHandle(h, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &t, nil); s != STATUS_SUCCESS {
		c.Fatal(s)
	}
	// One that Nt routines take, too.
	ZwClose(h)
	if s := ObOpenObjectByPointer(t, 0, nil, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &h); s != STATUS_SUCCESS {
		c.Fatal(s)
	}
	c.Cleanup(func() {
		KeSetEvent(e, 0, false)
		take(t)
		ObDereferenceObject(t)
		ZwClose(h)
	})
	return PKTHREAD(t), h
}

// ofHandle probes a routine that takes a thread's handle, and undo is its
// opposite.
func ofHandle(want NTSTATUS, routine func(HANDLE) NTSTATUS, undo func(HANDLE)) probe {
	return probe{call: func(c *caller) {
		_, h := sleeper(c)
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = routine(h) }) {
			c.want(s == want, "status %v", s)
			undo(h)
		}
	}}
}

// ofThread probes a routine that takes a thread.
func ofThread(routine func(PKTHREAD)) probe {
	return probe{call: func(c *caller) {
		t, _ := sleeper(c)
		c.at(func() { routine(t) })
	}}
}

// onSelf probes one with the running thread.
func onSelf(routine func(PKTHREAD)) probe {
	return probe{call: func(c *caller) {
		t := KeGetCurrentThread()
		c.at(func() { routine(t) })
	}}
}

func resume(h HANDLE) { NtResumeThread(h, nil) }

func leave(HANDLE) {}

var threadProbes = map[string]probe{
	"PsCreateSystemThread": {call: func(c *caller) {
		var h HANDLE
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) {}, nil) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
			ZwWaitForSingleObject(h, false, nil)
			ZwClose(h)
		}
	}},
	// A system thread of its own calls: it does not return.
	"PsTerminateSystemThread": {call: func(c *caller) {
		var h HANDLE
		returned := false
		PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) {
			c.at(func() { PsTerminateSystemThread(STATUS_TIMEOUT) })
			returned = true
		}, nil)
		ZwWaitForSingleObject(h, false, nil)
		ZwClose(h)
		c.want(returned == !c.allowed(), "returned: %v", returned)
	}},
	"KeGetCurrentThread":      simply(func() { KeGetCurrentThread() }),
	"PsGetCurrentThread":      simply(func() { PsGetCurrentThread() }),
	"PsGetCurrentThreadId":    simply(func() { PsGetCurrentThreadId() }),
	"PsGetCurrentProcessId":   simply(func() { PsGetCurrentProcessId() }),
	"PsGetThreadId":           onSelf(func(t PKTHREAD) { PsGetThreadId(t) }),
	"PsIsSystemThread":        onSelf(func(t PKTHREAD) { PsIsSystemThread(t) }),
	"PsIsThreadTerminating":   onSelf(func(t PKTHREAD) { PsIsThreadTerminating(t) }),
	"PsGetThreadExitStatus":   onSelf(func(t PKTHREAD) { PsGetThreadExitStatus(t) }),
	"KeReadStateThread":       onSelf(func(t PKTHREAD) { KeReadStateThread(t) }),
	"KeQueryPriorityThread":   onSelf(func(t PKTHREAD) { KeQueryPriorityThread(t) }),
	"KeSetPriorityThread":     ofThread(func(t PKTHREAD) { KeSetPriorityThread(t, 9) }),
	"KeSetBasePriorityThread": ofThread(func(t PKTHREAD) { KeSetBasePriorityThread(t, 1) }),
	"PsLookupThreadByThreadId": {call: func(c *caller) {
		id := PsGetCurrentThreadId()
		var t PETHREAD
		if c.at(func() { PsLookupThreadByThreadId(id, &t) }) {
			c.want(t == KeGetCurrentThread(), "another thread")
			ObDereferenceObject(PVOID(t))
		}
	}},
	"KeSuspendThread": {call: func(c *caller) {
		t, _ := sleeper(c)
		if c.at(func() { KeSuspendThread(t) }) {
			c.want(KeResumeThread(t) == 1, "not suspended")
		}
	}},
	"KeResumeThread":      ofThread(func(t PKTHREAD) { KeResumeThread(t) }),
	"KeForceResumeThread": ofThread(func(t PKTHREAD) { KeForceResumeThread(t) }),
	"PsSuspendThread": {call: func(c *caller) {
		t, _ := sleeper(c)
		if c.at(func() { PsSuspendThread(t, nil) }) {
			c.want(KeResumeThread(t) == 1, "not suspended")
		}
	}},
	"PsResumeThread":      ofThread(func(t PKTHREAD) { PsResumeThread(t, nil) }),
	"NtSuspendThread":     ofHandle(STATUS_SUCCESS, func(h HANDLE) NTSTATUS { return NtSuspendThread(h, nil) }, resume),
	"NtResumeThread":      ofHandle(STATUS_SUCCESS, func(h HANDLE) NTSTATUS { return NtResumeThread(h, nil) }, leave),
	"NtAlertThread":       ofHandle(STATUS_SUCCESS, NtAlertThread, leave),
	"ZwAlertThread":       ofHandle(STATUS_SUCCESS, ZwAlertThread, leave),
	"NtAlertResumeThread": ofHandle(STATUS_SUCCESS, func(h HANDLE) NTSTATUS { return NtAlertResumeThread(h, nil) }, leave),
	"NtQueueApcThread":    ofHandle(STATUS_INVALID_HANDLE, func(h HANDLE) NTSTATUS { return NtQueueApcThread(h, normal, nil, nil, nil) }, leave),
	"NtTestAlert":         simply(func() { NtTestAlert() }),
	"KeAlertThread":       ofThread(func(t PKTHREAD) { KeAlertThread(t, KernelMode) }),
	"KeAlertResumeThread": ofThread(func(t PKTHREAD) { KeAlertResumeThread(t) }),
	"KeTestAlertThread":   simply(func() { KeTestAlertThread(KernelMode) }),
}

// references probes a routine that takes a reference.
func references(routine func(PVOID)) probe {
	return probe{call: func(c *caller) {
		t := PVOID(KeGetCurrentThread())
		if c.at(func() { routine(t) }) {
			ObDereferenceObject(t)
		}
	}}
}

// closes probes a routine that closes a handle.
func closes(routine func(HANDLE) NTSTATUS) probe {
	return probe{call: func(c *caller) {
		var h HANDLE
		ObOpenObjectByPointer(PVOID(KeGetCurrentThread()), 0, nil, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &h)
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = routine(h) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		} else {
			ZwClose(h)
		}
	}}
}

var objectProbes = map[string]probe{
	"ObReferenceObject": references(ObReferenceObject),
	"ObReferenceObjectByPointer": references(func(t PVOID) {
		ObReferenceObjectByPointer(t, THREAD_ALL_ACCESS, PsThreadType, KernelMode)
	}),
	"ObDereferenceObject": {call: func(c *caller) {
		t := PVOID(KeGetCurrentThread())
		ObReferenceObject(t)
		if !c.at(func() { ObDereferenceObject(t) }) {
			ObDereferenceObject(t)
		}
	}},
	"ObReferenceObjectByHandle": {call: func(c *caller) {
		_, h := sleeper(c)
		var t PVOID
		if c.at(func() { ObReferenceObjectByHandle(h, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &t, nil) }) {
			ObDereferenceObject(t)
		}
	}},
	"ObOpenObjectByPointer": {call: func(c *caller) {
		t := PVOID(KeGetCurrentThread())
		var h HANDLE
		if c.at(func() { ObOpenObjectByPointer(t, 0, nil, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &h) }) {
			c.want(ZwClose(h) == STATUS_SUCCESS, "no handle")
		}
	}},
	"ObIsKernelHandle":      simply(func() { ObIsKernelHandle(0) }),
	"ZwClose":               closes(ZwClose),
	"ObCloseHandle":         closes(func(h HANDLE) NTSTATUS { return ObCloseHandle(h, KernelMode) }),
	"ZwWaitForSingleObject": ofHandle(STATUS_TIMEOUT, func(h HANDLE) NTSTATUS { return ZwWaitForSingleObject(h, false, noTime) }, leave),
}

// ends probes a routine that stops the machine wherever it is called.
func ends(routine func(), want stop) probe {
	return probe{call: func(c *caller) {
		c.want(!c.at(routine), "the machine goes on")
		c.want(c.stopped != nil && *c.stopped == want, "bug check %v", c.stopped)
		c.stopped = nil
	}}
}

func unhandled(irql.Level) stop { return stop{bugcheck.KmodeExceptionNotHandled, 0xC000_0022} }

var stopProbes = map[string]probe{
	"KeBugCheck":   ends(func() { KeBugCheck(0xE2) }, stop{0xE2, 0}),
	"KeBugCheckEx": ends(func() { KeBugCheckEx(0xE2, 1, 2, 3, 4) }, stop{0xE2, 1}),
	// At DISPATCH_LEVEL and above there is nobody to handle an exception.
	"ExRaiseStatus": {stop: unhandled, call: func(c *caller) {
		s := STATUS_SUCCESS
		if c.at(func() { s = kit.Raised(func() { ExRaiseStatus(STATUS_ACCESS_DENIED) }) }) {
			c.want(s == STATUS_ACCESS_DENIED, "status %v", s)
		}
	}},
}
