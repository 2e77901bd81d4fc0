package wdk

import (
	"slices"
	"sync"
	"unsafe"

	"irqlab/irql"
)

// PCREATE_PROCESS_NOTIFY_ROUTINE is told of a process that was created or ends,
// in a critical region.
//
// IRQL: PASSIVE_LEVEL
type PCREATE_PROCESS_NOTIFY_ROUTINE = func(ParentId, ProcessId HANDLE, Create BOOLEAN)

// maxProcessNotify bounds the registered routines.
const maxProcessNotify = 64

// processNotify has the func values of the registered routines. None is ever
// called: the system process is there before anybody can register, stays, and
// remains the only one.
var processNotify struct {
	sync.Mutex
	routines []uintptr
}

// PsSetCreateProcessNotifyRoutine registers a routine, or with Remove ends its
// registration. There is one process, which neither begins nor ends, so the
// routine is never called, and may be nil.
//
// It returns STATUS_INVALID_PARAMETER for a routine that is registered already or
// is one too many, and STATUS_PROCEDURE_NOT_FOUND for one to be removed that is
// not registered.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "PsSetCreateProcessNotifyRoutine function (ntddk.h)"
func PsSetCreateProcessNotifyRoutine(NotifyRoutine PCREATE_PROCESS_NOTIFY_ROUTINE, Remove BOOLEAN) NTSTATUS {
	atMost(irql.Passive)
	key := *(*uintptr)(unsafe.Pointer(&NotifyRoutine))
	processNotify.Lock()
	defer processNotify.Unlock()
	i := slices.Index(processNotify.routines, key)
	switch {
	case Remove && i < 0:
		return STATUS_PROCEDURE_NOT_FOUND
	case Remove:
		processNotify.routines = slices.Delete(processNotify.routines, i, i+1)
	case i >= 0 || len(processNotify.routines) == maxProcessNotify:
		return STATUS_INVALID_PARAMETER
	default:
		processNotify.routines = append(processNotify.routines, key)
	}
	return STATUS_SUCCESS
}
