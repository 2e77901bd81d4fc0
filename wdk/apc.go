package wdk

import (
	"unsafe"

	"irqlab/apc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/list"
	"irqlab/pool"
)

// APCs.
type (
	KAPC   = kernel.APC
	PKAPC  = *KAPC
	PRKAPC = *KAPC

	// PKKERNEL_ROUTINE is an APC's kernel routine: resident code. It may free
	// the APC or insert it again, and change what is behind its other
	// parameters.
	//
	// IRQL: APC_LEVEL
	PKKERNEL_ROUTINE = kernel.KernelRoutine

	// PKNORMAL_ROUTINE is an APC's normal routine: ordinary Go, in the middle of
	// what its thread does.
	//
	// IRQL: PASSIVE_LEVEL
	PKNORMAL_ROUTINE = kernel.NormalRoutine

	// PKRUNDOWN_ROUTINE is called for an APC whose thread ends: resident code.
	//
	// IRQL: PASSIVE_LEVEL
	PKRUNDOWN_ROUTINE = kernel.RundownRoutine
)

// KAPC_ENVIRONMENT says in which process an APC runs. There is one process.
type KAPC_ENVIRONMENT int32

const (
	OriginalApcEnvironment KAPC_ENVIRONMENT = 0
	AttachedApcEnvironment KAPC_ENVIRONMENT = 1
	CurrentApcEnvironment  KAPC_ENVIRONMENT = 2
	InsertApcEnvironment   KAPC_ENVIRONMENT = 3
)

// KeInitializeApc makes Apc an APC for a thread: a special kernel APC without a
// NormalRoutine, whatever ApcMode says, else a normal kernel or a user APC.
// Without a RundownRoutine, an APC whose thread ends is freed.
// Closures, and a context on the Go heap, stay alive as long as the object.
//
// IRQL: any
//
// Documentation: none of its own.
func KeInitializeApc(Apc PRKAPC, Thread PKTHREAD, Environment KAPC_ENVIRONMENT, KernelRoutine PKKERNEL_ROUTINE, RundownRoutine PKRUNDOWN_ROUTINE, NormalRoutine PKNORMAL_ROUTINE, ApcMode KPROCESSOR_MODE, NormalContext PVOID) {
	mayBecome(&anAPC, unsafe.Pointer(Apc))
	mustBe(&aThread, unsafe.Pointer(Thread))
	mustCall(KernelRoutine)
	mustTake(NormalRoutine == nil || ApcMode <= UserMode, uintptr(ApcMode))
	apc.Init(Apc, Thread, KernelRoutine, RundownRoutine, NormalRoutine, ApcMode, NormalContext)
}

// KeInsertQueueApc queues the APC and reports whether it did: not if it is in a
// queue already, nor if its thread takes no APCs, because it is about to end or,
// for APCs with a normal routine, because it is no system thread. A user APC
// that ends a wait gives its thread Increment as a boost.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeInsertQueueApc(Apc PRKAPC, SystemArgument1, SystemArgument2 PVOID, Increment KPRIORITY) BOOLEAN {
	atMostWith(irql.Dispatch, &anAPC, unsafe.Pointer(Apc))
	return apc.Insert(Apc, SystemArgument1, SystemArgument2, int8(Increment))
}

// KeRemoveQueueApc takes the APC out of its queue and reports whether it was in
// one.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeRemoveQueueApc(Apc PRKAPC) BOOLEAN {
	atMostWith(irql.Dispatch, &anAPC, unsafe.Pointer(Apc))
	return apc.Remove(Apc)
}

// KeFlushQueueApc empties the thread's queue of a mode. It returns the entry of
// the first APC, whose list has no head, or nil.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeFlushQueueApc(Thread PKTHREAD, PreviousMode KPROCESSOR_MODE) PLIST_ENTRY {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	mustTake(PreviousMode <= UserMode, uintptr(PreviousMode))
	return (*list.Entry)(apc.Flush(Thread, PreviousMode))
}

// NtQueueApcThread queues a user APC to the thread of a handle, which calls
// ApcRoutine with the three arguments, for the previous mode: for UserMode the
// handle must have THREAD_SET_CONTEXT, else STATUS_ACCESS_DENIED.
//
// A thread made by PsCreateSystemThread has no user mode and is
// STATUS_INVALID_HANDLE; one that is about to end, or that is no kernel thread for
// good, STATUS_UNSUCCESSFUL. It also returns STATUS_INVALID_PARAMETER without an
// ApcRoutine, STATUS_NO_MEMORY and STATUS_OBJECT_TYPE_MISMATCH.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtQueueApcThread(ThreadHandle HANDLE, ApcRoutine PKNORMAL_ROUTINE, NormalContext, SystemArgument1, SystemArgument2 PVOID) NTSTATUS {
	return queueAPC(KeGetPreviousMode(), ThreadHandle, ApcRoutine, NormalContext, SystemArgument1, SystemArgument2)
}

// ZwQueueApcThread is NtQueueApcThread for the kernel.
//
// IRQL: PASSIVE_LEVEL
func ZwQueueApcThread(ThreadHandle HANDLE, ApcRoutine PKNORMAL_ROUTINE, NormalContext, SystemArgument1, SystemArgument2 PVOID) NTSTATUS {
	passiveWithAPCs()
	return queueAPC(KernelMode, ThreadHandle, ApcRoutine, NormalContext, SystemArgument1, SystemArgument2)
}

func queueAPC(mode KPROCESSOR_MODE, h HANDLE, routine PKNORMAL_ROUTINE, context, arg1, arg2 PVOID) NTSTATUS {
	if routine == nil { // the APC would be a special one, which calls nothing
		return STATUS_INVALID_PARAMETER
	}
	var queued NTSTATUS
	s := with(mode, h, THREAD_SET_CONTEXT, PsThreadType, func(t PKTHREAD) {
		if t.System {
			queued = STATUS_INVALID_HANDLE
			return
		}
		a := PKAPC(pool.Alloc(unsafe.Sizeof(KAPC{}), apcTag))
		if a == nil {
			queued = STATUS_NO_MEMORY
			return
		}
		apc.Init(a, t, freeAPC, runDownAPC, routine, UserMode, context)
		if !apc.Insert(a, arg1, arg2, 0) {
			pool.Free(unsafe.Pointer(a), apcTag)
			queued = STATUS_UNSUCCESSFUL
		}
	})
	if !NT_SUCCESS(s) {
		return s
	}
	return queued
}

const apcTag pool.Tag = 'P' | 's'<<8 | 'a'<<16 | 'p'<<24

func freeAPC(a PKAPC, _ *PKNORMAL_ROUTINE, _, _, _ *PVOID) { runDownAPC(a) }

func runDownAPC(a PKAPC) { pool.Free(unsafe.Pointer(a), apcTag) }
