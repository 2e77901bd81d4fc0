package object

import (
	"math/rand"
	"testing"

	"irqlab/ob"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// rule: obj-byhandle-errors
// rule: obj-byhandle-null-type
func TestByHandle(t *testing.T) {
	h := event(t, nil, EVENT_QUERY_STATE)
	closed := HANDLE(0)
	want(t, "create", ZwCreateEvent(&closed, EVENT_ALL_ACCESS, nil, NotificationEvent, false), STATUS_SUCCESS)
	ZwClose(closed)
	for _, c := range []struct {
		what   string
		h      HANDLE
		access ACCESS_MASK
		typ    POBJECT_TYPE
		mode   KPROCESSOR_MODE
		want   NTSTATUS
	}{
		{"any type", h, SYNCHRONIZE, nil, KernelMode, STATUS_SUCCESS},
		{"the type", h, SYNCHRONIZE, ExEventObjectType, KernelMode, STATUS_SUCCESS},
		{"another type", h, 0, ExTimerObjectType, KernelMode, STATUS_OBJECT_TYPE_MISMATCH},
		{"another type for a user", h, EVENT_MODIFY_STATE, ExTimerObjectType, UserMode, STATUS_OBJECT_TYPE_MISMATCH},
		{"granted", h, EVENT_QUERY_STATE, ExEventObjectType, UserMode, STATUS_SUCCESS},
		{"not granted", h, EVENT_MODIFY_STATE, ExEventObjectType, UserMode, STATUS_ACCESS_DENIED},
		{"not granted, generic", h, GENERIC_ALL, ExEventObjectType, UserMode, STATUS_ACCESS_DENIED},
		{"closed", closed, 0, nil, KernelMode, STATUS_INVALID_HANDLE},
		{"zero", 0, 0, nil, KernelMode, STATUS_INVALID_HANDLE},
		{"unaligned", h + 2, 0, nil, KernelMode, STATUS_INVALID_HANDLE},
		{"this process", NtCurrentProcess(), 0, PsProcessType, KernelMode, STATUS_SUCCESS},
		{"this process as a thread", NtCurrentProcess(), 0, PsThreadType, KernelMode, STATUS_OBJECT_TYPE_MISMATCH},
	} {
		var p PVOID
		want(t, c.what, ObReferenceObjectByHandle(c.h, c.access, c.typ, c.mode, &p, nil), c.want)
		if (p != nil) != (c.want == STATUS_SUCCESS) {
			t.Errorf("%s: object %p", c.what, p)
		}
		if p != nil {
			ObDereferenceObject(p)
		}
	}
}

// rule: obj-kernel-handle-flag
// rule: obj-close-kernel-from-user
// rule: obj-close-invalid
func TestKernelHandles(t *testing.T) {
	p := object(t, event(t, nil, EVENT_ALL_ACCESS))
	var kernel, own HANDLE
	want(t, "for the kernel", ObOpenObjectByPointer(p, OBJ_KERNEL_HANDLE, nil, EVENT_ALL_ACCESS, nil, KernelMode, &kernel), STATUS_SUCCESS)
	want(t, "of the process", ObOpenObjectByPointer(p, 0, nil, EVENT_ALL_ACCESS, nil, KernelMode, &own), STATUS_SUCCESS)
	if !ObIsKernelHandle(kernel) || ObIsKernelHandle(own) || ObIsKernelHandle(0) || ObIsKernelHandle(NtCurrentThread()) || ObIsKernelHandle(NtCurrentProcess()) {
		t.Errorf("%#x, %#x", uintptr(kernel), uintptr(own))
	}
	const form = 0xFFFF_FFFF_8000_0000
	want(t, "the kernel's in the other form", ObCloseHandle(kernel&^form, UserMode), STATUS_INVALID_HANDLE)
	want(t, "the process's in the other form", ObCloseHandle(own|form, UserMode), STATUS_INVALID_HANDLE)
	want(t, "the kernel's as a user", ObCloseHandle(kernel, UserMode), STATUS_INVALID_HANDLE)
	var q PVOID
	want(t, "the kernel's referenced by a user", ObReferenceObjectByHandle(kernel, 0, nil, UserMode, &q, nil), STATUS_INVALID_HANDLE)
	want(t, "the process's as a user", ObCloseHandle(own, UserMode), STATUS_SUCCESS)
	want(t, "again", ObCloseHandle(own, UserMode), STATUS_INVALID_HANDLE)
	kit.Run(t, func() { // whose previous mode is UserMode
		want(t, "NtClose", NtClose(kernel), STATUS_INVALID_HANDLE)
		want(t, "NtClose", NtClose(own), STATUS_INVALID_HANDLE)
	})
	want(t, "the kernel's", ZwClose(kernel), STATUS_SUCCESS)
}

// rule: obj-close-invalid
func TestProtected(t *testing.T) {
	p := object(t, event(t, nil, EVENT_ALL_ACCESS))
	var h HANDLE
	want(t, "open", ObOpenObjectByPointer(p, 0, nil, EVENT_ALL_ACCESS, nil, KernelMode, &h), STATUS_SUCCESS)
	want(t, "protect", ObSetHandleAttributes(h, &OBJECT_HANDLE_FLAG_INFORMATION{ProtectFromClose: true}, KernelMode), STATUS_SUCCESS)
	want(t, "close", ObCloseHandle(h, UserMode), STATUS_HANDLE_NOT_CLOSABLE)
	var info OBJECT_HANDLE_INFORMATION
	var q PVOID
	want(t, "reference", ObReferenceObjectByHandle(h, 0, nil, UserMode, &q, &info), STATUS_SUCCESS)
	ObDereferenceObject(q)
	if info.HandleAttributes != OBJ_PROTECT_CLOSE || info.GrantedAccess != EVENT_ALL_ACCESS {
		t.Errorf("attributes %#x, access %#x", info.HandleAttributes, info.GrantedAccess)
	}
	want(t, "unprotect", ObSetHandleAttributes(h, &OBJECT_HANDLE_FLAG_INFORMATION{}, KernelMode), STATUS_SUCCESS)
	want(t, "close", ObCloseHandle(h, UserMode), STATUS_SUCCESS)
	want(t, "protect what is closed", ObSetHandleAttributes(h, &OBJECT_HANDLE_FLAG_INFORMATION{}, KernelMode), STATUS_INVALID_HANDLE)
}

func TestDuplicate(t *testing.T) {
	h := event(t, nil, EVENT_QUERY_STATE|SYNCHRONIZE)
	p := object(t, h)
	process := NtCurrentProcess()
	var d HANDLE
	granted := func(h HANDLE) ACCESS_MASK {
		var info OBJECT_HANDLE_INFORMATION
		var q PVOID
		if s := ObReferenceObjectByHandle(h, 0, nil, KernelMode, &q, &info); s != STATUS_SUCCESS || q != p {
			t.Errorf("duplicate %#x: %v, %p", uintptr(h), s, q)
			return 0
		}
		ObDereferenceObject(q)
		return info.GrantedAccess
	}
	want(t, "other access", ZwDuplicateObject(process, h, process, &d, EVENT_MODIFY_STATE, 0, 0), STATUS_SUCCESS)
	if granted(d) != EVENT_MODIFY_STATE || ObIsKernelHandle(d) {
		t.Errorf("%#x: access %#x", uintptr(d), granted(d))
	}
	second := d
	want(t, "moved", ZwDuplicateObject(process, second, process, &d, 0, OBJ_KERNEL_HANDLE, DUPLICATE_SAME_ACCESS|DUPLICATE_CLOSE_SOURCE), STATUS_SUCCESS)
	if granted(d) != EVENT_MODIFY_STATE || !ObIsKernelHandle(d) || counts(p) != "3/2" {
		t.Errorf("%#x: access %#x, counts %s", uintptr(d), granted(d), counts(p))
	}
	want(t, "close by duplication", ZwDuplicateObject(process, d, 0, nil, 0, 0, DUPLICATE_CLOSE_SOURCE), STATUS_INVALID_HANDLE)
	want(t, "close by duplication", ZwDuplicateObject(process, d, process, nil, 0, 0, DUPLICATE_CLOSE_SOURCE), STATUS_SUCCESS)
	var thread HANDLE
	want(t, "this thread", ZwDuplicateObject(process, NtCurrentThread(), process, &thread, 0, 0, DUPLICATE_SAME_ACCESS), STATUS_SUCCESS)
	ZwClose(thread)
	for what, s := range map[string]struct{ got, want NTSTATUS }{
		"a bad source":    {ZwDuplicateObject(process, 0x40000, process, &d, 0, 0, 0), STATUS_INVALID_HANDLE},
		"a bad process":   {ZwDuplicateObject(h, h, process, &d, 0, 0, 0), STATUS_OBJECT_TYPE_MISMATCH},
		"a bad attribute": {ZwDuplicateObject(process, h, process, &d, 0, OBJ_OPENIF, 0), STATUS_INVALID_PARAMETER},
		"a bad option":    {ZwDuplicateObject(process, h, process, &d, 0, 0, 8), STATUS_INVALID_PARAMETER},
		"no target":       {ZwDuplicateObject(process, h, process, nil, 0, 0, 0), STATUS_INVALID_PARAMETER},
	} {
		want(t, what, s.got, s.want)
	}
	kit.Run(t, func() {
		want(t, "a user that wants more", NtDuplicateObject(process, h, process, &d, EVENT_MODIFY_STATE, 0, 0), STATUS_ACCESS_DENIED)
		want(t, "a user that wants as much", NtDuplicateObject(process, h, process, &d, 0, OBJ_KERNEL_HANDLE, DUPLICATE_SAME_ACCESS), STATUS_SUCCESS)
		want(t, "which is no kernel handle", NtClose(d), STATUS_SUCCESS)
	})
}

// Handles from thin air are refused, by whatever service.
func TestThinAir(t *testing.T) {
	kit.NoLeaks(t)
	random := rand.New(rand.NewSource(1))
	for i := range 2000 {
		h := HANDLE(random.Uint64() >> random.Intn(64))
		switch random.Intn(3) {
		case 0:
			h |= 0xFFFF_FFFF_8000_0000
		case 1:
			h &^= 3
		}
		if h == NtCurrentProcess() || h == NtCurrentThread() {
			continue
		}
		var p PVOID
		var state LONG
		var b bool
		zero := LARGE_INTEGER(0)
		for what, s := range map[string]NTSTATUS{
			"reference": ObReferenceObjectByHandle(h, 0, nil, KernelMode, &p, nil),
			"close":     ObCloseHandle(h, UserMode),
			"set":       ZwSetEvent(h, &state),
			"release":   ZwReleaseSemaphore(h, 1, &state),
			"mutant":    ZwReleaseMutant(h, &state),
			"timer":     ZwSetTimer(h, &zero, nil, nil, false, 0, &b),
			"cancel":    ZwCancelTimer(h, &b),
			"wait":      ZwWaitForSingleObject(h, false, &zero),
			"waits":     ZwWaitForMultipleObjects(1, []HANDLE{h}, WaitAny, false, &zero),
			"duplicate": ZwDuplicateObject(NtCurrentProcess(), h, NtCurrentProcess(), &h, 0, 0, 0),
			"terminate": ZwTerminateThread(h|4, 0),
		} {
			if s != STATUS_INVALID_HANDLE {
				t.Fatalf("%d: %s of handle %#x: %v", i, what, uintptr(h), s)
			}
		}
	}
}

// A table of thousands of handles works, and gives everything back.
func TestManyHandles(t *testing.T) {
	p := object(t, event(t, nil, EVENT_ALL_ACCESS))
	handles := make([]HANDLE, 3000)
	for i := range handles {
		want(t, "open", ObOpenObjectByPointer(p, ULONG(i%2)*OBJ_KERNEL_HANDLE, nil, SYNCHRONIZE, nil, KernelMode, &handles[i]), STATUS_SUCCESS)
	}
	seen := make(map[HANDLE]bool)
	for _, h := range handles {
		seen[h] = true
	}
	if len(seen) != len(handles) || counts(p) != "3002/3001" {
		t.Errorf("%d different handles, counts %s", len(seen), counts(p))
	}
	rand.New(rand.NewSource(1)).Shuffle(len(handles), func(i, j int) { handles[i], handles[j] = handles[j], handles[i] })
	for _, h := range handles {
		want(t, "close", ZwClose(h), STATUS_SUCCESS)
	}
	if n := ob.Handles(nil); n != 1 {
		t.Errorf("%d handles are open", n)
	}
}
