package wdk

import (
	"math"
	"unicode/utf16"
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
	OBJ_PROTECT_CLOSE      ULONG = ob.ProtectClose
	OBJ_INHERIT            ULONG = ob.Inherit
	OBJ_PERMANENT          ULONG = ob.Permanent
	OBJ_EXCLUSIVE          ULONG = ob.Exclusive
	OBJ_CASE_INSENSITIVE   ULONG = ob.CaseInsensitive
	OBJ_OPENIF             ULONG = ob.OpenIf
	OBJ_KERNEL_HANDLE      ULONG = ob.KernelHandle
	OBJ_FORCE_ACCESS_CHECK ULONG = 0x400

	validAttributes = OBJ_INHERIT | OBJ_PERMANENT | OBJ_EXCLUSIVE | OBJ_CASE_INSENSITIVE | OBJ_OPENIF |
		OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK
)

// String returns a counted string in Go memory, as a C driver makes it of a
// literal with RTL_CONSTANT_STRING.
//
// IRQL: <= APC_LEVEL
func String(s string) *UNICODE_STRING {
	units := utf16.Encode([]rune(s))
	n := min(len(units), math.MaxUint16/2)
	return &UNICODE_STRING{Length: USHORT(2 * n), MaximumLength: USHORT(2 * n), Buffer: unsafe.SliceData(units)}
}

// String returns the string's text.
//
// IRQL: <= APC_LEVEL
func (s *UNICODE_STRING) String() string {
	if s == nil || s.Buffer == nil {
		return ""
	}
	return string(utf16.Decode(unsafe.Slice(s.Buffer, s.Length/2)))
}

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

// POBJECT_TYPE points to a type. PsThreadType and the like are of this type:
// what C code dereferences once is used as it is.
type POBJECT_TYPE = *ob.Type

// The types that ObReferenceObjectByHandle checks against.
var (
	PsThreadType          POBJECT_TYPE = ob.Describe(ob.Thread)
	PsProcessType         POBJECT_TYPE = ob.Describe(ob.Process)
	ExEventObjectType     POBJECT_TYPE = ob.Describe(ob.Event)
	ExSemaphoreObjectType POBJECT_TYPE = ob.Describe(ob.Semaphore)
	ExMutantObjectType    POBJECT_TYPE = ob.Describe(ob.Mutant)
	ExTimerObjectType     POBJECT_TYPE = ob.Describe(ob.Timer)
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
//
// Documentation: "ObReferenceObjectByHandle function (wdm.h)"
func ObReferenceObjectByHandle(Handle HANDLE, DesiredAccess ACCESS_MASK, ObjectType POBJECT_TYPE, AccessMode KPROCESSOR_MODE, Object *PVOID, HandleInformation *OBJECT_HANDLE_INFORMATION) NTSTATUS {
	atMost(irql.Passive)
	mustReach(unsafe.Pointer(Object), unsafe.Sizeof(*Object))
	mayReach(unsafe.Pointer(HandleInformation), unsafe.Sizeof(*HandleInformation))
	p, granted, s := ob.ReferenceByHandle(Handle, DesiredAccess, ObjectType.Index(), AccessMode)
	if !NT_SUCCESS(s) {
		*Object = nil
		return s
	}
	*Object = p
	ob.Took(p, 1)
	if HandleInformation != nil {
		*HandleInformation = OBJECT_HANDLE_INFORMATION{granted.Flags & (OBJ_PROTECT_CLOSE | OBJ_INHERIT), granted.Access}
	}
	return s
}

// ObReferenceObjectByHandleWithTag is ObReferenceObjectByHandle; the tag is for
// tracing references, which is not done.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ObReferenceObjectByHandleWithTag function (wdm.h)"
func ObReferenceObjectByHandleWithTag(Handle HANDLE, DesiredAccess ACCESS_MASK, ObjectType POBJECT_TYPE, AccessMode KPROCESSOR_MODE, Tag ULONG, Object *PVOID, HandleInformation *OBJECT_HANDLE_INFORMATION) NTSTATUS {
	return ObReferenceObjectByHandle(Handle, DesiredAccess, ObjectType, AccessMode, Object, HandleInformation)
}

// ObOpenObjectByPointer stores a new handle to an object of a type, which may be nil
// for KernelMode. UserMode gets no handles for the kernel.
//
// It returns STATUS_OBJECT_TYPE_MISMATCH, STATUS_INVALID_PARAMETER for attributes
// that handles can't have, STATUS_ACCESS_DENIED for an exclusive object that has
// a handle, and STATUS_INSUFFICIENT_RESOURCES.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ObOpenObjectByPointer function (ntifs.h)"
func ObOpenObjectByPointer(Object PVOID, HandleAttributes ULONG, PassedAccessState PVOID, DesiredAccess ACCESS_MASK, ObjectType POBJECT_TYPE, AccessMode KPROCESSOR_MODE, Handle PHANDLE) NTSTATUS {
	atMost(irql.APC)
	mustReach(unsafe.Pointer(Handle), unsafe.Sizeof(*Handle))
	if HandleAttributes&^validAttributes != 0 {
		return STATUS_INVALID_PARAMETER
	}
	if !isOfType(Object, ObjectType, AccessMode) {
		return STATUS_OBJECT_TYPE_MISMATCH
	}
	if AccessMode == UserMode {
		HandleAttributes &^= OBJ_KERNEL_HANDLE
	}
	h, s := ob.Open(Object, HandleAttributes, DesiredAccess)
	if NT_SUCCESS(s) {
		*Handle = h
	}
	return s
}

// ObMakeTemporaryObject lets a permanent object go with its last handle, at once
// if it has none.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ObMakeTemporaryObject function (ntifs.h)"
func ObMakeTemporaryObject(Object PVOID) {
	atMost(irql.APC)
	ob.MakeTemporary(Object)
}

// OBJECT_NAME_INFORMATION is what ObQueryNameString fills in; the characters
// follow it.
type OBJECT_NAME_INFORMATION struct {
	Name UNICODE_STRING
}

// ObQueryNameString stores an object's full name, with a terminating zero; an
// object without one has an empty name. ReturnLength is the number of bytes
// needed; fewer are STATUS_INFO_LENGTH_MISMATCH.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ObQueryNameString function (ntifs.h)"
func ObQueryNameString(Object PVOID, ObjectNameInfo *OBJECT_NAME_INFORMATION, Length ULONG, ReturnLength PULONG) NTSTATUS {
	atMost(irql.APC)
	mustReach(unsafe.Pointer(ObjectNameInfo), unsafe.Sizeof(*ObjectNameInfo))
	mustReach(unsafe.Pointer(ReturnLength), unsafe.Sizeof(*ReturnLength))
	const head = ULONG(unsafe.Sizeof(OBJECT_NAME_INFORMATION{}))
	var text []uint16
	if Length > head {
		text = unsafe.Slice((*uint16)(unsafe.Add(unsafe.Pointer(ObjectNameInfo), head)), (Length-head)/2)
	}
	n := ob.Name(Object, text)
	*ReturnLength = head
	if n > 0 {
		*ReturnLength += ULONG(n+1) * 2
	}
	if Length < *ReturnLength {
		return STATUS_INFO_LENGTH_MISMATCH
	}
	if n == 0 {
		ObjectNameInfo.Name = UNICODE_STRING{}
		return STATUS_SUCCESS
	}
	text[n] = 0
	ObjectNameInfo.Name = UNICODE_STRING{USHORT(n * 2), USHORT(n*2 + 2), unsafe.SliceData(text)}
	return STATUS_SUCCESS
}
