package wdk

import (
	"irqlab/apc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ob"
)

// KeSuspendThread suspends the thread once more, and returns how often it was
// suspended before. It takes effect when the thread can take a normal kernel
// APC. It raises STATUS_SUSPEND_COUNT_EXCEEDED, STATUS_THREAD_IS_TERMINATING,
// and STATUS_INVALID_THREAD for a goroutine that is not a system thread's.
//
// IRQL: <= DISPATCH_LEVEL
func KeSuspendThread(Thread PKTHREAD) ULONG {
	atMost(irql.Dispatch)
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
func KeResumeThread(Thread PKTHREAD) ULONG {
	atMost(irql.Dispatch)
	return ULONG(apc.Resume(Thread))
}

// KeForceResumeThread takes back all suspensions of the thread and returns how
// many there were.
//
// IRQL: <= DISPATCH_LEVEL
func KeForceResumeThread(Thread PKTHREAD) ULONG {
	atMost(irql.Dispatch)
	return ULONG(apc.ForceResume(Thread))
}

// PsSuspendThread is KeSuspendThread with a status in place of an exception.
// PreviousSuspendCount may be nil.
//
// IRQL: PASSIVE_LEVEL
func PsSuspendThread(Thread PETHREAD, PreviousSuspendCount *ULONG) NTSTATUS {
	atMost(irql.Passive)
	previous, s := apc.Suspend(Thread)
	if NT_SUCCESS(s) {
		storeCount(PreviousSuspendCount, ULONG(previous))
	}
	return s
}

// PsResumeThread is KeResumeThread. PreviousSuspendCount may be nil.
//
// IRQL: PASSIVE_LEVEL
func PsResumeThread(Thread PETHREAD, PreviousSuspendCount *ULONG) NTSTATUS {
	atMost(irql.Passive)
	storeCount(PreviousSuspendCount, KeResumeThread(Thread))
	return STATUS_SUCCESS
}

// NtSuspendThread is PsSuspendThread for a handle. A thread that suspends itself
// stops before it returns.
//
// IRQL: PASSIVE_LEVEL
func NtSuspendThread(ThreadHandle HANDLE, PreviousSuspendCount *ULONG) NTSTATUS {
	atMost(irql.Passive)
	t, s := threadOf(ThreadHandle, THREAD_SUSPEND_RESUME)
	if !NT_SUCCESS(s) {
		return s
	}
	s = PsSuspendThread(t, PreviousSuspendCount)
	ob.Dereference(PVOID(t))
	return s
}

// ZwSuspendThread is NtSuspendThread.
//
// IRQL: PASSIVE_LEVEL
func ZwSuspendThread(ThreadHandle HANDLE, PreviousSuspendCount *ULONG) NTSTATUS {
	return NtSuspendThread(ThreadHandle, PreviousSuspendCount)
}

// NtResumeThread is PsResumeThread for a handle.
//
// IRQL: PASSIVE_LEVEL
func NtResumeThread(ThreadHandle HANDLE, PreviousSuspendCount *ULONG) NTSTATUS {
	atMost(irql.Passive)
	t, s := threadOf(ThreadHandle, THREAD_SUSPEND_RESUME)
	if !NT_SUCCESS(s) {
		return s
	}
	s = PsResumeThread(t, PreviousSuspendCount)
	ob.Dereference(PVOID(t))
	return s
}

// ZwResumeThread is NtResumeThread.
//
// IRQL: PASSIVE_LEVEL
func ZwResumeThread(ThreadHandle HANDLE, PreviousSuspendCount *ULONG) NTSTATUS {
	return NtResumeThread(ThreadHandle, PreviousSuspendCount)
}

func storeCount(p *ULONG, n ULONG) {
	if p != nil {
		*p = n
	}
}
