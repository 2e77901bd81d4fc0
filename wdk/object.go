package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/ob"
)

// UNICODE_STRING is a counted string of 16-bit characters; lengths are in bytes.
type UNICODE_STRING struct {
	Length, MaximumLength USHORT
	Buffer                *uint16
}

// OBJECT_ATTRIBUTES say how an object is made or opened.
type OBJECT_ATTRIBUTES struct {
	Length                   ULONG
	RootDirectory            HANDLE
	ObjectName               *UNICODE_STRING
	Attributes               ULONG
	SecurityDescriptor       PVOID
	SecurityQualityOfService PVOID
}

// Attributes of objects and handles.
const (
	OBJ_INHERIT          ULONG = 0x002
	OBJ_PERMANENT        ULONG = 0x010
	OBJ_EXCLUSIVE        ULONG = 0x020
	OBJ_CASE_INSENSITIVE ULONG = 0x040
	OBJ_OPENIF           ULONG = 0x080
	OBJ_KERNEL_HANDLE    ULONG = 0x200
)

// InitializeObjectAttributes fills in p.
//
// IRQL: any
func InitializeObjectAttributes(p *OBJECT_ATTRIBUTES, n *UNICODE_STRING, a ULONG, r HANDLE, s PVOID) {
	*p = OBJECT_ATTRIBUTES{
		Length: ULONG(unsafe.Sizeof(*p)), RootDirectory: r, ObjectName: n, Attributes: a, SecurityDescriptor: s,
	}
}

// NtCurrentProcess returns the handle that stands for the caller's process.
//
// IRQL: any
func NtCurrentProcess() HANDLE { return ob.CurrentProcess }

// NtCurrentThread returns the handle that stands for the running thread.
//
// IRQL: any
func NtCurrentThread() HANDLE { return ob.CurrentThread }

// POBJECT_TYPE points to a pointer variable such as PsThreadType.
type POBJECT_TYPE = *ob.Type

// The types that ObReferenceObjectByHandle checks against.
var (
	PsThreadType      POBJECT_TYPE = ob.Describe(ob.Thread)
	ExEventObjectType POBJECT_TYPE = ob.Describe(ob.Event)
)

// OBJECT_HANDLE_INFORMATION tells about a handle.
type OBJECT_HANDLE_INFORMATION struct {
	HandleAttributes ULONG
	GrantedAccess    ACCESS_MASK
}

// ObReferenceObjectByHandle stores the object of a handle, with a reference for
// the caller to drop with ObDereferenceObject. ObjectType may be nil: any type
// will do. The access is checked for UserMode only.
//
// It returns STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH and
// STATUS_ACCESS_DENIED.
//
// IRQL: PASSIVE_LEVEL
func ObReferenceObjectByHandle(Handle HANDLE, DesiredAccess ACCESS_MASK, ObjectType POBJECT_TYPE, AccessMode KPROCESSOR_MODE, Object *PVOID, HandleInformation *OBJECT_HANDLE_INFORMATION) NTSTATUS {
	atMost(irql.Passive)
	p, granted, s := ob.ReferenceByHandle(Handle, DesiredAccess, ObjectType.Index(), AccessMode)
	if !NT_SUCCESS(s) {
		*Object = nil
		return s
	}
	*Object = p
	if HandleInformation != nil {
		*HandleInformation = OBJECT_HANDLE_INFORMATION{GrantedAccess: granted}
	}
	return s
}

// ObReferenceObject keeps an object alive.
//
// IRQL: <= DISPATCH_LEVEL
func ObReferenceObject(Object PVOID) {
	atMost(irql.Dispatch)
	ob.Reference(Object)
}

// ObReferenceObjectByPointer is ObReferenceObject for an object of the given
// type; another is STATUS_OBJECT_TYPE_MISMATCH and gets no reference.
//
// IRQL: <= DISPATCH_LEVEL
func ObReferenceObjectByPointer(Object PVOID, DesiredAccess ACCESS_MASK, ObjectType POBJECT_TYPE, AccessMode KPROCESSOR_MODE) NTSTATUS {
	atMost(irql.Dispatch)
	if ObjectType != nil && ob.TypeOf(Object) != ObjectType {
		return STATUS_OBJECT_TYPE_MISMATCH
	}
	ob.Reference(Object)
	return STATUS_SUCCESS
}

// ObDereferenceObject drops a reference; the object goes with the last one. One
// too many is bug check REFERENCE_BY_POINTER.
//
// IRQL: <= DISPATCH_LEVEL
func ObDereferenceObject(Object PVOID) {
	atMost(irql.Dispatch)
	ob.Dereference(Object)
}

// ObOpenObjectByPointer stores a new handle to an object.
//
// IRQL: <= APC_LEVEL
func ObOpenObjectByPointer(Object PVOID, HandleAttributes ULONG, PassedAccessState PVOID, DesiredAccess ACCESS_MASK, ObjectType POBJECT_TYPE, AccessMode KPROCESSOR_MODE, Handle PHANDLE) NTSTATUS {
	atMost(irql.APC)
	if ObjectType != nil && ob.TypeOf(Object) != ObjectType {
		return STATUS_OBJECT_TYPE_MISMATCH
	}
	h, ok := ob.Insert(Object, DesiredAccess)
	if !ok {
		return STATUS_INSUFFICIENT_RESOURCES
	}
	*Handle = h
	return STATUS_SUCCESS
}

// ZwClose closes a handle. One that is not open is bug check
// INVALID_KERNEL_HANDLE; 0 and the handles that stand for the caller are
// STATUS_INVALID_HANDLE.
//
// IRQL: PASSIVE_LEVEL
func ZwClose(Handle HANDLE) NTSTATUS {
	atMost(irql.Passive)
	return ob.Close(Handle, KernelMode)
}

// ObCloseHandle is ZwClose with a mode: for UserMode a handle that is not open
// is STATUS_INVALID_HANDLE.
//
// IRQL: PASSIVE_LEVEL
func ObCloseHandle(Handle HANDLE, PreviousMode KPROCESSOR_MODE) NTSTATUS {
	atMost(irql.Passive)
	return ob.Close(Handle, PreviousMode)
}

// ObIsKernelHandle reports whether a handle is the system process's.
//
// IRQL: <= APC_LEVEL
func ObIsKernelHandle(Handle HANDLE) BOOLEAN {
	atMost(irql.APC)
	return Handle.IsKernel()
}

// ZwWaitForSingleObject is KeWaitForSingleObject for a handle with SYNCHRONIZE
// access.
//
// IRQL: PASSIVE_LEVEL
func ZwWaitForSingleObject(Handle HANDLE, Alertable BOOLEAN, Timeout PLARGE_INTEGER) NTSTATUS {
	atMost(irql.Passive)
	p, _, s := ob.ReferenceByHandle(Handle, SYNCHRONIZE, 0, KernelMode)
	if !NT_SUCCESS(s) {
		return s
	}
	s = KeWaitForSingleObject(p, UserRequest, KernelMode, Alertable, Timeout)
	ob.Dereference(p)
	return s
}
