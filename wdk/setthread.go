package wdk

import (
	"unsafe"

	"irqlab/irql"
)

// THREADINFOCLASS says what ZwSetInformationThread sets.
type THREADINFOCLASS int32

const (
	ThreadPriority     THREADINFOCLASS = 2 // KPRIORITY, 1 to 31
	ThreadBasePriority THREADINFOCLASS = 3 // LONG, -2 to 2, or 16 or -16 for the ends of the class
	ThreadAffinityMask THREADINFOCLASS = 4 // KAFFINITY
)

// Bounds of ThreadBasePriority (THREAD_BASE_PRIORITY_*).
const (
	baseIncrement = 2
	baseSaturates = 16
)

// ZwSetInformationThread sets something of the thread of a handle: its priority,
// base priority or affinity.
//
// It returns STATUS_INFO_LENGTH_MISMATCH unless the length is that of the value,
// STATUS_INVALID_PARAMETER for a value that is not allowed,
// STATUS_INVALID_INFO_CLASS for other classes, STATUS_INVALID_HANDLE and
// STATUS_OBJECT_TYPE_MISMATCH.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ZwSetInformationThread function (ntddk.h)"
func ZwSetInformationThread(ThreadHandle HANDLE, ThreadInformationClass THREADINFOCLASS, ThreadInformation PVOID, ThreadInformationLength ULONG) NTSTATUS {
	passiveWithAPCs()
	return setInformationThread(KernelMode, ThreadHandle, ThreadInformationClass, ThreadInformation, ThreadInformationLength)
}

// NtSetInformationThread is ZwSetInformationThread for the previous mode: for
// UserMode the handle must have THREAD_SET_INFORMATION, else STATUS_ACCESS_DENIED.
//
// IRQL: PASSIVE_LEVEL
func NtSetInformationThread(ThreadHandle HANDLE, ThreadInformationClass THREADINFOCLASS, ThreadInformation PVOID, ThreadInformationLength ULONG) NTSTATUS {
	return setInformationThread(KeGetPreviousMode(), ThreadHandle, ThreadInformationClass, ThreadInformation, ThreadInformationLength)
}

func setInformationThread(mode KPROCESSOR_MODE, h HANDLE, class THREADINFOCLASS, p PVOID, length ULONG) NTSTATUS {
	atMost(irql.Passive)
	switch class {
	case ThreadPriority:
		return setThread(mode, h, p, length, func(v KPRIORITY) BOOLEAN {
			return v > LOW_PRIORITY && v <= HIGH_PRIORITY
		}, func(t PKTHREAD, v KPRIORITY) { KeSetPriorityThread(t, v) })
	case ThreadBasePriority:
		return setThread(mode, h, p, length, func(v LONG) BOOLEAN {
			return v >= -baseIncrement && v <= baseIncrement || v == baseSaturates || v == -baseSaturates
		}, func(t PKTHREAD, v LONG) { KeSetBasePriorityThread(t, v) })
	case ThreadAffinityMask:
		active := KeQueryActiveProcessors()
		return setThread(mode, h, p, length, func(v KAFFINITY) BOOLEAN {
			return v != 0 && v&^active == 0
		}, func(t PKTHREAD, v KAFFINITY) { KeSetAffinityThread(t, v) })
	}
	return STATUS_INVALID_INFO_CLASS
}

// setThread sets one value, if it is allowed.
func setThread[T any](mode KPROCESSOR_MODE, h HANDLE, p PVOID, length ULONG, allowed func(T) BOOLEAN, set func(PKTHREAD, T)) NTSTATUS {
	if uintptr(length) != unsafe.Sizeof(*new(T)) {
		return STATUS_INFO_LENGTH_MISMATCH
	}
	v, s := read(mode, (*T)(p))
	if !NT_SUCCESS(s) {
		return s
	}
	if !allowed(v) {
		return STATUS_INVALID_PARAMETER
	}
	return with(mode, h, THREAD_SET_INFORMATION, PsThreadType, func(t PKTHREAD) { set(t, v) })
}
