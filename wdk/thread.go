package wdk

import (
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ob"
	"irqlab/thread"
)

// CLIENT_ID identifies a thread and its process.
type CLIENT_ID struct {
	UniqueProcess HANDLE
	UniqueThread  HANDLE
}

// systemProcessID is the ID of the one process there is.
const systemProcessID HANDLE = ob.SystemID

// PsCreateSystemThread makes a thread that runs StartRoutine at PASSIVE_LEVEL
// with priority 8, and stores a handle to it, to be closed with ZwClose, and its
// ID. ObjectAttributes, ProcessHandle and ClientId may be nil or 0; the thread
// belongs to the system process. A routine that returns ends its thread with
// STATUS_SUCCESS.
//
// It returns STATUS_INVALID_PARAMETER for attributes that threads can't have, which
// are OBJ_PERMANENT, OBJ_EXCLUSIVE, OBJ_OPENIF and a name, STATUS_INVALID_HANDLE
// and STATUS_OBJECT_TYPE_MISMATCH for a process that is none, and
// STATUS_INSUFFICIENT_RESOURCES.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "PsCreateSystemThread function (wdm.h)"
func PsCreateSystemThread(ThreadHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES, ProcessHandle HANDLE, ClientId *CLIENT_ID, StartRoutine PKSTART_ROUTINE, StartContext PVOID) NTSTATUS {
	atMost(irql.Passive)
	mayReach(unsafe.Pointer(ThreadHandle), unsafe.Sizeof(*ThreadHandle))
	mayReach(unsafe.Pointer(ObjectAttributes), unsafe.Sizeof(*ObjectAttributes))
	mayReach(unsafe.Pointer(ClientId), unsafe.Sizeof(*ClientId))
	attr, s := attributes(KernelMode, ObjectAttributes)
	switch {
	case !NT_SUCCESS(s):
		return s
	case attr.Flags&(OBJ_PERMANENT|OBJ_EXCLUSIVE|OBJ_OPENIF) != 0 || len(attr.Name) != 0:
		return STATUS_INVALID_PARAMETER
	}
	if ProcessHandle != 0 {
		if s := with(KernelMode, ProcessHandle, 0, PsProcessType, func(PEPROCESS) {}); !NT_SUCCESS(s) {
			return s
		}
	}
	if StartRoutine == nil || ThreadHandle == nil {
		return STATUS_INVALID_PARAMETER
	}
	// The routine may look at what the caller gets.
	open := func(t *kernel.Thread) bool {
		var h HANDLE
		if h, s = ob.Open(unsafe.Pointer(t), attr.Flags|OBJ_KERNEL_HANDLE, DesiredAccess); !NT_SUCCESS(s) {
			return false
		}
		*ThreadHandle = h
		if ClientId != nil {
			*ClientId = CLIENT_ID{systemProcessID, HANDLE(t.ID)}
		}
		return true
	}
	t, ok := thread.StartRoutine(routineName(StartRoutine), entryPoint(StartRoutine), open, func() { StartRoutine(StartContext) })
	if !ok {
		return STATUS_INSUFFICIENT_RESOURCES
	}
	t.Dereference()
	return s
}

// entryPoint returns the address of a routine's code.
func entryPoint(r PKSTART_ROUTINE) uintptr { return reflect.ValueOf(r).Pointer() }

// routineName names a thread after its routine, without the package's path.
func routineName(r PKSTART_ROUTINE) string {
	f := runtime.FuncForPC(entryPoint(r))
	if f == nil {
		return "system thread"
	}
	name := filepath.Base(f.Name())
	if _, short, ok := strings.Cut(name, "."); ok {
		name = short
	}
	return name
}

// PsTerminateSystemThread ends the running system thread with the given status.
// It returns only to a thread that is not a system thread, with
// STATUS_INVALID_PARAMETER.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "PsTerminateSystemThread function (wdm.h)"
func PsTerminateSystemThread(ExitStatus NTSTATUS) NTSTATUS {
	atMost(irql.Passive)
	return thread.Exit(ExitStatus)
}

// KeGetCurrentThread returns the running thread. For a goroutine that is not
// locked to its thread the answer may be stale at once.
//
// IRQL: any
//
// Documentation: "KeGetCurrentThread function (wdm.h)"
func KeGetCurrentThread() PKTHREAD { return kernel.Current() }

// PsGetCurrentThread is KeGetCurrentThread.
//
// IRQL: any
//
// Documentation: "PsGetCurrentThread function (wdm.h)"
func PsGetCurrentThread() PETHREAD { return kernel.Current() }

// PsGetCurrentThreadId returns the running thread's ID.
//
// IRQL: any
//
// Documentation: "PsGetCurrentThreadId function (ntddk.h)"
func PsGetCurrentThreadId() HANDLE { return HANDLE(kernel.Current().ID) }

// PsGetCurrentProcessId returns the ID of the system process.
//
// IRQL: any
//
// Documentation: "PsGetCurrentProcessId function (ntddk.h)"
func PsGetCurrentProcessId() HANDLE { return systemProcessID }

// PsGetThreadId returns a thread's ID.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "PsGetThreadId function (ntddk.h)"
func PsGetThreadId(Thread PETHREAD) HANDLE {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	return HANDLE(Thread.ID)
}

// PsIsSystemThread reports whether the thread was made by PsCreateSystemThread.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "PsIsSystemThread function (ntifs.h)"
func PsIsSystemThread(Thread PETHREAD) BOOLEAN {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	return Thread.System
}

// PsIsThreadTerminating reports whether the thread has ended or is about to.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "PsIsThreadTerminating function (ntifs.h)"
func PsIsThreadTerminating(Thread PETHREAD) BOOLEAN {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	return Thread.Ending
}

// PsGetThreadExitStatus returns what the thread ended with, or STATUS_PENDING.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "PsGetThreadExitStatus function (ntddk.h)"
func PsGetThreadExitStatus(Thread PETHREAD) NTSTATUS {
	atMostWith(irql.APC, &aThread, unsafe.Pointer(Thread))
	if Thread.Header.State() == 0 {
		return STATUS_PENDING
	}
	return Thread.ExitStatus
}

// PsLookupThreadByThreadId stores the thread with the given ID, with a reference
// for the caller, or returns STATUS_INVALID_PARAMETER.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "PsLookupThreadByThreadId function (ntifs.h)"
func PsLookupThreadByThreadId(ThreadId HANDLE, Thread *PETHREAD) NTSTATUS {
	atMost(irql.APC)
	mustReach(unsafe.Pointer(Thread), unsafe.Sizeof(*Thread))
	if ThreadId != HANDLE(uint32(ThreadId)) {
		return STATUS_INVALID_PARAMETER
	}
	a := kernel.Args{A: uintptr(ThreadId)}
	kernel.Enter(lookup, &a)
	if a.R == 0 {
		return STATUS_INVALID_PARAMETER
	}
	*Thread = PETHREAD(unsafe.Pointer(a.R))
	ob.Took(PVOID(*Thread), 1)
	return STATUS_SUCCESS
}

func lookup(a *kernel.Args) {
	old := kernel.LockDispatcher()
	if t := kernel.Lookup(uint32(a.A)); t != nil {
		t.Reference()
		a.R = uintptr(unsafe.Pointer(t)) // no pointer: kernel context has no write barrier
	}
	kernel.UnlockDispatcher(old)
}

// KeReadStateThread reports whether the thread has ended.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeReadStateThread(Thread PKTHREAD) BOOLEAN {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	return Thread.Header.State() != 0
}

// KeSetPriorityThread sets the thread's priority, 0 to 31, of which 0 counts as 1,
// and returns the one before. A variable thread above its base sinks back to it.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "KeSetPriorityThread function (wdm.h)"
func KeSetPriorityThread(Thread PKTHREAD, Priority KPRIORITY) KPRIORITY {
	atMostWith(irql.Passive, &aThread, unsafe.Pointer(Thread))
	mustTake(Priority >= LOW_PRIORITY && Priority <= HIGH_PRIORITY, uintptr(Priority))
	p := min(max(Priority, LOW_PRIORITY), HIGH_PRIORITY)
	a := kernel.Args{P: unsafe.Pointer(Thread), A: uintptr(p)}
	kernel.Enter(setPriority, &a)
	return KPRIORITY(a.R)
}

func setPriority(a *kernel.Args) { a.R = uintptr((*kernel.Thread)(a.P).SetPriority(int8(a.A))) }

// KeQueryPriorityThread returns the thread's priority.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "KeQueryPriorityThread function (wdm.h)"
func KeQueryPriorityThread(Thread PKTHREAD) KPRIORITY {
	atMostWith(irql.Passive, &aThread, unsafe.Pointer(Thread))
	return KPRIORITY(Thread.Priority)
}

// KeSetBasePriorityThread makes the thread's base priority 8 plus Increment, in
// the bounds of its class; an Increment of 16 or more, or -16 or less, means the
// end of the class. It returns the increment before.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "KeSetBasePriorityThread function (ntddk.h)"
func KeSetBasePriorityThread(Thread PKTHREAD, Increment LONG) LONG {
	atMostWith(irql.Passive, &aThread, unsafe.Pointer(Thread))
	a := kernel.Args{P: unsafe.Pointer(Thread), A: uintptr(Increment)}
	kernel.Enter(setBase, &a)
	return LONG(a.R)
}

func setBase(a *kernel.Args) { a.R = uintptr((*kernel.Thread)(a.P).SetBasePriority(int(a.A))) }
