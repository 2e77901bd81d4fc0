package wdk

import (
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ob"
)

// Processes. There is one, the system's.
type (
	EPROCESS   = ob.SystemProcess
	PEPROCESS  = *EPROCESS
	PKPROCESS  = *EPROCESS
	PRKPROCESS = *EPROCESS
)

// Rights for processes.
const (
	PROCESS_TERMINATE  ACCESS_MASK = 0x0001
	PROCESS_DUP_HANDLE ACCESS_MASK = 0x0040
	PROCESS_ALL_ACCESS ACCESS_MASK = 0x1F_FFFF
)

// PsInitialSystemProcess is the system process.
var PsInitialSystemProcess PEPROCESS = ob.System()

// IoGetCurrentProcess returns the process of the running thread.
//
// IRQL: any
//
// Documentation: "IoGetCurrentProcess function (wdm.h)"
func IoGetCurrentProcess() PEPROCESS { return ob.System() }

// PsGetCurrentProcess is IoGetCurrentProcess.
//
// IRQL: any
func PsGetCurrentProcess() PEPROCESS { return ob.System() }

// IoThreadToProcess returns the process of a thread.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoThreadToProcess function (ntifs.h)"
func IoThreadToProcess(Thread PETHREAD) PEPROCESS {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	return ob.System()
}

// PsGetProcessId returns a process's ID.
//
// IRQL: any
//
// Documentation: "PsGetProcessId function (ntddk.h)"
func PsGetProcessId(Process PEPROCESS) HANDLE {
	mustBe(&aProcess, unsafe.Pointer(Process))
	return HANDLE(Process.ID)
}

// PsGetThreadProcessId returns the ID of a thread's process.
//
// IRQL: any
//
// Documentation: "PsGetThreadProcessId function (ntddk.h)"
func PsGetThreadProcessId(Thread PETHREAD) HANDLE {
	mustBe(&aThread, unsafe.Pointer(Thread))
	return systemProcessID
}

// PsGetProcessExitStatus returns what a process ended with, or STATUS_PENDING.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "PsGetProcessExitStatus function (ntddk.h)"
func PsGetProcessExitStatus(Process PEPROCESS) NTSTATUS {
	atMostWith(irql.APC, &aProcess, unsafe.Pointer(Process))
	return STATUS_PENDING
}

// PsLookupProcessByProcessId stores the process with the given ID, with a reference
// for the caller, or returns STATUS_INVALID_CID.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "PsLookupProcessByProcessId function (ntifs.h)"
func PsLookupProcessByProcessId(ProcessId HANDLE, Process *PEPROCESS) NTSTATUS {
	atMost(irql.APC)
	mustReach(unsafe.Pointer(Process), unsafe.Sizeof(*Process))
	if ProcessId != systemProcessID {
		return STATUS_INVALID_CID
	}
	p := ob.System()
	ob.Reference(PVOID(p))
	ob.Took(PVOID(p), 1)
	*Process = p
	return STATUS_SUCCESS
}

// ZwOpenProcess stores a handle to the process of a client ID, whose thread, if not
// 0, must be one of it.
//
// It returns STATUS_INVALID_CID, STATUS_INVALID_PARAMETER_MIX without a client ID
// or for attributes with a name, STATUS_INVALID_PARAMETER and
// STATUS_INSUFFICIENT_RESOURCES.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ZwOpenProcess function (ntddk.h)"
func ZwOpenProcess(ProcessHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES, ClientId *CLIENT_ID) NTSTATUS {
	passiveWithAPCs()
	return openProcess(KernelMode, ProcessHandle, DesiredAccess, ObjectAttributes, ClientId)
}

// NtOpenProcess is ZwOpenProcess for the previous mode.
//
// IRQL: PASSIVE_LEVEL
func NtOpenProcess(ProcessHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES, ClientId *CLIENT_ID) NTSTATUS {
	return openProcess(KeGetPreviousMode(), ProcessHandle, DesiredAccess, ObjectAttributes, ClientId)
}

func openProcess(mode KPROCESSOR_MODE, h PHANDLE, access ACCESS_MASK, p *OBJECT_ATTRIBUTES, client *CLIENT_ID) NTSTATUS {
	atMost(irql.Passive)
	if s := probe(mode, h); !NT_SUCCESS(s) {
		return s
	}
	a, s := attributes(mode, p)
	if !NT_SUCCESS(s) {
		return s
	}
	if client == nil || a.Name != nil {
		return STATUS_INVALID_PARAMETER_MIX
	}
	id, s := read(mode, client)
	if !NT_SUCCESS(s) {
		return s
	}
	if id.UniqueThread != 0 {
		var t PETHREAD
		if s := PsLookupThreadByThreadId(id.UniqueThread, &t); !NT_SUCCESS(s) {
			return STATUS_INVALID_CID
		}
		ob.Dereference(PVOID(t))
	}
	var process PEPROCESS
	if s := PsLookupProcessByProcessId(id.UniqueProcess, &process); !NT_SUCCESS(s) {
		return s
	}
	made, s := ob.Open(PVOID(process), a.Flags, access)
	ob.Dereference(PVOID(process))
	if NT_SUCCESS(s) {
		*h = made
	}
	return s
}

// ZwTerminateProcess returns STATUS_ACCESS_DENIED for a handle to the system
// process, which can't be terminated, and there is no other;
// STATUS_INVALID_HANDLE and STATUS_OBJECT_TYPE_MISMATCH for what is none.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ZwTerminateProcess function (ntddk.h)"
func ZwTerminateProcess(ProcessHandle HANDLE, ExitStatus NTSTATUS) NTSTATUS {
	passiveWithAPCs()
	return refuseToEnd[EPROCESS](KernelMode, ProcessHandle, NtCurrentProcess(), PROCESS_TERMINATE, PsProcessType)
}

// NtTerminateProcess is ZwTerminateProcess for the previous mode.
//
// IRQL: PASSIVE_LEVEL
func NtTerminateProcess(ProcessHandle HANDLE, ExitStatus NTSTATUS) NTSTATUS {
	return refuseToEnd[EPROCESS](KeGetPreviousMode(), ProcessHandle, NtCurrentProcess(), PROCESS_TERMINATE, PsProcessType)
}

// NtTerminateThread returns STATUS_ACCESS_DENIED: every thread belongs to the
// system process, and such threads only end themselves, with
// PsTerminateSystemThread. It returns STATUS_INVALID_HANDLE and
// STATUS_OBJECT_TYPE_MISMATCH for what is no thread; 0 is the running one.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtTerminateThread(ThreadHandle HANDLE, ExitStatus NTSTATUS) NTSTATUS {
	return refuseToEnd[KTHREAD](KeGetPreviousMode(), ThreadHandle, NtCurrentThread(), THREAD_TERMINATE, PsThreadType)
}

// ZwTerminateThread is NtTerminateThread for the kernel.
//
// IRQL: PASSIVE_LEVEL
func ZwTerminateThread(ThreadHandle HANDLE, ExitStatus NTSTATUS) NTSTATUS {
	passiveWithAPCs()
	return refuseToEnd[KTHREAD](KernelMode, ThreadHandle, NtCurrentThread(), THREAD_TERMINATE, PsThreadType)
}

func refuseToEnd[T any](mode KPROCESSOR_MODE, h, zero HANDLE, access ACCESS_MASK, t POBJECT_TYPE) NTSTATUS {
	if h == 0 {
		h = zero
	}
	if s := with(mode, h, access, t, func(*T) {}); !NT_SUCCESS(s) {
		return s
	}
	return STATUS_ACCESS_DENIED
}

// KAPC_STATE is what KeStackAttachProcess keeps for KeUnstackDetachProcess. In
// Windows it also keeps the thread's APC queues; a thread that attaches to its own
// process, the only one, goes on with those it has.
type KAPC_STATE struct {
	ApcListHead       [2]LIST_ENTRY
	Process           PKPROCESS
	InProgressFlags   UCHAR
	KernelApcPending  BOOLEAN
	UserApcPendingAll BOOLEAN
	_                 [5]byte
}

// PRKAPC_STATE points to one.
type PRKAPC_STATE = *KAPC_STATE

var _ = [1]byte{}[unsafe.Sizeof(KAPC_STATE{})-48]

// KeStackAttachProcess has the running thread use the memory of a process until
// KeUnstackDetachProcess. There is one process, so it does. In a DPC routine it is
// bug check INVALID_PROCESS_ATTACH_ATTEMPT.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeStackAttachProcess function (ntifs.h)"
func KeStackAttachProcess(PROCESS PRKPROCESS, ApcState PRKAPC_STATE) {
	mustBe(&aProcess, unsafe.Pointer(PROCESS))
	mustReach(unsafe.Pointer(ApcState), unsafe.Sizeof(*ApcState))
	if dpc.Executing() {
		bugcheck.Stop(bugcheck.InvalidProcessAttach, uintptr(unsafe.Pointer(PROCESS)), uintptr(unsafe.Pointer(ob.System())), 0, 1)
	}
	atMost(irql.APC)
	*ApcState = KAPC_STATE{Process: PROCESS}
}

// KeUnstackDetachProcess undoes KeStackAttachProcess. Without one it is bug check
// INVALID_PROCESS_DETACH_ATTEMPT.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeUnstackDetachProcess function (ntifs.h)"
func KeUnstackDetachProcess(ApcState PRKAPC_STATE) {
	atMost(irql.APC)
	mustReach(unsafe.Pointer(ApcState), unsafe.Sizeof(*ApcState))
	if ApcState.Process == nil {
		bugcheck.Stop(bugcheck.InvalidProcessDetach, uintptr(unsafe.Pointer(ApcState)), uintptr(unsafe.Pointer(kernel.Current())), 0, 0)
	}
	ApcState.Process = nil
}

// KeAttachProcess is the obsolete form of KeStackAttachProcess.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeAttachProcess function (ntifs.h)"
func KeAttachProcess(Process PRKPROCESS) {
	mustBe(&aProcess, unsafe.Pointer(Process))
	var state KAPC_STATE
	KeStackAttachProcess(Process, &state)
}

// KeDetachProcess undoes KeAttachProcess; without one it does nothing.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeDetachProcess function (ntifs.h)"
func KeDetachProcess() { atMost(irql.APC) }
