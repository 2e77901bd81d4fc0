package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/ob"
	"irqlab/registry"
)

// OB_OPERATION is a set of operations on handles.
type OB_OPERATION = ob.Operation

const (
	OB_OPERATION_HANDLE_CREATE    = ob.CreateHandle
	OB_OPERATION_HANDLE_DUPLICATE = ob.DuplicateHandle
)

// OB_FLT_REGISTRATION_VERSION is the Version of OB_CALLBACK_REGISTRATION.
const OB_FLT_REGISTRATION_VERSION USHORT = 0x100

// OB_PREOP_CALLBACK_STATUS is what a pre-operation callback returns.
type OB_PREOP_CALLBACK_STATUS int32

const OB_PREOP_SUCCESS OB_PREOP_CALLBACK_STATUS = 0

// OB_PRE_CREATE_HANDLE_INFORMATION is the access of a handle about to be made. A
// callback may take rights out of DesiredAccess, unless the handle is for the
// kernel.
type OB_PRE_CREATE_HANDLE_INFORMATION struct {
	DesiredAccess         ACCESS_MASK
	OriginalDesiredAccess ACCESS_MASK
}

// OB_PRE_DUPLICATE_HANDLE_INFORMATION is the same of a duplicate.
type OB_PRE_DUPLICATE_HANDLE_INFORMATION struct {
	DesiredAccess         ACCESS_MASK
	OriginalDesiredAccess ACCESS_MASK
	SourceProcess         PEPROCESS
	TargetProcess         PEPROCESS
}

// OB_PRE_OPERATION_PARAMETERS has what goes with the operation. In C it is a union
// of structures that begin alike; here Create is the beginning of Duplicate.
type OB_PRE_OPERATION_PARAMETERS struct {
	DuplicateHandleInformation OB_PRE_DUPLICATE_HANDLE_INFORMATION
}

// CreateHandleInformation is the union's other member.
func (p *OB_PRE_OPERATION_PARAMETERS) CreateHandleInformation() *OB_PRE_CREATE_HANDLE_INFORMATION {
	return (*OB_PRE_CREATE_HANDLE_INFORMATION)(unsafe.Pointer(p))
}

// OB_PRE_OPERATION_INFORMATION is a handle about to be made.
type OB_PRE_OPERATION_INFORMATION struct {
	Operation    OB_OPERATION
	KernelHandle BOOLEAN // bit 0 of Flags
	Object       PVOID
	ObjectType   POBJECT_TYPE
	CallContext  PVOID // for the post-operation callback
	Parameters   *OB_PRE_OPERATION_PARAMETERS
}

// OB_POST_OPERATION_PARAMETERS is the access that a new handle has.
type OB_POST_OPERATION_PARAMETERS struct {
	GrantedAccess ACCESS_MASK
}

// OB_POST_OPERATION_INFORMATION is a handle that has been made, or could not be.
type OB_POST_OPERATION_INFORMATION struct {
	Operation    OB_OPERATION
	KernelHandle BOOLEAN
	Object       PVOID
	ObjectType   POBJECT_TYPE
	CallContext  PVOID
	ReturnStatus NTSTATUS
	Parameters   *OB_POST_OPERATION_PARAMETERS
}

// Callbacks on handles, ordinary Go. What they get is theirs until they return.
//
// IRQL: PASSIVE_LEVEL
type (
	POB_PRE_OPERATION_CALLBACK  = func(RegistrationContext PVOID, OperationInformation *OB_PRE_OPERATION_INFORMATION) OB_PREOP_CALLBACK_STATUS
	POB_POST_OPERATION_CALLBACK = func(RegistrationContext PVOID, OperationInformation *OB_POST_OPERATION_INFORMATION)
)

// OB_OPERATION_REGISTRATION asks for callbacks on handles of one type, which is
// PsProcessType or PsThreadType.
type OB_OPERATION_REGISTRATION struct {
	ObjectType    POBJECT_TYPE
	Operations    OB_OPERATION
	PreOperation  POB_PRE_OPERATION_CALLBACK
	PostOperation POB_POST_OPERATION_CALLBACK
}

// OB_CALLBACK_REGISTRATION asks for several. The callbacks of the highest Altitude,
// a decimal number, are called first before an operation and last after it.
type OB_CALLBACK_REGISTRATION struct {
	Version                    USHORT
	OperationRegistrationCount USHORT
	Altitude                   UNICODE_STRING
	RegistrationContext        PVOID
	OperationRegistration      []OB_OPERATION_REGISTRATION
}

// ObGetFilterVersion returns the version that ObRegisterCallbacks wants.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ObGetFilterVersion function (wdm.h)"
func ObGetFilterVersion() USHORT { return OB_FLT_REGISTRATION_VERSION }

// ObRegisterCallbacks has callbacks called whenever a handle to a process or a
// thread is made or duplicated, and stores what ObUnRegisterCallbacks takes.
//
// It returns STATUS_FLT_INSTANCE_ALTITUDE_COLLISION if the altitude is taken,
// STATUS_INVALID_PARAMETER for a version, altitude, type or operation that does not
// exist or a registration that asks for nothing, and
// STATUS_INSUFFICIENT_RESOURCES.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ObRegisterCallbacks function (wdm.h)"
func ObRegisterCallbacks(CallbackRegistration *OB_CALLBACK_REGISTRATION, RegistrationHandle *PVOID) NTSTATUS {
	atMost(irql.APC)
	mustReach(unsafe.Pointer(CallbackRegistration), unsafe.Sizeof(*CallbackRegistration))
	mustReach(unsafe.Pointer(RegistrationHandle), unsafe.Sizeof(*RegistrationHandle))
	c := CallbackRegistration
	n := int(c.OperationRegistrationCount)
	if c.Version != OB_FLT_REGISTRATION_VERSION || n == 0 || n > len(c.OperationRegistration) || n > ob.MaxCallbacks {
		return STATUS_INVALID_PARAMETER
	}
	for _, o := range c.OperationRegistration[:n] {
		if o.ObjectType != PsProcessType && o.ObjectType != PsThreadType ||
			o.Operations == 0 || o.Operations&^(OB_OPERATION_HANDLE_CREATE|OB_OPERATION_HANDLE_DUPLICATE) != 0 ||
			o.PreOperation == nil && o.PostOperation == nil {
			return STATUS_INVALID_PARAMETER
		}
	}
	r, s := ob.NewRegistration(unsafe.Slice(c.Altitude.Buffer, c.Altitude.Length/2))
	if s != ntstatus.Success {
		return s
	}
	r.Context = c.RegistrationContext
	registry.Hold(unsafe.Pointer(&r.Context), nil, c.RegistrationContext)
	for i, o := range c.OperationRegistration[:n] {
		b := &r.Callbacks[i]
		b.Type, b.Operations = o.ObjectType.Index(), o.Operations
		keepCallback(&b.Before, before(o.PreOperation))
		keepCallback(&b.After, after(o.PostOperation))
	}
	if s := r.Register(); s != ntstatus.Success {
		r.Discard()
		return s
	}
	*RegistrationHandle = PVOID(r)
	return STATUS_SUCCESS
}

// keepCallback stores a callback, which is nil for none, and keeps it alive.
func keepCallback(word *uintptr, fn ob.Notify) {
	if fn != nil {
		*word = *(*uintptr)(unsafe.Pointer(&fn))
		registry.Hold(unsafe.Pointer(word), *(*unsafe.Pointer)(unsafe.Pointer(&fn)), nil)
	}
}

func before(routine POB_PRE_OPERATION_CALLBACK) ob.Notify {
	if routine == nil {
		return nil
	}
	return func(context PVOID, c *ob.Change) {
		p := OB_PRE_OPERATION_PARAMETERS{OB_PRE_DUPLICATE_HANDLE_INFORMATION{DesiredAccess: c.Access, OriginalDesiredAccess: c.Original}}
		if c.Operation == ob.DuplicateHandle {
			p.DuplicateHandleInformation.SourceProcess, p.DuplicateHandleInformation.TargetProcess = ob.System(), ob.System()
		}
		i := OB_PRE_OPERATION_INFORMATION{c.Operation, c.Kernel, c.Body, c.Type, nil, &p}
		routine(context, &i)
		c.Access, c.CallContext = p.DuplicateHandleInformation.DesiredAccess, i.CallContext
	}
}

func after(routine POB_POST_OPERATION_CALLBACK) ob.Notify {
	if routine == nil {
		return nil
	}
	return func(context PVOID, c *ob.Change) {
		i := OB_POST_OPERATION_INFORMATION{c.Operation, c.Kernel, c.Body, c.Type, c.CallContext, c.Status, nil}
		if NT_SUCCESS(c.Status) {
			i.Parameters = &OB_POST_OPERATION_PARAMETERS{c.Access}
		}
		routine(context, &i)
	}
}

// ObUnRegisterCallbacks ends what ObRegisterCallbacks began. When it returns no
// callback is being called, nor will be.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ObUnRegisterCallbacks function (wdm.h)"
func ObUnRegisterCallbacks(RegistrationHandle PVOID) {
	atMostWith(irql.APC, &anObRegistered, RegistrationHandle)
	if r := (*ob.Registration)(RegistrationHandle); r.Unregister() {
		r.Discard()
	}
}
