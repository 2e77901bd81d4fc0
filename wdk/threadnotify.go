package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/ob"
	"irqlab/thread"
)

// PCREATE_THREAD_NOTIFY_ROUTINE is told of a thread that was created, in the
// context of its creator and before it runs, or is about to end, in its own.
//
// IRQL: <= APC_LEVEL
type PCREATE_THREAD_NOTIFY_ROUTINE = func(ProcessId, ThreadId HANDLE, Create BOOLEAN)

// PSCREATETHREADNOTIFYTYPE says which threads a routine is told of.
type PSCREATETHREADNOTIFYTYPE uint32

const (
	PsCreateThreadNotifyNonSystem  PSCREATETHREADNOTIFYTYPE = 0
	PsCreateThreadNotifySubsystems PSCREATETHREADNOTIFYTYPE = 1
)

// PsSetCreateThreadNotifyRoutine has NotifyRoutine told of each system thread
// that is created or ends. A nil routine is counted and never called. It returns
// STATUS_INSUFFICIENT_RESOURCES when 64 are registered.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "PsSetCreateThreadNotifyRoutine function (ntddk.h)"
func PsSetCreateThreadNotifyRoutine(NotifyRoutine PCREATE_THREAD_NOTIFY_ROUTINE) NTSTATUS {
	atMost(irql.Passive)
	var tell thread.NotifyRoutine
	if NotifyRoutine != nil {
		tell = func(id uint32, created bool) { NotifyRoutine(systemProcessID, HANDLE(id), created) }
	}
	return thread.Notify(tell, notifyKey(NotifyRoutine))
}

// PsSetCreateThreadNotifyRoutineEx is PsSetCreateThreadNotifyRoutine for some
// threads: with PsCreateThreadNotifyNonSystem those of other processes than the
// system's, which there are none of. NotifyInformation is a
// *PCREATE_THREAD_NOTIFY_ROUTINE.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "PsSetCreateThreadNotifyRoutineEx function (ntddk.h)"
func PsSetCreateThreadNotifyRoutineEx(NotifyType PSCREATETHREADNOTIFYTYPE, NotifyInformation PVOID) NTSTATUS {
	atMost(irql.Passive)
	if NotifyInformation == nil {
		return STATUS_INVALID_PARAMETER
	}
	routine := *(*PCREATE_THREAD_NOTIFY_ROUTINE)(NotifyInformation)
	switch NotifyType {
	case PsCreateThreadNotifySubsystems:
		return PsSetCreateThreadNotifyRoutine(routine)
	case PsCreateThreadNotifyNonSystem:
		return thread.Notify(nil, notifyKey(routine))
	}
	return STATUS_INVALID_PARAMETER
}

// PsRemoveCreateThreadNotifyRoutine ends what the two above began, once all calls
// of the routine have returned; it must not be called by the routine. It returns
// STATUS_PROCEDURE_NOT_FOUND for one that is not registered.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "PsRemoveCreateThreadNotifyRoutine function (ntddk.h)"
func PsRemoveCreateThreadNotifyRoutine(NotifyRoutine PCREATE_THREAD_NOTIFY_ROUTINE) NTSTATUS {
	atMost(irql.APC)
	return thread.StopNotify(notifyKey(NotifyRoutine))
}

// notifyKey tells routines apart by the word of their func value.
func notifyKey(r PCREATE_THREAD_NOTIFY_ROUTINE) uintptr { return *(*uintptr)(unsafe.Pointer(&r)) }

// IoCreateSystemThread is PsCreateSystemThread that references IoObject until the
// thread has ended. The routine returns to end it. A DEVICE_OBJECT or DRIVER_OBJECT
// is no object of the object manager here, so there is nothing to reference: it is
// the caller's to keep.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "IoCreateSystemThread function (wdm.h)"
func IoCreateSystemThread(IoObject PVOID, ThreadHandle PHANDLE, DesiredAccess ULONG, ObjectAttributes *OBJECT_ATTRIBUTES, ProcessHandle HANDLE, ClientId *CLIENT_ID, StartRoutine PKSTART_ROUTINE, StartContext PVOID) NTSTATUS {
	atMost(irql.Passive)
	mayReach(unsafe.Pointer(ThreadHandle), unsafe.Sizeof(*ThreadHandle))
	mayReach(unsafe.Pointer(ObjectAttributes), unsafe.Sizeof(*ObjectAttributes))
	mayReach(unsafe.Pointer(ClientId), unsafe.Sizeof(*ClientId))
	if StartRoutine == nil {
		return STATUS_INVALID_PARAMETER
	}
	release := func() {}
	if !isIoObject(IoObject) {
		ob.Reference(IoObject)
		release = func() { ob.Dereference(IoObject) }
	}
	run := func(context PVOID) {
		defer release()
		thread.Lock(routineName(StartRoutine)).Routine = entryPoint(StartRoutine)
		StartRoutine(context)
	}
	s := PsCreateSystemThread(ThreadHandle, DesiredAccess, ObjectAttributes, ProcessHandle, ClientId, run, StartContext)
	if !NT_SUCCESS(s) {
		release()
	}
	return s
}

// What the Type of an object of the I/O system says (IO_TYPE_*), and the size of a
// DRIVER_OBJECT.
const (
	ioTypeDevice = 3
	ioTypeDriver = 4
	driverSize   = 0x150
)

// isIoObject reports whether p is a device or driver object, going by its type and
// size. The sizes in the headers of dispatcher objects are less than 256.
func isIoObject(p PVOID) bool {
	if Checked && !reachable(uintptr(p), 4) {
		return false
	}
	o := (*DEVICE_OBJECT)(p) // a DRIVER_OBJECT begins with the same two fields
	return o.Type == ioTypeDevice && uintptr(o.Size) >= unsafe.Sizeof(*o) || o.Type == ioTypeDriver && o.Size >= driverSize
}
