package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/ob"
)

// ZwClose closes a handle; a named object goes with the last one, unless it is
// permanent. A handle that is not open, or that is protected, is bug check
// INVALID_KERNEL_HANDLE; 0 and the handles that stand for the caller are
// STATUS_INVALID_HANDLE.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ZwClose function (wdm.h)"
func ZwClose(Handle HANDLE) NTSTATUS {
	passiveWithAPCs()
	return ObCloseHandle(Handle, KernelMode)
}

// NtClose is ZwClose for the previous mode. For UserMode a handle that is not
// open, or that is for the kernel, is STATUS_INVALID_HANDLE, and one that is
// protected STATUS_HANDLE_NOT_CLOSABLE.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "NtClose function (ntifs.h)"
func NtClose(Handle HANDLE) NTSTATUS { return ObCloseHandle(Handle, KeGetPreviousMode()) }

// ObCloseHandle is ZwClose for KernelMode; for UserMode see NtClose.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ObCloseHandle function (wdm.h)"
func ObCloseHandle(Handle HANDLE, PreviousMode KPROCESSOR_MODE) NTSTATUS {
	atMost(irql.Passive)
	return ob.Close(Handle, PreviousMode)
}

// ObIsKernelHandle reports whether a handle is one for the kernel.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ObIsKernelHandle function (ntifs.h)"
func ObIsKernelHandle(Handle HANDLE) BOOLEAN {
	atMost(irql.APC)
	return Handle.IsKernel()
}

// OBJECT_HANDLE_FLAG_INFORMATION is what ObSetHandleAttributes changes.
type OBJECT_HANDLE_FLAG_INFORMATION struct {
	Inherit          BOOLEAN
	ProtectFromClose BOOLEAN
}

// ObSetHandleAttributes changes whether a handle can be closed.
//
// It returns STATUS_INVALID_HANDLE.
//
// IRQL: PASSIVE_LEVEL
func ObSetHandleAttributes(Handle HANDLE, HandleFlags *OBJECT_HANDLE_FLAG_INFORMATION, PreviousMode KPROCESSOR_MODE) NTSTATUS {
	atMost(irql.Passive)
	mustReach(unsafe.Pointer(HandleFlags), unsafe.Sizeof(*HandleFlags))
	var flags ULONG
	if HandleFlags.Inherit {
		flags |= OBJ_INHERIT
	}
	if HandleFlags.ProtectFromClose {
		flags |= OBJ_PROTECT_CLOSE
	}
	return ob.SetFlags(Handle, flags, PreviousMode)
}

// Options of ZwDuplicateObject.
const (
	DUPLICATE_CLOSE_SOURCE    ULONG = ob.CloseSource
	DUPLICATE_SAME_ACCESS     ULONG = ob.SameAccess
	DUPLICATE_SAME_ATTRIBUTES ULONG = ob.SameAttributes
)

// ZwDuplicateObject stores another handle to the object of SourceHandle. Both
// processes are the one there is. Without a TargetHandle it only closes the
// source, if the options say so.
//
// It returns STATUS_INVALID_HANDLE and STATUS_OBJECT_TYPE_MISMATCH for any of the
// three handles, STATUS_INVALID_PARAMETER, and STATUS_INSUFFICIENT_RESOURCES.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ZwDuplicateObject function (ntifs.h)"
func ZwDuplicateObject(SourceProcessHandle, SourceHandle, TargetProcessHandle HANDLE, TargetHandle PHANDLE, DesiredAccess ACCESS_MASK, HandleAttributes, Options ULONG) NTSTATUS {
	passiveWithAPCs()
	return duplicate(KernelMode, SourceProcessHandle, SourceHandle, TargetProcessHandle, TargetHandle, DesiredAccess, HandleAttributes, Options)
}

// NtDuplicateObject is ZwDuplicateObject for the previous mode; UserMode gets no
// more access than the source has, else STATUS_ACCESS_DENIED.
//
// IRQL: PASSIVE_LEVEL
func NtDuplicateObject(SourceProcessHandle, SourceHandle, TargetProcessHandle HANDLE, TargetHandle PHANDLE, DesiredAccess ACCESS_MASK, HandleAttributes, Options ULONG) NTSTATUS {
	return duplicate(KeGetPreviousMode(), SourceProcessHandle, SourceHandle, TargetProcessHandle, TargetHandle, DesiredAccess, HandleAttributes, Options)
}

func duplicate(mode KPROCESSOR_MODE, from, source, to HANDLE, target PHANDLE, access ACCESS_MASK, flags, options ULONG) NTSTATUS {
	atMost(irql.Passive)
	if flags&^(OBJ_PROTECT_CLOSE|OBJ_INHERIT|OBJ_KERNEL_HANDLE) != 0 ||
		options&^(DUPLICATE_CLOSE_SOURCE|DUPLICATE_SAME_ACCESS|DUPLICATE_SAME_ATTRIBUTES) != 0 {
		return STATUS_INVALID_PARAMETER
	}
	if s := probeOptional(mode, target); !NT_SUCCESS(s) {
		return s
	}
	for _, p := range [...]HANDLE{from, to} {
		if s := with(mode, p, PROCESS_DUP_HANDLE, PsProcessType, func(PEPROCESS) {}); !NT_SUCCESS(s) {
			return s
		}
	}
	if target == nil {
		if options&DUPLICATE_CLOSE_SOURCE == 0 {
			return STATUS_INVALID_PARAMETER
		}
		return ob.Close(source, mode)
	}
	h, s := ob.Duplicate(source, flags, access, options, mode)
	if NT_SUCCESS(s) {
		*target = h
	}
	return s
}

// Rights for directories.
const (
	DIRECTORY_QUERY         ACCESS_MASK = 0x0001
	DIRECTORY_TRAVERSE      ACCESS_MASK = 0x0002
	DIRECTORY_CREATE_OBJECT ACCESS_MASK = 0x0004
	DIRECTORY_ALL_ACCESS    ACCESS_MASK = 0x000F_000F
)

// ZwCreateDirectoryObject makes a directory of names, or opens it with
// OBJ_OPENIF, and stores a handle to it, which can be the RootDirectory of
// others. Statuses are those of ZwCreateEvent.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ZwCreateDirectoryObject function (wdm.h)"
func ZwCreateDirectoryObject(DirectoryHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES) NTSTATUS {
	passiveWithAPCs()
	atMost(irql.Passive)
	mustReach(unsafe.Pointer(DirectoryHandle), unsafe.Sizeof(*DirectoryHandle))
	a, s := attributes(KernelMode, ObjectAttributes)
	if !NT_SUCCESS(s) {
		return s
	}
	h, s := ob.CreateDirectory(&a, DesiredAccess, KernelMode)
	if NT_SUCCESS(s) {
		*DirectoryHandle = h
	}
	return s
}

// ZwOpenDirectoryObject stores a handle to a directory of names. Statuses are
// those of ZwOpenEvent.
//
// IRQL: PASSIVE_LEVEL
func ZwOpenDirectoryObject(DirectoryHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES) NTSTATUS {
	passiveWithAPCs()
	return open(KernelMode, DirectoryHandle, DesiredAccess, ObjectAttributes, ob.Describe(ob.Directory))
}
