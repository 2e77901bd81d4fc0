package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
)

// KeAlertThread ends the thread's wait if that is alertable and AlertMode
// reaches it: KernelMode ends any, UserMode UserMode waits only. Otherwise the
// alert is remembered for the thread's next alertable wait. It reports whether
// one of that mode was remembered already.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeAlertThread(Thread PKTHREAD, AlertMode KPROCESSOR_MODE) BOOLEAN {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	mustTake(AlertMode <= UserMode, uintptr(AlertMode))
	a := kernel.Args{P: unsafe.Pointer(Thread), A: uintptr(AlertMode)}
	kernel.Enter(alert, &a)
	return a.R != 0
}

func alert(a *kernel.Args) { a.R = truth(kernel.Alert((*kernel.Thread)(a.P), kernel.Mode(a.A))) }

// KeTestAlertThread reports whether an alert of the mode was remembered for the
// running thread, and forgets it. For UserMode without one, it lets the thread's
// user APCs in.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeTestAlertThread(AlertMode KPROCESSOR_MODE) BOOLEAN {
	atMost(irql.Dispatch)
	mustTake(AlertMode <= UserMode, uintptr(AlertMode))
	a := kernel.Args{A: uintptr(AlertMode)}
	kernel.Enter(testAlert, &a)
	return a.R != 0
}

func testAlert(a *kernel.Args) { a.R = truth(kernel.TestAlert(kernel.Mode(a.A))) }

// KeAlertResumeThread alerts the thread for KernelMode and takes back one
// suspension. It returns how many there were.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeAlertResumeThread(Thread PKTHREAD) ULONG {
	mustBe(&aThread, unsafe.Pointer(Thread))
	KeAlertThread(Thread, KernelMode)
	return KeResumeThread(Thread)
}

// NtAlertThread is KeAlertThread, for the previous mode, of the thread of a handle.
// For UserMode the handle must have THREAD_ALERT, else STATUS_ACCESS_DENIED.
//
// It returns STATUS_INVALID_HANDLE and STATUS_OBJECT_TYPE_MISMATCH.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtAlertThread(ThreadHandle HANDLE) NTSTATUS {
	return alertThread(KeGetPreviousMode(), ThreadHandle)
}

// ZwAlertThread is NtAlertThread for the kernel.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func ZwAlertThread(ThreadHandle HANDLE) NTSTATUS {
	passiveWithAPCs()
	return alertThread(KernelMode, ThreadHandle)
}

func alertThread(mode KPROCESSOR_MODE, h HANDLE) NTSTATUS {
	return with(mode, h, THREAD_ALERT, PsThreadType, func(t PKTHREAD) { KeAlertThread(t, mode) })
}

// NtAlertResumeThread is KeAlertResumeThread for the thread of a handle, for the
// previous mode: for UserMode it must have THREAD_SUSPEND_RESUME.
// PreviousSuspendCount may be nil. Statuses are those of NtAlertThread.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtAlertResumeThread(ThreadHandle HANDLE, PreviousSuspendCount *ULONG) NTSTATUS {
	atMost(irql.Passive)
	mode := KeGetPreviousMode()
	if s := probeOptional(mode, PreviousSuspendCount); !NT_SUCCESS(s) {
		return s
	}
	return with(mode, ThreadHandle, THREAD_SUSPEND_RESUME, PsThreadType, func(t PKTHREAD) {
		store(PreviousSuspendCount, KeAlertResumeThread(t))
	})
}

// NtTestAlert returns STATUS_ALERTED if an alert for the previous mode was
// remembered, which it forgets, else STATUS_SUCCESS. For UserMode it lets user APCs
// in.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtTestAlert() NTSTATUS {
	atMost(irql.Passive)
	if KeTestAlertThread(KeGetPreviousMode()) {
		return STATUS_ALERTED
	}
	return STATUS_SUCCESS
}
