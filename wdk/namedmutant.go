package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ob"
	"irqlab/sync"
)

// Rights for mutants.
const (
	MUTANT_QUERY_STATE ACCESS_MASK = ob.QueryState
	MUTANT_ALL_ACCESS  ACCESS_MASK = 0x1F_0001
)

// ZwCreateMutant makes a mutant, which is the caller's if InitialOwner is set, and
// stores a handle to it. Names and statuses are as with ZwCreateEvent; a mutant
// that is opened is not acquired. A goroutine that is not locked to its thread
// can't be the owner: STATUS_INVALID_THREAD.
//
// IRQL: PASSIVE_LEVEL
func ZwCreateMutant(MutantHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES, InitialOwner BOOLEAN) NTSTATUS {
	passiveWithAPCs()
	return createMutant(KernelMode, MutantHandle, DesiredAccess, ObjectAttributes, InitialOwner)
}

// NtCreateMutant is ZwCreateMutant for the previous mode.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtCreateMutant(MutantHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES, InitialOwner BOOLEAN) NTSTATUS {
	return createMutant(KeGetPreviousMode(), MutantHandle, DesiredAccess, ObjectAttributes, InitialOwner)
}

func createMutant(mode KPROCESSOR_MODE, h PHANDLE, access ACCESS_MASK, a *OBJECT_ATTRIBUTES, owned BOOLEAN) NTSTATUS {
	atMost(irql.Passive)
	if owned && !kernel.RunsLocked() {
		return STATUS_INVALID_THREAD
	}
	return create(mode, h, access, a, ExMutantObjectType, unsafe.Sizeof(KMUTANT{}), func(body PVOID) {
		KeInitializeMutant(PKMUTANT(body), owned)
	})
}

// ZwOpenMutant stores a handle to the mutant that has the name. Statuses are those
// of ZwOpenEvent.
//
// IRQL: PASSIVE_LEVEL
func ZwOpenMutant(MutantHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES) NTSTATUS {
	passiveWithAPCs()
	return open(KernelMode, MutantHandle, DesiredAccess, ObjectAttributes, ExMutantObjectType)
}

// NtOpenMutant is ZwOpenMutant for the previous mode.
//
// IRQL: PASSIVE_LEVEL
func NtOpenMutant(MutantHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES) NTSTATUS {
	return open(KeGetPreviousMode(), MutantHandle, DesiredAccess, ObjectAttributes, ExMutantObjectType)
}

// ZwReleaseMutant is KeReleaseMutant for the mutant of a handle, with a status in
// place of an exception. PreviousCount may be nil.
//
// It returns STATUS_MUTANT_NOT_OWNED, or STATUS_ABANDONED if the last owner ended
// without a release, STATUS_INVALID_HANDLE and STATUS_OBJECT_TYPE_MISMATCH.
//
// IRQL: PASSIVE_LEVEL
func ZwReleaseMutant(MutantHandle HANDLE, PreviousCount PLONG) NTSTATUS {
	passiveWithAPCs()
	return releaseMutant(KernelMode, MutantHandle, PreviousCount)
}

// NtReleaseMutant is ZwReleaseMutant for the previous mode: for UserMode the handle
// must have MUTANT_QUERY_STATE, else STATUS_ACCESS_DENIED.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtReleaseMutant(MutantHandle HANDLE, PreviousCount PLONG) NTSTATUS {
	return releaseMutant(KeGetPreviousMode(), MutantHandle, PreviousCount)
}

func releaseMutant(mode KPROCESSOR_MODE, h HANDLE, previous PLONG) NTSTATUS {
	atMost(irql.Passive)
	if s := probeOptional(mode, previous); !NT_SUCCESS(s) {
		return s
	}
	var released NTSTATUS
	s := with(mode, h, MUTANT_QUERY_STATE, ExMutantObjectType, func(m PKMUTANT) {
		var count LONG
		if count, released = m.TryRelease(); released == STATUS_SUCCESS {
			store(previous, count)
		}
	})
	if !NT_SUCCESS(s) {
		return s
	}
	return released
}

// MUTANT_INFORMATION_CLASS says what NtQueryMutant tells.
type MUTANT_INFORMATION_CLASS int32

// MutantBasicInformation is MUTANT_BASIC_INFORMATION.
const MutantBasicInformation MUTANT_INFORMATION_CLASS = 0

// MUTANT_BASIC_INFORMATION is a mutant's count, and whose it is.
type MUTANT_BASIC_INFORMATION struct {
	CurrentCount   LONG
	OwnedByCaller  BOOLEAN
	AbandonedState BOOLEAN
}

// ZwQueryMutant stores the count of the mutant of a handle, whether it is the
// caller's, and whether it was abandoned. Statuses are those of ZwQueryEvent.
//
// IRQL: PASSIVE_LEVEL
func ZwQueryMutant(MutantHandle HANDLE, MutantInformationClass MUTANT_INFORMATION_CLASS, MutantInformation PVOID, MutantInformationLength ULONG, ReturnLength PULONG) NTSTATUS {
	passiveWithAPCs()
	return query(KernelMode, MutantHandle, ExMutantObjectType, int32(MutantInformationClass), MutantInformation, MutantInformationLength, ReturnLength, describeMutant)
}

// NtQueryMutant is ZwQueryMutant for the previous mode: for UserMode the handle
// must have MUTANT_QUERY_STATE, else STATUS_ACCESS_DENIED.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtQueryMutant(MutantHandle HANDLE, MutantInformationClass MUTANT_INFORMATION_CLASS, MutantInformation PVOID, MutantInformationLength ULONG, ReturnLength PULONG) NTSTATUS {
	return query(KeGetPreviousMode(), MutantHandle, ExMutantObjectType, int32(MutantInformationClass), MutantInformation, MutantInformationLength, ReturnLength, describeMutant)
}

func describeMutant(m PKMUTANT) MUTANT_BASIC_INFORMATION {
	count, owned, abandoned := m.Query()
	return MUTANT_BASIC_INFORMATION{count, owned, abandoned}
}

// KeReleaseMutant is KeReleaseMutex for a mutant. Increment lifts the priority of
// the next owner in Windows; here that is MUTANT_INCREMENT. With Abandoned the
// mutant becomes free whoever owns it, and its next owner is told so. Wait is
// KeReleaseMutex's in either case.
//
// It raises STATUS_MUTANT_NOT_OWNED, or STATUS_ABANDONED.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL with Wait
//
// Documentation: "KeReleaseMutant function (ntifs.h)"
func KeReleaseMutant(Mutant PKMUTANT, Increment KPRIORITY, Abandoned, Wait BOOLEAN) LONG {
	if !Abandoned {
		return KeReleaseMutex(Mutant, Wait)
	}
	mustBe(&aMutant, unsafe.Pointer(Mutant))
	if Wait {
		atMost(irql.APC)
		return (*sync.Mutex)(Mutant).AbandonBeforeWait()
	}
	atMost(irql.Dispatch)
	return (*sync.Mutex)(Mutant).Abandon()
}

// KeReadStateMutant is KeReadStateMutex.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeReadStateMutant function (ntifs.h)"
func KeReadStateMutant(Mutant PKMUTANT) LONG { return KeReadStateMutex(Mutant) }
