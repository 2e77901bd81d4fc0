package wdk

import (
	"unsafe"

	"irqlab/apc"
	"irqlab/irql"
	"irqlab/kernel"
)

// KeSuspendThread suspends the thread once more, and returns how often it was
// suspended before. It takes effect when the thread can take a normal kernel
// APC. It raises STATUS_SUSPEND_COUNT_EXCEEDED, STATUS_THREAD_IS_TERMINATING,
// and STATUS_INVALID_THREAD for a goroutine that is not a system thread's.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeSuspendThread(Thread PKTHREAD) ULONG {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	previous, s := apc.Suspend(Thread)
	if !NT_SUCCESS(s) {
		kernel.RaiseStatus(s)
	}
	return ULONG(previous)
}

// KeResumeThread takes back one suspension of the thread and returns how many
// there were; with the last one it runs again.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeResumeThread(Thread PKTHREAD) ULONG {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	return ULONG(apc.Resume(Thread))
}

// KeForceResumeThread takes back all suspensions of the thread and returns how
// many there were.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeForceResumeThread(Thread PKTHREAD) ULONG {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	return ULONG(apc.ForceResume(Thread))
}

// PsSuspendThread is KeSuspendThread with a status in place of an exception.
// PreviousSuspendCount may be nil.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func PsSuspendThread(Thread PETHREAD, PreviousSuspendCount *ULONG) NTSTATUS {
	atMostWith(irql.Passive, &aThread, unsafe.Pointer(Thread))
	mayReach(unsafe.Pointer(PreviousSuspendCount), unsafe.Sizeof(*PreviousSuspendCount))
	previous, s := apc.Suspend(Thread)
	if NT_SUCCESS(s) {
		store(PreviousSuspendCount, ULONG(previous))
	}
	return s
}

// PsResumeThread is KeResumeThread. PreviousSuspendCount may be nil.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func PsResumeThread(Thread PETHREAD, PreviousSuspendCount *ULONG) NTSTATUS {
	atMostWith(irql.Passive, &aThread, unsafe.Pointer(Thread))
	mayReach(unsafe.Pointer(PreviousSuspendCount), unsafe.Sizeof(*PreviousSuspendCount))
	store(PreviousSuspendCount, KeResumeThread(Thread))
	return STATUS_SUCCESS
}

// NtSuspendThread is PsSuspendThread for the thread of a handle, for the previous
// mode: for UserMode the handle must have THREAD_SUSPEND_RESUME, else
// STATUS_ACCESS_DENIED. A thread that suspends itself stops before it returns.
//
// It returns the statuses of PsSuspendThread, STATUS_INVALID_HANDLE and
// STATUS_OBJECT_TYPE_MISMATCH.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtSuspendThread(ThreadHandle HANDLE, PreviousSuspendCount *ULONG) NTSTATUS {
	return changeSuspension(KeGetPreviousMode(), ThreadHandle, PreviousSuspendCount, PsSuspendThread)
}

// ZwSuspendThread is NtSuspendThread for the kernel.
//
// IRQL: PASSIVE_LEVEL
func ZwSuspendThread(ThreadHandle HANDLE, PreviousSuspendCount *ULONG) NTSTATUS {
	passiveWithAPCs()
	return changeSuspension(KernelMode, ThreadHandle, PreviousSuspendCount, PsSuspendThread)
}

// NtResumeThread is PsResumeThread for the thread of a handle; see NtSuspendThread.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtResumeThread(ThreadHandle HANDLE, PreviousSuspendCount *ULONG) NTSTATUS {
	return changeSuspension(KeGetPreviousMode(), ThreadHandle, PreviousSuspendCount, PsResumeThread)
}

// ZwResumeThread is NtResumeThread for the kernel.
//
// IRQL: PASSIVE_LEVEL
func ZwResumeThread(ThreadHandle HANDLE, PreviousSuspendCount *ULONG) NTSTATUS {
	passiveWithAPCs()
	return changeSuspension(KernelMode, ThreadHandle, PreviousSuspendCount, PsResumeThread)
}

func changeSuspension(mode KPROCESSOR_MODE, h HANDLE, previous *ULONG, change func(PETHREAD, *ULONG) NTSTATUS) NTSTATUS {
	atMost(irql.Passive)
	if s := probeOptional(mode, previous); !NT_SUCCESS(s) {
		return s
	}
	var changed NTSTATUS
	s := with(mode, h, THREAD_SUSPEND_RESUME, PsThreadType, func(t PKTHREAD) { changed = change(t, previous) })
	if !NT_SUCCESS(s) {
		return s
	}
	return changed
}
