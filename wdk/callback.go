package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/ob"
	"irqlab/sync"
)

type (
	// CALLBACK_OBJECT has routines registered with it.
	CALLBACK_OBJECT  = sync.Callback
	PCALLBACK_OBJECT = *CALLBACK_OBJECT

	// PCALLBACK_FUNCTION is called by ExNotifyCallback: resident code if that is
	// called at DISPATCH_LEVEL.
	//
	// IRQL: <= DISPATCH_LEVEL
	PCALLBACK_FUNCTION = sync.CallbackRoutine
)

// ExCreateCallback opens the callback object of a name or, with Create, makes one
// if there is none, and stores it with a reference, to be dropped with
// ObDereferenceObject. Without a name, which attributes need not have, the object
// is new. A name stays only if the attributes have OBJ_PERMANENT.
//
// It returns STATUS_UNSUCCESSFUL for an object without a name that is not to be
// created, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH,
// STATUS_INSUFFICIENT_RESOURCES, and the statuses of names of ZwCreateEvent.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExCreateCallback function (wdm.h)"
func ExCreateCallback(CallbackObject *PCALLBACK_OBJECT, ObjectAttributes *OBJECT_ATTRIBUTES, Create, AllowMultipleCallbacks BOOLEAN) NTSTATUS {
	atMost(irql.APC)
	mustReach(unsafe.Pointer(CallbackObject), unsafe.Sizeof(*CallbackObject))
	mayReach(unsafe.Pointer(ObjectAttributes), unsafe.Sizeof(*ObjectAttributes))
	a, s := attributes(KernelMode, ObjectAttributes)
	if !NT_SUCCESS(s) {
		return s
	}
	if len(a.Name) == 0 && !Create {
		return STATUS_UNSUCCESSFUL
	}
	a.Flags |= OBJ_KERNEL_HANDLE | OBJ_OPENIF
	var h HANDLE
	if Create {
		body := ob.Create(ob.CallbackObject, unsafe.Sizeof(CALLBACK_OBJECT{}))
		if body == nil {
			return STATUS_INSUFFICIENT_RESOURCES
		}
		PCALLBACK_OBJECT(body).Init(AllowMultipleCallbacks)
		h, s = ob.Insert(body, &a, 0, KernelMode)
	} else {
		h, s = ob.OpenNamed(ob.CallbackObject, &a, 0, KernelMode)
	}
	if !NT_SUCCESS(s) {
		return s
	}
	body, _, s := ob.ReferenceByHandle(h, 0, ob.CallbackObject, KernelMode)
	ob.Close(h, KernelMode)
	if NT_SUCCESS(s) {
		*CallbackObject = PCALLBACK_OBJECT(body)
		ob.Took(body, 1)
	}
	return s
}

// ExRegisterCallback adds a routine and returns its registration, for
// ExUnregisterCallback, or nil: there is no memory, or a routine already where
// only one is allowed. The registration references the object.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExRegisterCallback function (wdm.h)"
func ExRegisterCallback(CallbackObject PCALLBACK_OBJECT, CallbackFunction PCALLBACK_FUNCTION, CallbackContext PVOID) PVOID {
	atMostWith(irql.APC, &aCallback, unsafe.Pointer(CallbackObject))
	mustCall(CallbackFunction)
	ob.Reference(PVOID(CallbackObject))
	r := CallbackObject.Register(CallbackFunction, CallbackContext)
	if r == nil {
		ob.Dereference(PVOID(CallbackObject))
		return nil
	}
	hold(unsafe.Pointer(r), CallbackFunction, CallbackContext)
	return PVOID(r)
}

// ExUnregisterCallback removes a routine and returns when it is not called any
// more. The routine must not do that itself.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExUnregisterCallback function (wdm.h)"
func ExUnregisterCallback(CallbackRegistration PVOID) {
	atMostWith(irql.APC, &aRegistration, CallbackRegistration)
	r := (*sync.Registration)(CallbackRegistration)
	c := r.Callback()
	r.Unregister()
	ob.Dereference(PVOID(c))
}

// ExNotifyCallback calls the registered routines, in the order of their
// registration, at the caller's level.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExNotifyCallback function (wdm.h)"
func ExNotifyCallback(CallbackObject PVOID, Argument1, Argument2 PVOID) {
	atMostWith(irql.Dispatch, &aCallback, CallbackObject)
	PCALLBACK_OBJECT(CallbackObject).Notify(Argument1, Argument2)
}
