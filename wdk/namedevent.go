package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/ob"
)

// Rights for events.
const (
	EVENT_QUERY_STATE  ACCESS_MASK = ob.QueryState
	EVENT_MODIFY_STATE ACCESS_MASK = ob.ModifyState
)

// ZwCreateEvent makes an event of the given type and state and stores a handle to
// it. With a name and OBJ_OPENIF it opens the event that has the name, if there is
// one, and returns STATUS_OBJECT_NAME_EXISTS.
//
// It returns STATUS_INVALID_PARAMETER_4 for an unknown type,
// STATUS_INVALID_PARAMETER, STATUS_OBJECT_NAME_COLLISION,
// STATUS_OBJECT_TYPE_MISMATCH if something else has the name,
// STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_PATH_NOT_FOUND,
// STATUS_OBJECT_PATH_SYNTAX_BAD, STATUS_ACCESS_DENIED for an exclusive event, and
// STATUS_INSUFFICIENT_RESOURCES; for UserMode also STATUS_PRIVILEGE_NOT_HELD,
// STATUS_ACCESS_VIOLATION and STATUS_DATATYPE_MISALIGNMENT.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ZwCreateEvent function (ntifs.h)"
func ZwCreateEvent(EventHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES, EventType EVENT_TYPE, InitialState BOOLEAN) NTSTATUS {
	passiveWithAPCs()
	return createEvent(KernelMode, EventHandle, DesiredAccess, ObjectAttributes, EventType, InitialState)
}

// NtCreateEvent is ZwCreateEvent for the previous mode.
//
// IRQL: PASSIVE_LEVEL
func NtCreateEvent(EventHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES, EventType EVENT_TYPE, InitialState BOOLEAN) NTSTATUS {
	return createEvent(KeGetPreviousMode(), EventHandle, DesiredAccess, ObjectAttributes, EventType, InitialState)
}

func createEvent(mode KPROCESSOR_MODE, h PHANDLE, access ACCESS_MASK, a *OBJECT_ATTRIBUTES, t EVENT_TYPE, state BOOLEAN) NTSTATUS {
	atMost(irql.Passive)
	if t != NotificationEvent && t != SynchronizationEvent {
		return STATUS_INVALID_PARAMETER_4
	}
	return create(mode, h, access, a, ExEventObjectType, unsafe.Sizeof(KEVENT{}), func(body PVOID) {
		KeInitializeEvent(PKEVENT(body), t, state)
	})
}

// ZwOpenEvent stores a handle to the event that has the name.
//
// It returns STATUS_OBJECT_NAME_NOT_FOUND and the statuses of ZwCreateEvent.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ZwOpenEvent function (wdm.h)"
func ZwOpenEvent(EventHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES) NTSTATUS {
	passiveWithAPCs()
	return open(KernelMode, EventHandle, DesiredAccess, ObjectAttributes, ExEventObjectType)
}

// NtOpenEvent is ZwOpenEvent for the previous mode.
//
// IRQL: PASSIVE_LEVEL
func NtOpenEvent(EventHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES) NTSTATUS {
	return open(KeGetPreviousMode(), EventHandle, DesiredAccess, ObjectAttributes, ExEventObjectType)
}

// ZwSetEvent is KeSetEvent with EVENT_INCREMENT for the event of a handle.
// PreviousState may be nil.
//
// It returns STATUS_INVALID_HANDLE and STATUS_OBJECT_TYPE_MISMATCH.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ZwSetEvent function (ntifs.h)"
func ZwSetEvent(EventHandle HANDLE, PreviousState PLONG) NTSTATUS {
	passiveWithAPCs()
	return changeEvent(KernelMode, EventHandle, PreviousState, setEvent)
}

// NtSetEvent is ZwSetEvent for the previous mode: for UserMode the handle must
// have EVENT_MODIFY_STATE, else STATUS_ACCESS_DENIED.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtSetEvent(EventHandle HANDLE, PreviousState PLONG) NTSTATUS {
	return changeEvent(KeGetPreviousMode(), EventHandle, PreviousState, setEvent)
}

// ZwResetEvent is KeResetEvent for the event of a handle. PreviousState may be
// nil. Statuses are those of ZwSetEvent.
//
// IRQL: PASSIVE_LEVEL
func ZwResetEvent(EventHandle HANDLE, PreviousState PLONG) NTSTATUS {
	passiveWithAPCs()
	return changeEvent(KernelMode, EventHandle, PreviousState, KeResetEvent)
}

// NtResetEvent is ZwResetEvent for the previous mode; see NtSetEvent.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtResetEvent(EventHandle HANDLE, PreviousState PLONG) NTSTATUS {
	return changeEvent(KeGetPreviousMode(), EventHandle, PreviousState, KeResetEvent)
}

// ZwClearEvent is KeClearEvent for the event of a handle. Statuses are those of
// ZwSetEvent.
//
// IRQL: PASSIVE_LEVEL
func ZwClearEvent(EventHandle HANDLE) NTSTATUS {
	passiveWithAPCs()
	return changeEvent(KernelMode, EventHandle, nil, KeResetEvent)
}

// NtClearEvent is ZwClearEvent for the previous mode; see NtSetEvent.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtClearEvent(EventHandle HANDLE) NTSTATUS {
	return changeEvent(KeGetPreviousMode(), EventHandle, nil, KeResetEvent)
}

// ZwPulseEvent is KePulseEvent with EVENT_INCREMENT for the event of a handle.
// PreviousState may be nil. Statuses are those of ZwSetEvent.
//
// IRQL: PASSIVE_LEVEL
func ZwPulseEvent(EventHandle HANDLE, PreviousState PLONG) NTSTATUS {
	passiveWithAPCs()
	return changeEvent(KernelMode, EventHandle, PreviousState, pulseEvent)
}

// NtPulseEvent is ZwPulseEvent for the previous mode; see NtSetEvent.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtPulseEvent(EventHandle HANDLE, PreviousState PLONG) NTSTATUS {
	return changeEvent(KeGetPreviousMode(), EventHandle, PreviousState, pulseEvent)
}

func setEvent(e PRKEVENT) LONG   { return KeSetEvent(e, EVENT_INCREMENT, false) }
func pulseEvent(e PRKEVENT) LONG { return KePulseEvent(e, EVENT_INCREMENT, false) }

func changeEvent(mode KPROCESSOR_MODE, h HANDLE, previous PLONG, change func(PRKEVENT) LONG) NTSTATUS {
	atMost(irql.Passive)
	if s := probeOptional(mode, previous); !NT_SUCCESS(s) {
		return s
	}
	return with(mode, h, EVENT_MODIFY_STATE, ExEventObjectType, func(e PKEVENT) {
		store(previous, change(e))
	})
}

// EVENT_INFORMATION_CLASS says what NtQueryEvent tells.
type EVENT_INFORMATION_CLASS int32

// EventBasicInformation is EVENT_BASIC_INFORMATION.
const EventBasicInformation EVENT_INFORMATION_CLASS = 0

// EVENT_BASIC_INFORMATION is an event's type and state.
type EVENT_BASIC_INFORMATION struct {
	EventType  EVENT_TYPE
	EventState LONG
}

// ZwQueryEvent stores the type and state of the event of a handle. ReturnLength
// may be nil.
//
// It returns STATUS_INVALID_INFO_CLASS, STATUS_INFO_LENGTH_MISMATCH unless the
// length is that of the structure, STATUS_INVALID_HANDLE and
// STATUS_OBJECT_TYPE_MISMATCH.
//
// IRQL: PASSIVE_LEVEL
func ZwQueryEvent(EventHandle HANDLE, EventInformationClass EVENT_INFORMATION_CLASS, EventInformation PVOID, EventInformationLength ULONG, ReturnLength PULONG) NTSTATUS {
	passiveWithAPCs()
	return query(KernelMode, EventHandle, ExEventObjectType, int32(EventInformationClass), EventInformation, EventInformationLength, ReturnLength, describeEvent)
}

// NtQueryEvent is ZwQueryEvent for the previous mode: for UserMode the handle must
// have EVENT_QUERY_STATE, else STATUS_ACCESS_DENIED.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtQueryEvent(EventHandle HANDLE, EventInformationClass EVENT_INFORMATION_CLASS, EventInformation PVOID, EventInformationLength ULONG, ReturnLength PULONG) NTSTATUS {
	return query(KeGetPreviousMode(), EventHandle, ExEventObjectType, int32(EventInformationClass), EventInformation, EventInformationLength, ReturnLength, describeEvent)
}

func describeEvent(e PKEVENT) EVENT_BASIC_INFORMATION {
	return EVENT_BASIC_INFORMATION{EVENT_TYPE(e.Header.Type), KeReadStateEvent(e)}
}

// IoCreateNotificationEvent returns the notification event that has the name, and
// stores a kernel handle to it, which keeps it and is to be closed with ZwClose. A
// new event is signalled; one that exists, of whatever type, is opened as it is.
// It returns nil if that fails.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "IoCreateNotificationEvent function (wdm.h)"
func IoCreateNotificationEvent(EventName *UNICODE_STRING, EventHandle PHANDLE) PKEVENT {
	mayReach(unsafe.Pointer(EventName), unsafe.Sizeof(*EventName))
	mustReach(unsafe.Pointer(EventHandle), unsafe.Sizeof(*EventHandle))
	return ioCreateEvent(EventName, EventHandle, NotificationEvent)
}

// IoCreateSynchronizationEvent is IoCreateNotificationEvent for a synchronization
// event.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "IoCreateSynchronizationEvent function (wdm.h)"
func IoCreateSynchronizationEvent(EventName *UNICODE_STRING, EventHandle PHANDLE) PKEVENT {
	mayReach(unsafe.Pointer(EventName), unsafe.Sizeof(*EventName))
	mustReach(unsafe.Pointer(EventHandle), unsafe.Sizeof(*EventHandle))
	return ioCreateEvent(EventName, EventHandle, SynchronizationEvent)
}

func ioCreateEvent(name *UNICODE_STRING, h PHANDLE, t EVENT_TYPE) PKEVENT {
	atMost(irql.Passive)
	var a OBJECT_ATTRIBUTES
	InitializeObjectAttributes(&a, name, OBJ_OPENIF|OBJ_KERNEL_HANDLE, 0, nil)
	if !NT_SUCCESS(ZwCreateEvent(h, EVENT_ALL_ACCESS, &a, t, true)) {
		return nil
	}
	var e PKEVENT
	with(KernelMode, *h, 0, ExEventObjectType, func(found PKEVENT) { e = found })
	return e
}
