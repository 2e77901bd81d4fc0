package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/ob"
)

// Rights for semaphores.
const (
	SEMAPHORE_QUERY_STATE  ACCESS_MASK = ob.QueryState
	SEMAPHORE_MODIFY_STATE ACCESS_MASK = ob.ModifyState
	SEMAPHORE_ALL_ACCESS   ACCESS_MASK = 0x1F_0003
)

// ZwCreateSemaphore makes a semaphore and stores a handle to it. Names and
// statuses are as with ZwCreateEvent; STATUS_INVALID_PARAMETER also unless
// 0 <= InitialCount <= MaximumCount and MaximumCount > 0.
//
// IRQL: PASSIVE_LEVEL
func ZwCreateSemaphore(SemaphoreHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES, InitialCount, MaximumCount LONG) NTSTATUS {
	passiveWithAPCs()
	return createSemaphore(KernelMode, SemaphoreHandle, DesiredAccess, ObjectAttributes, InitialCount, MaximumCount)
}

// NtCreateSemaphore is ZwCreateSemaphore for the previous mode.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtCreateSemaphore(SemaphoreHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES, InitialCount, MaximumCount LONG) NTSTATUS {
	return createSemaphore(KeGetPreviousMode(), SemaphoreHandle, DesiredAccess, ObjectAttributes, InitialCount, MaximumCount)
}

func createSemaphore(mode KPROCESSOR_MODE, h PHANDLE, access ACCESS_MASK, a *OBJECT_ATTRIBUTES, count, limit LONG) NTSTATUS {
	atMost(irql.Passive)
	if limit <= 0 || count < 0 || count > limit {
		return STATUS_INVALID_PARAMETER
	}
	return create(mode, h, access, a, ExSemaphoreObjectType, unsafe.Sizeof(KSEMAPHORE{}), func(body PVOID) {
		KeInitializeSemaphore(PKSEMAPHORE(body), count, limit)
	})
}

// ZwOpenSemaphore stores a handle to the semaphore that has the name. Statuses are
// those of ZwOpenEvent.
//
// IRQL: PASSIVE_LEVEL
func ZwOpenSemaphore(SemaphoreHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES) NTSTATUS {
	passiveWithAPCs()
	return open(KernelMode, SemaphoreHandle, DesiredAccess, ObjectAttributes, ExSemaphoreObjectType)
}

// NtOpenSemaphore is ZwOpenSemaphore for the previous mode.
//
// IRQL: PASSIVE_LEVEL
func NtOpenSemaphore(SemaphoreHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES) NTSTATUS {
	return open(KeGetPreviousMode(), SemaphoreHandle, DesiredAccess, ObjectAttributes, ExSemaphoreObjectType)
}

// ZwReleaseSemaphore is KeReleaseSemaphore with SEMAPHORE_INCREMENT for the
// semaphore of a handle, with a status in place of an exception. PreviousCount may
// be nil.
//
// It returns STATUS_INVALID_PARAMETER for a count that is not above zero,
// STATUS_SEMAPHORE_LIMIT_EXCEEDED, STATUS_INVALID_HANDLE and
// STATUS_OBJECT_TYPE_MISMATCH.
//
// IRQL: PASSIVE_LEVEL
func ZwReleaseSemaphore(SemaphoreHandle HANDLE, ReleaseCount LONG, PreviousCount PLONG) NTSTATUS {
	passiveWithAPCs()
	return releaseSemaphore(KernelMode, SemaphoreHandle, ReleaseCount, PreviousCount)
}

// NtReleaseSemaphore is ZwReleaseSemaphore for the previous mode: for UserMode the
// handle must have SEMAPHORE_MODIFY_STATE, else STATUS_ACCESS_DENIED.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtReleaseSemaphore(SemaphoreHandle HANDLE, ReleaseCount LONG, PreviousCount PLONG) NTSTATUS {
	return releaseSemaphore(KeGetPreviousMode(), SemaphoreHandle, ReleaseCount, PreviousCount)
}

func releaseSemaphore(mode KPROCESSOR_MODE, h HANDLE, n LONG, previous PLONG) NTSTATUS {
	atMost(irql.Passive)
	if n <= 0 {
		return STATUS_INVALID_PARAMETER
	}
	if s := probeOptional(mode, previous); !NT_SUCCESS(s) {
		return s
	}
	var released NTSTATUS
	s := with(mode, h, SEMAPHORE_MODIFY_STATE, ExSemaphoreObjectType, func(k PKSEMAPHORE) {
		var count LONG
		if count, released = k.TryRelease(SEMAPHORE_INCREMENT, n); released == STATUS_SUCCESS {
			store(previous, count)
		}
	})
	if !NT_SUCCESS(s) {
		return s
	}
	return released
}

// SEMAPHORE_INFORMATION_CLASS says what NtQuerySemaphore tells.
type SEMAPHORE_INFORMATION_CLASS int32

// SemaphoreBasicInformation is SEMAPHORE_BASIC_INFORMATION.
const SemaphoreBasicInformation SEMAPHORE_INFORMATION_CLASS = 0

// SEMAPHORE_BASIC_INFORMATION is a semaphore's count and limit.
type SEMAPHORE_BASIC_INFORMATION struct {
	CurrentCount LONG
	MaximumCount LONG
}

// ZwQuerySemaphore stores the count and the limit of the semaphore of a handle.
// Statuses are those of ZwQueryEvent.
//
// IRQL: PASSIVE_LEVEL
func ZwQuerySemaphore(SemaphoreHandle HANDLE, SemaphoreInformationClass SEMAPHORE_INFORMATION_CLASS, SemaphoreInformation PVOID, SemaphoreInformationLength ULONG, ReturnLength PULONG) NTSTATUS {
	passiveWithAPCs()
	return query(KernelMode, SemaphoreHandle, ExSemaphoreObjectType, int32(SemaphoreInformationClass), SemaphoreInformation, SemaphoreInformationLength, ReturnLength, describeSemaphore)
}

// NtQuerySemaphore is ZwQuerySemaphore for the previous mode: for UserMode the
// handle must have SEMAPHORE_QUERY_STATE, else STATUS_ACCESS_DENIED.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtQuerySemaphore(SemaphoreHandle HANDLE, SemaphoreInformationClass SEMAPHORE_INFORMATION_CLASS, SemaphoreInformation PVOID, SemaphoreInformationLength ULONG, ReturnLength PULONG) NTSTATUS {
	return query(KeGetPreviousMode(), SemaphoreHandle, ExSemaphoreObjectType, int32(SemaphoreInformationClass), SemaphoreInformation, SemaphoreInformationLength, ReturnLength, describeSemaphore)
}

func describeSemaphore(k PKSEMAPHORE) SEMAPHORE_BASIC_INFORMATION {
	return SEMAPHORE_BASIC_INFORMATION{KeReadStateSemaphore(k), k.Limit}
}
