package thread

import (
	"sync/atomic"
	"testing"
	"time"

	"irqlab/kernel"
	"irqlab/ob"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// rule: thr-handle-close-no-kill
// rule: wait-thread-object
func TestHandles(t *testing.T) {
	e := event(t, NotificationEvent)
	var h HANDLE
	var id CLIENT_ID
	var self HANDLE
	s := PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, &id, func(PVOID) {
		self = PsGetCurrentThreadId()
		wait(PVOID(e))
	}, nil)
	if s != STATUS_SUCCESS || !ObIsKernelHandle(h) || id.UniqueProcess != PsGetCurrentProcessId() {
		t.Fatalf("%v, handle %#x, ID %v", s, uintptr(h), id)
	}
	var p, q PVOID
	if s := ObReferenceObjectByHandle(h, SYNCHRONIZE, PsThreadType, KernelMode, &p, nil); s != STATUS_SUCCESS {
		t.Fatal(s)
	}
	for _, c := range []struct {
		h      HANDLE
		access ACCESS_MASK
		typ    POBJECT_TYPE
		mode   KPROCESSOR_MODE
		want   NTSTATUS
	}{
		{h, SYNCHRONIZE, nil, KernelMode, STATUS_SUCCESS},
		{h, GENERIC_ALL, PsThreadType, KernelMode, STATUS_SUCCESS},
		{h, SYNCHRONIZE, PsThreadType, UserMode, STATUS_INVALID_HANDLE},
		{h, SYNCHRONIZE, ExEventObjectType, KernelMode, STATUS_OBJECT_TYPE_MISMATCH},
		{h + 4*1000, SYNCHRONIZE, PsThreadType, KernelMode, STATUS_INVALID_HANDLE},
		{h + 1, SYNCHRONIZE, PsThreadType, KernelMode, STATUS_INVALID_HANDLE},
		{0, SYNCHRONIZE, PsThreadType, KernelMode, STATUS_INVALID_HANDLE},
		{0x1234, SYNCHRONIZE, PsThreadType, KernelMode, STATUS_INVALID_HANDLE},
		{NtCurrentThread(), SYNCHRONIZE, PsThreadType, KernelMode, STATUS_SUCCESS},
		{NtCurrentThread(), SYNCHRONIZE, ExEventObjectType, KernelMode, STATUS_OBJECT_TYPE_MISMATCH},
	} {
		s := ObReferenceObjectByHandle(c.h, c.access, c.typ, c.mode, &q, nil)
		if s != c.want || NT_SUCCESS(s) != (q != nil) {
			t.Errorf("handle %#x, access %#x: %v, object %p, want %v", uintptr(c.h), c.access, s, q, c.want)
		}
		if q != nil {
			ObDereferenceObject(q)
		}
	}
	if s := ZwClose(h); s != STATUS_SUCCESS {
		t.Error(s)
	}
	if s := ObReferenceObjectByHandle(h, SYNCHRONIZE, PsThreadType, KernelMode, &q, nil); s != STATUS_INVALID_HANDLE {
		t.Errorf("a closed handle: %v", s)
	}
	time.Sleep(20 * time.Millisecond)
	if KeReadStateThread(PETHREAD(p)) {
		t.Error("closing the handle ended the thread")
	}
	KeSetEvent(e, 0, false)
	join(t, PETHREAD(p))
	if self != id.UniqueThread || self != PsGetThreadId(PETHREAD(p)) {
		t.Errorf("the thread's ID is %d, its creator was told %d", self, id.UniqueThread)
	}
	ObDereferenceObject(p)
}

// rule: obj-byhandle-errors
// rule: obj-handle-counts
func TestAccess(t *testing.T) {
	e := event(t, NotificationEvent)
	var h HANDLE
	PsCreateSystemThread(&h, SYNCHRONIZE, nil, 0, nil, func(PVOID) { wait(PVOID(e)) }, nil)
	var p, q PVOID
	if s := ObReferenceObjectByHandle(h, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &p, nil); s != STATUS_SUCCESS {
		t.Fatalf("more access than granted, as the kernel: %v", s)
	}
	// The running thread, the handle, and ours.
	if o := kernel.ObjectOf(p); o.PointerCount != 3 || o.HandleCount != 1 {
		t.Errorf("%d references, %d handles; want 3 and 1", o.PointerCount, o.HandleCount)
	}
	var user HANDLE
	if s := ObOpenObjectByPointer(p, OBJ_KERNEL_HANDLE, nil, SYNCHRONIZE, PsThreadType, UserMode, &user); s != STATUS_SUCCESS || ObIsKernelHandle(user) {
		t.Fatalf("a user's handle: %v, %#x", s, uintptr(user))
	}
	var info OBJECT_HANDLE_INFORMATION
	s := ObReferenceObjectByHandle(user, SYNCHRONIZE, PsThreadType, UserMode, &q, &info)
	if s != STATUS_SUCCESS || info.GrantedAccess != SYNCHRONIZE {
		t.Fatalf("%v, granted %#x", s, info.GrantedAccess)
	}
	ObDereferenceObject(q)
	if s := ObReferenceObjectByHandle(user, THREAD_ALL_ACCESS, PsThreadType, UserMode, &q, nil); s != STATUS_ACCESS_DENIED {
		t.Errorf("more access than granted, as a user: %v", s)
	}
	ZwClose(user)
	var h2 HANDLE
	if s := ObOpenObjectByPointer(p, 0, nil, SYNCHRONIZE, PsThreadType, KernelMode, &h2); s != STATUS_SUCCESS || h2 == h {
		t.Errorf("a second handle: %v", s)
	}
	if s := ObOpenObjectByPointer(p, 0, nil, SYNCHRONIZE, ExEventObjectType, KernelMode, &h2); s != STATUS_OBJECT_TYPE_MISMATCH {
		t.Errorf("a handle of another type: %v", s)
	}
	ZwClose(h2)
	ZwClose(h)
	KeSetEvent(e, 0, false)
	join(t, PETHREAD(p))
	kit.Until(t, "the thread's own reference is gone", func() bool { return kernel.ObjectOf(p).PointerCount == 1 })
	ObDereferenceObject(p)
}

// rule: obj-close-invalid
// rule: obj-close-kernel-from-user
func TestCloseInvalid(t *testing.T) {
	for _, h := range []HANDLE{0, NtCurrentProcess(), NtCurrentThread()} {
		if s := ZwClose(h); s != STATUS_INVALID_HANDLE {
			t.Errorf("ZwClose(%#x): %v", uintptr(h), s)
		}
	}
	if s := ObCloseHandle(ob.Handle(0xFFFF_FFFF_8000_0000|4*3000), UserMode); s != STATUS_INVALID_HANDLE {
		t.Errorf("ObCloseHandle as a user: %v", s)
	}
}

// A thread that gets no handle does not run.
func TestNoHandle(t *testing.T) {
	kit.NoLeaks(t)
	process, all := NtCurrentProcess(), []HANDLE(nil)
	s := STATUS_SUCCESS
	for NT_SUCCESS(s) {
		var h HANDLE
		if s = ZwDuplicateObject(process, NtCurrentThread(), process, &h, 0, 0, DUPLICATE_SAME_ACCESS); NT_SUCCESS(s) {
			all = append(all, h)
		}
	}
	var ran atomic.Bool
	h := HANDLE(1)
	made := PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) { ran.Store(true) }, nil)
	for _, h := range all {
		ZwClose(h)
	}
	if made != s || h != 1 {
		t.Errorf("with %d handles: status %v, handle %#x, want %v", len(all), made, uintptr(h), s)
	}
	delay(10)
	if ran.Load() {
		t.Error("the routine was called")
	}
}
