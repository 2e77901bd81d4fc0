package wdk

import (
	"slices"
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ob"
	"irqlab/pool"
	"irqlab/sync"
)

// ZwWaitForSingleObject is KeWaitForSingleObject for the object of a handle, with
// a status in place of an exception.
//
// It returns the statuses of KeWaitForSingleObject, STATUS_MUTANT_LIMIT_EXCEEDED,
// STATUS_INVALID_HANDLE, and STATUS_OBJECT_TYPE_MISMATCH for an object that can't
// be waited for.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "ZwWaitForSingleObject function (ntifs.h)"
func ZwWaitForSingleObject(Handle HANDLE, Alertable BOOLEAN, Timeout PLARGE_INTEGER) NTSTATUS {
	passiveWithAPCs()
	return waitForSingle(KernelMode, Handle, Alertable, Timeout)
}

// NtWaitForSingleObject is ZwWaitForSingleObject for the previous mode. For
// UserMode the handle must have SYNCHRONIZE, else STATUS_ACCESS_DENIED, and a
// Timeout that can't be read is STATUS_ACCESS_VIOLATION.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtWaitForSingleObject(Handle HANDLE, Alertable BOOLEAN, Timeout PLARGE_INTEGER) NTSTATUS {
	return waitForSingle(KeGetPreviousMode(), Handle, Alertable, Timeout)
}

func waitForSingle(mode KPROCESSOR_MODE, h HANDLE, alertable BOOLEAN, timeout PLARGE_INTEGER) (s NTSTATUS) {
	atMost(irql.Passive)
	timeout, s = ownTimeout(mode, timeout)
	if !NT_SUCCESS(s) {
		return s
	}
	p, s := waitable(mode, h)
	if !NT_SUCCESS(s) {
		return s
	}
	defer ob.Dereference(p)
	o := (*kernel.Header)(p)
	return sync.TryWaitMany(&o, 1, WaitAny, timeout, alertable, mode, nil)
}

// ownTimeout returns a caller's timeout in a variable that the caller does not
// know.
func ownTimeout(mode KPROCESSOR_MODE, p PLARGE_INTEGER) (PLARGE_INTEGER, NTSTATUS) {
	if p == nil {
		return nil, STATUS_SUCCESS
	}
	v, s := read(mode, p)
	return &v, s
}

// waitable returns the object of a handle, with a reference, if threads can wait
// for it.
func waitable(mode KPROCESSOR_MODE, h HANDLE) (PVOID, NTSTATUS) {
	p, _, s := ob.ReferenceByHandle(h, SYNCHRONIZE, 0, mode)
	if NT_SUCCESS(s) && !ob.TypeOf(p).Waitable {
		ob.Dereference(p)
		return nil, STATUS_OBJECT_TYPE_MISMATCH
	}
	return p, s
}

const waitTag pool.Tag = 'W' | 'a'<<8 | 'i'<<16 | 't'<<24

// ZwWaitForMultipleObjects is KeWaitForMultipleObjects for the objects of
// ObjectCount handles, with a status in place of an exception. Wait blocks are
// provided.
//
// It returns the statuses of KeWaitForMultipleObjects,
// STATUS_MUTANT_LIMIT_EXCEEDED, STATUS_INVALID_PARAMETER_1 for no handle or more
// than MAXIMUM_WAIT_OBJECTS, STATUS_INVALID_PARAMETER_3 for an unknown WaitType,
// STATUS_INVALID_PARAMETER_MIX for a WaitAll that names an object twice,
// STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH and
// STATUS_INSUFFICIENT_RESOURCES.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func ZwWaitForMultipleObjects(ObjectCount ULONG, Handles []HANDLE, WaitType WAIT_TYPE, Alertable BOOLEAN, Timeout PLARGE_INTEGER) NTSTATUS {
	passiveWithAPCs()
	return waitForMultiple(KernelMode, ObjectCount, Handles, WaitType, Alertable, Timeout)
}

// NtWaitForMultipleObjects is ZwWaitForMultipleObjects for the previous mode. For
// UserMode the handles must have SYNCHRONIZE, else STATUS_ACCESS_DENIED, and memory
// that can't be read is STATUS_ACCESS_VIOLATION.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtWaitForMultipleObjects(ObjectCount ULONG, Handles []HANDLE, WaitType WAIT_TYPE, Alertable BOOLEAN, Timeout PLARGE_INTEGER) NTSTATUS {
	return waitForMultiple(KeGetPreviousMode(), ObjectCount, Handles, WaitType, Alertable, Timeout)
}

func waitForMultiple(mode KPROCESSOR_MODE, n ULONG, handles []HANDLE, typ WAIT_TYPE, alertable BOOLEAN, timeout PLARGE_INTEGER) (s NTSTATUS) {
	atMost(irql.Passive)
	switch {
	case n == 0 || n > MAXIMUM_WAIT_OBJECTS:
		return STATUS_INVALID_PARAMETER_1
	case typ != WaitAll && typ != WaitAny:
		return STATUS_INVALID_PARAMETER_3
	}
	timeout, s = ownTimeout(mode, timeout)
	if !NT_SUCCESS(s) {
		return s
	}
	if int(n) > len(handles) {
		return STATUS_ACCESS_VIOLATION
	}
	own, s := readMany(mode, unsafe.SliceData(handles), int(n))
	if !NT_SUCCESS(s) {
		return s
	}
	objects := make([]*kernel.Header, 0, n)
	defer func() {
		for _, o := range objects {
			ob.Dereference(PVOID(o))
		}
	}()
	for _, h := range own {
		p, s := waitable(mode, h)
		if !NT_SUCCESS(s) {
			return s
		}
		o := (*kernel.Header)(p)
		twice := typ == WaitAll && slices.Contains(objects, o)
		objects = append(objects, o)
		if twice {
			return STATUS_INVALID_PARAMETER_MIX
		}
	}
	var blocks PKWAIT_BLOCK
	if n > THREAD_WAIT_OBJECTS {
		blocks = PKWAIT_BLOCK(pool.Alloc(uintptr(n)*unsafe.Sizeof(KWAIT_BLOCK{}), waitTag))
		if blocks == nil {
			return STATUS_INSUFFICIENT_RESOURCES
		}
		defer pool.Free(PVOID(blocks), waitTag)
	}
	return sync.TryWaitMany(&objects[0], int(n), typ, timeout, alertable, mode, blocks)
}

// ZwSignalAndWaitForSingleObject sets an event, releases a mutant, or releases a
// semaphore by one, and goes on to wait for another object without a switch to
// another thread in between.
//
// It returns what fails first: STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH
// for an object that can't be signalled, or can't be waited for,
// STATUS_MUTANT_NOT_OWNED, STATUS_SEMAPHORE_LIMIT_EXCEEDED; else the status of the
// wait.
//
// IRQL: PASSIVE_LEVEL
func ZwSignalAndWaitForSingleObject(ObjectHandleToSignal, WaitableObjectHandle HANDLE, Alertable BOOLEAN, TimeOut PLARGE_INTEGER) NTSTATUS {
	passiveWithAPCs()
	return signalAndWait(KernelMode, ObjectHandleToSignal, WaitableObjectHandle, Alertable, TimeOut)
}

// NtSignalAndWaitForSingleObject is ZwSignalAndWaitForSingleObject for the previous
// mode. For UserMode the first handle must have EVENT_MODIFY_STATE,
// SEMAPHORE_MODIFY_STATE, or for a mutant SYNCHRONIZE, and the second one
// SYNCHRONIZE, else STATUS_ACCESS_DENIED.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtSignalAndWaitForSingleObject(ObjectHandleToSignal, WaitableObjectHandle HANDLE, Alertable BOOLEAN, TimeOut PLARGE_INTEGER) NTSTATUS {
	return signalAndWait(KeGetPreviousMode(), ObjectHandleToSignal, WaitableObjectHandle, Alertable, TimeOut)
}

func signalAndWait(mode KPROCESSOR_MODE, signal, wait HANDLE, alertable BOOLEAN, timeout PLARGE_INTEGER) (s NTSTATUS) {
	atMost(irql.Passive)
	timeout, s = ownTimeout(mode, timeout)
	if !NT_SUCCESS(s) {
		return s
	}
	first, granted, s := ob.ReferenceByHandle(signal, 0, 0, mode)
	if !NT_SUCCESS(s) {
		return s
	}
	defer ob.Dereference(first)
	second, s := waitable(mode, wait)
	if !NT_SUCCESS(s) {
		return s
	}
	defer ob.Dereference(second)
	var access ACCESS_MASK
	switch ob.TypeOf(first) {
	case ExEventObjectType:
		access = EVENT_MODIFY_STATE
	case ExSemaphoreObjectType:
		access = SEMAPHORE_MODIFY_STATE
	case ExMutantObjectType:
		access = SYNCHRONIZE
	default:
		return STATUS_OBJECT_TYPE_MISMATCH
	}
	switch {
	case mode == UserMode && granted.Access&access == 0:
		return STATUS_ACCESS_DENIED
	case ob.TypeOf(second) == ExMutantObjectType && !kernel.RunsLocked():
		return STATUS_INVALID_THREAD
	}
	return signalThenWait(first, (*kernel.Header)(second), alertable, timeout, mode)
}

// signalThenWait signals the first object, with Wait = TRUE, and waits for the
// second.
func signalThenWait(first PVOID, second *kernel.Header, alertable BOOLEAN, timeout PLARGE_INTEGER, mode KPROCESSOR_MODE) (s NTSTATUS) {
	// The dispatcher is locked from here to the wait.
	switch ob.TypeOf(first) {
	case ExEventObjectType:
		PKEVENT(first).SetBeforeWait(EVENT_INCREMENT)
	case ExSemaphoreObjectType:
		_, s = PKSEMAPHORE(first).TryReleaseBeforeWait(SEMAPHORE_INCREMENT, 1)
	default:
		_, s = PKMUTANT(first).TryReleaseBeforeWait()
	}
	if s != STATUS_SUCCESS {
		return s
	}
	return sync.TryWaitMany(&second, 1, WaitAny, timeout, alertable, mode, nil)
}
