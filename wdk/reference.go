package wdk

import (
	"irqlab/irql"
	"irqlab/ob"
)

// ObReferenceObject keeps an object alive. An address that is none of an object
// is bug check REFERENCE_BY_POINTER.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ObReferenceObject function (wdm.h)"
func ObReferenceObject(Object PVOID) {
	atMost(irql.Dispatch)
	ob.Reference(Object)
	ob.Took(Object, 1)
}

// ObfReferenceObject is ObReferenceObject. The documentation reserves what it
// returns; here it returns nothing.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ObfReferenceObject function (wdm.h)"
func ObfReferenceObject(Object PVOID) { ObReferenceObject(Object) }

// ObReferenceObjectWithTag is ObReferenceObject; the tag is for tracing
// references, which is not done.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ObReferenceObjectWithTag function (wdm.h)"
func ObReferenceObjectWithTag(Object PVOID, Tag ULONG) { ObReferenceObject(Object) }

// ObReferenceObjectSafe is ObReferenceObject for an object that may be about to
// be deleted: it returns false then.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ObReferenceObjectSafe function (wdm.h)"
func ObReferenceObjectSafe(Object PVOID) BOOLEAN {
	atMost(irql.Dispatch)
	if !ob.ReferenceSafe(Object) {
		return false
	}
	ob.Took(Object, 1)
	return true
}

// ObReferenceObjectByPointer is ObReferenceObject for an object of the given
// type; another is STATUS_OBJECT_TYPE_MISMATCH and gets no reference. ObjectType may
// be nil for KernelMode. Windows looks at it for UserMode only; a driver that names
// a type means it, so it is looked at for KernelMode too.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ObReferenceObjectByPointer function (wdm.h)"
func ObReferenceObjectByPointer(Object PVOID, DesiredAccess ACCESS_MASK, ObjectType POBJECT_TYPE, AccessMode KPROCESSOR_MODE) NTSTATUS {
	atMost(irql.Dispatch)
	if !isOfType(Object, ObjectType, AccessMode) {
		return STATUS_OBJECT_TYPE_MISMATCH
	}
	ob.Reference(Object)
	ob.Took(Object, 1)
	return STATUS_SUCCESS
}

// isOfType reports whether an object is of a type, which only the kernel may leave
// open.
func isOfType(object PVOID, t POBJECT_TYPE, mode KPROCESSOR_MODE) bool {
	return t == nil && mode == KernelMode || ob.TypeOf(object) == t
}

// ObReferenceObjectByPointerWithTag is ObReferenceObjectByPointer.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ObReferenceObjectByPointerWithTag function (wdm.h)"
func ObReferenceObjectByPointerWithTag(Object PVOID, DesiredAccess ACCESS_MASK, ObjectType POBJECT_TYPE, AccessMode KPROCESSOR_MODE, Tag ULONG) NTSTATUS {
	return ObReferenceObjectByPointer(Object, DesiredAccess, ObjectType, AccessMode)
}

// ObDereferenceObject drops a reference; the object goes with the last one, at
// once. One too many is bug check REFERENCE_BY_POINTER.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ObDereferenceObject function (wdm.h)"
func ObDereferenceObject(Object PVOID) {
	atMost(irql.Dispatch)
	ob.Took(Object, -1)
	ob.Dereference(Object)
}

// ObfDereferenceObject is ObDereferenceObject.
//
// IRQL: <= DISPATCH_LEVEL
func ObfDereferenceObject(Object PVOID) { ObDereferenceObject(Object) }

// ObDereferenceObjectWithTag is ObDereferenceObject.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ObDereferenceObjectWithTag function (wdm.h)"
func ObDereferenceObjectWithTag(Object PVOID, Tag ULONG) { ObDereferenceObject(Object) }

// ObDereferenceObjectDeferDelete is ObDereferenceObject for a caller that holds
// locks: with the last reference a worker thread deletes the object, at
// PASSIVE_LEVEL.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ObDereferenceObjectDeferDelete function (wdm.h)"
func ObDereferenceObjectDeferDelete(Object PVOID) {
	atMost(irql.Dispatch)
	ob.Took(Object, -1)
	ob.DereferenceLater(Object)
}

// ObDereferenceObjectDeferDeleteWithTag is ObDereferenceObjectDeferDelete.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ObDereferenceObjectDeferDeleteWithTag function (wdm.h)"
func ObDereferenceObjectDeferDeleteWithTag(Object PVOID, Tag ULONG) {
	ObDereferenceObjectDeferDelete(Object)
}
