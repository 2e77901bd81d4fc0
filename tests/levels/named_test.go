package levels

import (
	"unsafe"

	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() { add(namedProbes); add(processProbes) }

// handleOf probes a routine on the handle of an object that make makes.
func handleOf(want NTSTATUS, make func(h PHANDLE) NTSTATUS, routine func(h HANDLE) NTSTATUS) probe {
	return probe{call: func(c *caller) {
		var h HANDLE
		if s := make(&h); s != STATUS_SUCCESS {
			c.Fatal(s)
		}
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = routine(h) }) {
			c.want(s == want, "status %v", s)
		}
		ZwClose(h)
	}}
}

// makes probes the making of a handle.
func makes(make func(h PHANDLE) NTSTATUS) probe {
	return probe{call: func(c *caller) {
		var h HANDLE
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = make(&h) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
			ZwClose(h)
		}
	}}
}

func makeEvent(h PHANDLE) NTSTATUS {
	return ZwCreateEvent(h, EVENT_ALL_ACCESS, nil, NotificationEvent, true)
}

func makeMutant(h PHANDLE) NTSTATUS { return NtCreateMutant(h, MUTANT_ALL_ACCESS, nil, false) }

func makeOwnMutant(h PHANDLE) NTSTATUS { return NtCreateMutant(h, MUTANT_ALL_ACCESS, nil, true) }

func makeSemaphore(h PHANDLE) NTSTATUS {
	return NtCreateSemaphore(h, SEMAPHORE_ALL_ACCESS, nil, 1, 2)
}

func makeTimer(h PHANDLE) NTSTATUS {
	return NtCreateTimer(h, TIMER_ALL_ACCESS, nil, NotificationTimer)
}

// makesEvent probes the making of a named event.
func makesEvent(make func(name *UNICODE_STRING, h PHANDLE) PKEVENT) probe {
	return probe{call: func(c *caller) {
		name := String(`\BaseNamedObjects\levels`)
		var h HANDLE
		var e PKEVENT
		if c.at(func() { e = make(name, &h) }) {
			c.want(e != nil, "no event")
			ZwClose(h)
		}
	}}
}

// room is where queries put what they know.
var room [64]byte

func length[T any]() (PVOID, ULONG) { return PVOID(&room), ULONG(unsafe.Sizeof(*new(T))) }

var namedProbes = map[string]probe{
	"ZwCreateEvent":                makes(makeEvent),
	"NtCreateMutant":               makes(makeMutant),
	"NtCreateSemaphore":            makes(makeSemaphore),
	"NtCreateTimer":                makes(makeTimer),
	"IoCreateNotificationEvent":    makesEvent(IoCreateNotificationEvent),
	"IoCreateSynchronizationEvent": makesEvent(IoCreateSynchronizationEvent),
	"ZwOpenEvent": {call: func(c *caller) {
		name, a := String(`\BaseNamedObjects\levels`), new(OBJECT_ATTRIBUTES)
		InitializeObjectAttributes(a, name, OBJ_KERNEL_HANDLE, 0, nil)
		var first, second HANDLE
		IoCreateNotificationEvent(name, &first)
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = ZwOpenEvent(&second, EVENT_ALL_ACCESS, a) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
			ZwClose(second)
		}
		ZwClose(first)
	}},
	"ZwSetEvent":   handleOf(STATUS_SUCCESS, makeEvent, func(h HANDLE) NTSTATUS { return ZwSetEvent(h, nil) }),
	"NtSetEvent":   handleOf(STATUS_SUCCESS, makeEvent, func(h HANDLE) NTSTATUS { return NtSetEvent(h, nil) }),
	"NtResetEvent": handleOf(STATUS_SUCCESS, makeEvent, func(h HANDLE) NTSTATUS { return NtResetEvent(h, nil) }),
	"NtClearEvent": handleOf(STATUS_SUCCESS, makeEvent, NtClearEvent),
	"NtPulseEvent": handleOf(STATUS_SUCCESS, makeEvent, func(h HANDLE) NTSTATUS { return NtPulseEvent(h, nil) }),
	"NtQueryEvent": handleOf(STATUS_SUCCESS, makeEvent, func(h HANDLE) NTSTATUS {
		p, n := length[EVENT_BASIC_INFORMATION]()
		return NtQueryEvent(h, EventBasicInformation, p, n, nil)
	}),
	"NtReleaseMutant": {call: func(c *caller) {
		var h HANDLE
		if s := makeOwnMutant(&h); s != STATUS_SUCCESS {
			c.Fatal(s)
		}
		s := STATUS_UNSUCCESSFUL
		if !c.at(func() { s = NtReleaseMutant(h, nil) }) {
			s = NtReleaseMutant(h, nil)
		}
		c.want(s == STATUS_SUCCESS, "status %v", s)
		ZwClose(h)
	}},
	"NtQueryMutant": handleOf(STATUS_SUCCESS, makeMutant, func(h HANDLE) NTSTATUS {
		p, n := length[MUTANT_BASIC_INFORMATION]()
		return NtQueryMutant(h, MutantBasicInformation, p, n, nil)
	}),
	"NtReleaseSemaphore": handleOf(STATUS_SUCCESS, makeSemaphore, func(h HANDLE) NTSTATUS { return NtReleaseSemaphore(h, 1, nil) }),
	"NtQuerySemaphore": handleOf(STATUS_SUCCESS, makeSemaphore, func(h HANDLE) NTSTATUS {
		p, n := length[SEMAPHORE_BASIC_INFORMATION]()
		return NtQuerySemaphore(h, SemaphoreBasicInformation, p, n, nil)
	}),
	"NtSetTimer":    handleOf(STATUS_SUCCESS, makeTimer, func(h HANDLE) NTSTATUS { return NtSetTimer(h, &farAway, nil, nil, false, 0, nil) }),
	"NtCancelTimer": handleOf(STATUS_SUCCESS, makeTimer, func(h HANDLE) NTSTATUS { return NtCancelTimer(h, nil) }),
	"NtQueryTimer": handleOf(STATUS_SUCCESS, makeTimer, func(h HANDLE) NTSTATUS {
		p, n := length[TIMER_BASIC_INFORMATION]()
		return NtQueryTimer(h, TimerBasicInformation, p, n, nil)
	}),
	"NtWaitForSingleObject": handleOf(STATUS_SUCCESS, makeEvent, func(h HANDLE) NTSTATUS { return NtWaitForSingleObject(h, false, noTime) }),
	"ZwWaitForMultipleObjects": handleOf(STATUS_SUCCESS, makeEvent, func(h HANDLE) NTSTATUS {
		return ZwWaitForMultipleObjects(1, []HANDLE{h}, WaitAny, false, noTime)
	}),
	"NtWaitForMultipleObjects": handleOf(STATUS_SUCCESS, makeEvent, func(h HANDLE) NTSTATUS {
		return NtWaitForMultipleObjects(1, []HANDLE{h}, WaitAny, false, noTime)
	}),
	"NtSignalAndWaitForSingleObject": handleOf(STATUS_SUCCESS, makeEvent, func(h HANDLE) NTSTATUS {
		return NtSignalAndWaitForSingleObject(h, h, false, noTime)
	}),
	"NtClose": closes(NtClose),
	"ZwDuplicateObject": {call: func(c *caller) {
		var h, other HANDLE
		makeEvent(&h)
		s := STATUS_UNSUCCESSFUL
		if c.at(func() {
			s = ZwDuplicateObject(NtCurrentProcess(), h, NtCurrentProcess(), &other, 0, OBJ_KERNEL_HANDLE, DUPLICATE_SAME_ACCESS)
		}) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
			ZwClose(other)
		}
		ZwClose(h)
	}},
	"NtTerminateThread": {call: func(c *caller) {
		s := STATUS_SUCCESS
		if c.at(func() { s = NtTerminateThread(NtCurrentThread(), 0) }) {
			c.want(s == STATUS_ACCESS_DENIED, "status %v", s)
		}
	}},
	"ZwSetInformationThread": ofHandle(STATUS_SUCCESS, func(h HANDLE) NTSTATUS {
		return ZwSetInformationThread(h, ThreadPriority, PVOID(&nine), 4)
	}, leave),

	"ObfReferenceObject":       references(ObfReferenceObject),
	"ObReferenceObjectWithTag": references(func(p PVOID) { ObReferenceObjectWithTag(p, tag) }),
	"ObReferenceObjectSafe":    references(func(p PVOID) { ObReferenceObjectSafe(p) }),
	"ObReferenceObjectByPointerWithTag": references(func(p PVOID) {
		ObReferenceObjectByPointerWithTag(p, THREAD_ALL_ACCESS, PsThreadType, KernelMode, tag)
	}),
	"ObReferenceObjectByHandleWithTag": {call: func(c *caller) {
		_, h := sleeper(c)
		var t PVOID
		if c.at(func() { ObReferenceObjectByHandleWithTag(h, THREAD_ALL_ACCESS, PsThreadType, KernelMode, tag, &t, nil) }) {
			ObDereferenceObject(t)
		}
	}},
	"ObDereferenceObjectWithTag":            dereferences(func(p PVOID) { ObDereferenceObjectWithTag(p, tag) }),
	"ObDereferenceObjectDeferDelete":        dereferences(ObDereferenceObjectDeferDelete),
	"ObDereferenceObjectDeferDeleteWithTag": dereferences(func(p PVOID) { ObDereferenceObjectDeferDeleteWithTag(p, tag) }),
	"ObMakeTemporaryObject":                 ofThread(func(t PKTHREAD) { ObMakeTemporaryObject(PVOID(t)) }),
	"ObQueryNameString": ofThread(func(t PKTHREAD) {
		var n ULONG
		ObQueryNameString(PVOID(t), (*OBJECT_NAME_INFORMATION)(PVOID(&room)), ULONG(unsafe.Sizeof(OBJECT_NAME_INFORMATION{})), &n)
	}),
	"ObRegisterCallbacks": {call: func(c *caller) {
		r := watch()
		var h PVOID
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = ObRegisterCallbacks(r, &h) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
			ObUnRegisterCallbacks(h)
		}
	}},
	"ObUnRegisterCallbacks": {call: func(c *caller) {
		var h PVOID
		if s := ObRegisterCallbacks(watch(), &h); s != STATUS_SUCCESS {
			c.Fatal(s)
		}
		if !c.at(func() { ObUnRegisterCallbacks(h) }) {
			ObUnRegisterCallbacks(h)
		}
	}},
}

var nine KPRIORITY = 9

// watch registers a callback for handles of threads, which does nothing.
func watch() *OB_CALLBACK_REGISTRATION {
	r := &OB_CALLBACK_REGISTRATION{Version: OB_FLT_REGISTRATION_VERSION, OperationRegistrationCount: 1, Altitude: *String("320000")}
	r.OperationRegistration = []OB_OPERATION_REGISTRATION{{ObjectType: PsThreadType, Operations: OB_OPERATION_HANDLE_CREATE,
		PostOperation: func(PVOID, *OB_POST_OPERATION_INFORMATION) {}}}
	return r
}

// dereferences probes a routine that gives a reference back.
func dereferences(routine func(PVOID)) probe {
	return probe{call: func(c *caller) {
		t := PVOID(KeGetCurrentThread())
		ObReferenceObject(t)
		if !c.at(func() { routine(t) }) {
			ObDereferenceObject(t)
		}
	}}
}

// attaches probes an attachment to the system process.
func attaches(attach, detach func(state PRKAPC_STATE)) probe {
	return probe{call: func(c *caller) {
		state := kit.New[KAPC_STATE](c)
		c.at(func() { attach(state) }, func() { detach(state) })
	}}
}

func attach(state PRKAPC_STATE) { KeStackAttachProcess(IoGetCurrentProcess(), state) }

func attachPlainly(PRKAPC_STATE) { KeAttachProcess(IoGetCurrentProcess()) }

func detachPlainly(PRKAPC_STATE) { KeDetachProcess() }

var processProbes = map[string]probe{
	"IoGetCurrentProcess":    simply(func() { IoGetCurrentProcess() }),
	"IoThreadToProcess":      onSelf(func(t PKTHREAD) { IoThreadToProcess(t) }),
	"PsGetProcessId":         simply(func() { PsGetProcessId(PsInitialSystemProcess) }),
	"PsGetThreadProcessId":   onSelf(func(t PKTHREAD) { PsGetThreadProcessId(t) }),
	"PsGetProcessExitStatus": simply(func() { PsGetProcessExitStatus(PsInitialSystemProcess) }),
	"PsLookupProcessByProcessId": {call: func(c *caller) {
		var p PEPROCESS
		id := PsGetCurrentProcessId()
		if c.at(func() { PsLookupProcessByProcessId(id, &p) }) {
			ObDereferenceObject(PVOID(p))
		}
	}},
	"ZwOpenProcess": makes(func(h PHANDLE) NTSTATUS {
		a := OBJECT_ATTRIBUTES{Length: ULONG(unsafe.Sizeof(OBJECT_ATTRIBUTES{})), Attributes: OBJ_KERNEL_HANDLE}
		return ZwOpenProcess(h, PROCESS_ALL_ACCESS, &a, &CLIENT_ID{UniqueProcess: PsGetCurrentProcessId()})
	}),
	"ZwTerminateProcess": {call: func(c *caller) {
		s := STATUS_SUCCESS
		if c.at(func() { s = ZwTerminateProcess(NtCurrentProcess(), 0) }) {
			c.want(s == STATUS_ACCESS_DENIED, "status %v", s)
		}
	}},
	"KeStackAttachProcess": attaches(attach, KeUnstackDetachProcess),
	"KeUnstackDetachProcess": {call: func(c *caller) {
		state := kit.New[KAPC_STATE](c)
		attach(state)
		if !c.at(func() { KeUnstackDetachProcess(state) }) {
			KeUnstackDetachProcess(state)
		}
	}},
	"KeAttachProcess": attaches(attachPlainly, detachPlainly),
	"KeDetachProcess": simply(func() { KeDetachProcess() }),
}
