// Package thread tests the rules of area thread, through package wdk.
package thread

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/kernel"
	"irqlab/ob"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// start makes a system thread and returns it, with a reference that is dropped
// at the end of the test.
func start(t *testing.T, routine func()) PETHREAD {
	t.Helper()
	var h HANDLE
	s := PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) { routine() }, nil)
	if s != STATUS_SUCCESS {
		t.Fatal(s)
	}
	var p PVOID
	ObReferenceObjectByHandle(h, SYNCHRONIZE, PsThreadType, KernelMode, &p, nil)
	ZwClose(h)
	t.Cleanup(func() {
		join(t, PETHREAD(p))
		ObDereferenceObject(p)
	})
	return PETHREAD(p)
}

// join waits until a thread has ended.
func join(t *testing.T, th PETHREAD) {
	t.Helper()
	timeout := -LARGE_INTEGER(kit.Patience / 100)
	if s := KeWaitForSingleObject(PVOID(th), Executive, KernelMode, false, &timeout); s != STATUS_SUCCESS {
		t.Fatalf("waiting for a thread to end: %v", s)
	}
}

// run runs fn on a system thread.
func run(t *testing.T, fn func()) {
	t.Helper()
	join(t, start(t, fn))
}

func event(t *testing.T, typ EVENT_TYPE) PKEVENT {
	e := kit.New[KEVENT](t)
	KeInitializeEvent(e, typ, false)
	return e
}

func wait(o PVOID) NTSTATUS { return KeWaitForSingleObject(o, Executive, KernelMode, false, nil) }

// rule: thr-create-passive
// rule: thr-create-critical-region
// rule: thr-default-priority
func TestNewThread(t *testing.T) {
	var level KIRQL
	var priority KPRIORITY
	var base int8
	var disabled, system bool
	asNew := kit.Retry(func() bool {
		run(t, func() {
			level = KeGetCurrentIrql()
			th := KeGetCurrentThread()
			priority, base = KeQueryPriorityThread(th), th.BasePriority
			disabled = th.KernelAPCs != 0 || th.SpecialAPCs != 0
			system = PsIsSystemThread(th)
		})
		return priority >= 8 && priority <= 10
	})
	// The spec's decision: a new thread starts with APCs enabled.
	if level != PASSIVE_LEVEL || !asNew || base != 8 || disabled || !system {
		t.Errorf("level %d, priority %d, base %d, APCs disabled %v, system %v", level, priority, base, disabled, system)
	}
}

// rule: thr-create-badattr
// rule: thr-create-null-process
func TestCreateParameters(t *testing.T) {
	create := func(a *OBJECT_ATTRIBUTES, process HANDLE) NTSTATUS {
		var h HANDLE
		s := PsCreateSystemThread(&h, SYNCHRONIZE, a, process, nil, func(PVOID) {}, nil)
		if NT_SUCCESS(s) {
			if s := ZwWaitForSingleObject(h, false, nil); s != STATUS_SUCCESS {
				t.Errorf("wait for the thread: %v", s)
			}
			ZwClose(h)
		} else if h != 0 {
			t.Errorf("a handle is stored although %v is returned", s)
		}
		return s
	}
	for attributes, want := range map[ULONG]NTSTATUS{
		0: STATUS_SUCCESS, OBJ_KERNEL_HANDLE: STATUS_SUCCESS,
		OBJ_PERMANENT: STATUS_INVALID_PARAMETER, OBJ_EXCLUSIVE: STATUS_INVALID_PARAMETER, OBJ_OPENIF: STATUS_INVALID_PARAMETER,
		OBJ_KERNEL_HANDLE | OBJ_OPENIF: STATUS_INVALID_PARAMETER,
		OBJ_INHERIT:                    STATUS_SUCCESS, OBJ_FORCE_ACCESS_CHECK: STATUS_SUCCESS, OBJ_CASE_INSENSITIVE: STATUS_SUCCESS,
		1: STATUS_INVALID_PARAMETER,
	} {
		var a OBJECT_ATTRIBUTES
		InitializeObjectAttributes(&a, nil, attributes, 0, nil)
		if s := create(&a, 0); s != want {
			t.Errorf("attributes %#x: %v, want %v", attributes, s, want)
		}
	}
	var a OBJECT_ATTRIBUTES
	InitializeObjectAttributes(&a, String(`\BaseNamedObjects\thread`), OBJ_KERNEL_HANDLE, 0, nil)
	if s := create(&a, 0); s != STATUS_INVALID_PARAMETER {
		t.Errorf("with a name: %v", s)
	}
	InitializeObjectAttributes(&a, nil, OBJ_KERNEL_HANDLE, 0, nil)
	a.Length--
	if s := create(&a, 0); s != STATUS_INVALID_PARAMETER {
		t.Errorf("attributes of another length: %v", s)
	}
	for process, want := range map[HANDLE]NTSTATUS{
		0: STATUS_SUCCESS, NtCurrentProcess(): STATUS_SUCCESS, 0x1234: STATUS_INVALID_HANDLE,
	} {
		if s := create(nil, process); s != want {
			t.Errorf("process %#x: %v, want %v", uintptr(process), s, want)
		}
	}
}

// STATUS_PENDING is a status to end with as any other.
//
// rule: thr-exit-status-pending
func TestExitPending(t *testing.T) {
	var ending bool
	th := start(t, func() {
		ending = PsIsThreadTerminating(KeGetCurrentThread())
		PsTerminateSystemThread(STATUS_PENDING)
	})
	wait(PVOID(th))
	if s := PsGetThreadExitStatus(th); s != STATUS_PENDING || ending || !PsIsThreadTerminating(th) {
		t.Errorf("terminating %v, then status %v, terminating %v", ending, s, PsIsThreadTerminating(th))
	}
	join(t, th)
}

// rule: thr-terminate-self
// rule: thr-return-equals-terminate
// rule: thr-exit-status-pending
// rule: thr-object-signaled
func TestExit(t *testing.T) {
	e := event(t, NotificationEvent)
	after, deferred := false, false
	th := start(t, func() {
		defer func() { deferred = true }()
		wait(PVOID(e))
		PsTerminateSystemThread(42)
		after = true
	})
	returns := start(t, func() { wait(PVOID(e)) })
	for _, th := range []PETHREAD{th, returns} {
		if s := PsGetThreadExitStatus(th); s != STATUS_PENDING || KeReadStateThread(th) {
			t.Errorf("before the end: %v, signalled %v", s, KeReadStateThread(th))
		}
	}
	KeSetEvent(e, 0, false)
	for th, want := range map[PETHREAD]NTSTATUS{th: 42, returns: STATUS_SUCCESS} {
		join(t, th)
		join(t, th) // it stays signalled
		if s := PsGetThreadExitStatus(th); s != want || !KeReadStateThread(th) || !PsIsThreadTerminating(th) {
			t.Errorf("after the end: %v, want %v; signalled %v", s, want, KeReadStateThread(th))
		}
	}
	if after || !deferred {
		t.Errorf("code behind PsTerminateSystemThread ran: %v; deferred functions ran: %v", after, deferred)
	}
}

// rule: thr-terminate-nonsystem
func TestTerminateOther(t *testing.T) {
	if s := PsTerminateSystemThread(STATUS_SUCCESS); s != STATUS_INVALID_PARAMETER {
		t.Errorf("a goroutine's PsTerminateSystemThread: %v", s)
	}
}

// rule: thr-lookup-tid
func TestLookup(t *testing.T) {
	e := event(t, NotificationEvent)
	th := start(t, func() { wait(PVOID(e)) })
	var found PETHREAD
	if s := PsLookupThreadByThreadId(PsGetThreadId(th), &found); s != STATUS_SUCCESS || found != th {
		t.Errorf("a live thread: %v, %p, want %p", s, found, th)
	} else {
		ObDereferenceObject(PVOID(found))
	}
	KeSetEvent(e, 0, false)
	join(t, th)
	for _, id := range []HANDLE{0, 1, PsGetThreadId(th) + 1, 4 * 100000, 1 << 40, PsGetThreadId(th)} {
		found = nil
		if s := PsLookupThreadByThreadId(id, &found); s != STATUS_INVALID_PARAMETER || found != nil {
			t.Errorf("ID %d: %v", id, s)
		}
	}
}

// settle waits until the thread waits for the object.
func settle(t *testing.T, th PETHREAD, object PVOID) {
	t.Helper()
	buf := make([]kernel.ThreadInfo, 512)
	kit.Until(t, "a thread waits", func() bool {
		for _, i := range buf[:min(kernel.Threads(buf), len(buf))] {
			if i.Address == uintptr(unsafe.Pointer(th)) {
				return i.WaitCount == 1 && i.Waits[0].Object == uintptr(object)
			}
		}
		return false
	})
}

// A storm of threads: none is lost, nothing is left.
func TestMany(t *testing.T) {
	const rounds, each = 20, 25
	var ran atomic.Int32
	for range rounds {
		var hs [each]HANDLE
		for i := range hs {
			if s := PsCreateSystemThread(&hs[i], SYNCHRONIZE, nil, 0, nil, func(PVOID) { ran.Add(1) }, nil); s != STATUS_SUCCESS {
				t.Fatal(s)
			}
		}
		for _, h := range hs {
			if s := ZwWaitForSingleObject(h, false, nil); s != STATUS_SUCCESS {
				t.Fatal(s)
			}
			ZwClose(h)
		}
	}
	if ran.Load() != rounds*each || ob.Handles(nil) != 0 {
		t.Errorf("%d of %d threads have run; %d handles are open", ran.Load(), rounds*each, ob.Handles(nil))
	}
}
