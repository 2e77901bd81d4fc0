package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ob"
)

// KeAlertThread ends the thread's wait if that is alertable and AlertMode
// reaches it: KernelMode ends any, UserMode UserMode waits only. Otherwise the
// alert is remembered for the thread's next alertable wait. It reports whether
// one of that mode was remembered already.
//
// IRQL: <= DISPATCH_LEVEL
func KeAlertThread(Thread PKTHREAD, AlertMode KPROCESSOR_MODE) BOOLEAN {
	atMost(irql.Dispatch)
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
func KeTestAlertThread(AlertMode KPROCESSOR_MODE) BOOLEAN {
	atMost(irql.Dispatch)
	a := kernel.Args{A: uintptr(AlertMode)}
	kernel.Enter(testAlert, &a)
	return a.R != 0
}

func testAlert(a *kernel.Args) { a.R = truth(kernel.TestAlert(kernel.Mode(a.A))) }

// KeAlertResumeThread alerts the thread for KernelMode and takes back one
// suspension. It returns how many there were.
//
// IRQL: <= DISPATCH_LEVEL
func KeAlertResumeThread(Thread PKTHREAD) ULONG {
	KeAlertThread(Thread, KernelMode)
	return KeResumeThread(Thread)
}

// NtAlertThread is KeAlertThread for a handle.
//
// IRQL: PASSIVE_LEVEL
func NtAlertThread(ThreadHandle HANDLE) NTSTATUS {
	atMost(irql.Passive)
	t, s := threadOf(ThreadHandle, THREAD_ALERT)
	if !NT_SUCCESS(s) {
		return s
	}
	KeAlertThread(t, KernelMode)
	ob.Dereference(PVOID(t))
	return STATUS_SUCCESS
}

// ZwAlertThread is NtAlertThread.
//
// IRQL: PASSIVE_LEVEL
func ZwAlertThread(ThreadHandle HANDLE) NTSTATUS { return NtAlertThread(ThreadHandle) }

// NtAlertResumeThread is KeAlertResumeThread for a handle. PreviousSuspendCount
// may be nil.
//
// IRQL: PASSIVE_LEVEL
func NtAlertResumeThread(ThreadHandle HANDLE, PreviousSuspendCount *ULONG) NTSTATUS {
	atMost(irql.Passive)
	t, s := threadOf(ThreadHandle, THREAD_SUSPEND_RESUME)
	if !NT_SUCCESS(s) {
		return s
	}
	storeCount(PreviousSuspendCount, KeAlertResumeThread(t))
	ob.Dereference(PVOID(t))
	return STATUS_SUCCESS
}

// NtTestAlert returns STATUS_ALERTED if a UserMode alert was remembered, which
// it forgets, else STATUS_SUCCESS, and lets user APCs in.
//
// IRQL: PASSIVE_LEVEL
func NtTestAlert() NTSTATUS {
	atMost(irql.Passive)
	if KeTestAlertThread(UserMode) {
		return STATUS_ALERTED
	}
	return STATUS_SUCCESS
}

// threadOf returns the thread of a handle, with a reference.
func threadOf(h HANDLE, access ACCESS_MASK) (PKTHREAD, NTSTATUS) {
	p, _, s := ob.ReferenceByHandle(h, access, ob.Thread, KernelMode)
	return PKTHREAD(p), s
}
