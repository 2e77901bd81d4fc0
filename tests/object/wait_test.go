package object

import (
	"testing"
	"unsafe"

	"irqlab/arch"
	"irqlab/kernel"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// rule: wait-nt-count
// rule: wait-nt-type
// rule: wait-nt-dup-waitall
func TestWaitParameters(t *testing.T) {
	h := event(t, nil, EVENT_ALL_ACCESS)
	many := make([]HANDLE, 65)
	for i := range many {
		many[i] = h
	}
	for _, wait := range []func(ULONG, []HANDLE, WAIT_TYPE, BOOLEAN, PLARGE_INTEGER) NTSTATUS{NtWaitForMultipleObjects, ZwWaitForMultipleObjects} {
		want(t, "none", wait(0, many, WaitAny, false, kit.NoTime), STATUS_INVALID_PARAMETER_1)
		want(t, "65", wait(65, many, WaitAny, false, kit.NoTime), STATUS_INVALID_PARAMETER_1)
		want(t, "2^32-1", wait(1<<32-1, many, WaitAny, false, kit.NoTime), STATUS_INVALID_PARAMETER_1)
		want(t, "type 2", wait(1, many, 2, false, kit.NoTime), STATUS_INVALID_PARAMETER_3)
		want(t, "all of the same", wait(2, many, WaitAll, false, kit.NoTime), STATUS_INVALID_PARAMETER_MIX)
		want(t, "any of the same", wait(64, many, WaitAny, false, kit.NoTime), STATUS_TIMEOUT)
		ZwSetEvent(h, nil)
		want(t, "any of the same", wait(64, many, WaitAny, false, kit.NoTime), STATUS_WAIT_0)
	}
}

// rule: wait-nt-badhandle
// rule: wait-nt-access
func TestWaitHandles(t *testing.T) {
	good := event(t, nil, EVENT_ALL_ACCESS)
	ZwSetEvent(good, nil)
	blind := event(t, nil, EVENT_QUERY_STATE) // no SYNCHRONIZE
	var directory HANDLE
	want(t, "open", ZwOpenDirectoryObject(&directory, DIRECTORY_ALL_ACCESS, attributes(`\`, 0, 0)), STATUS_SUCCESS)
	defer ZwClose(directory)
	for _, c := range []struct {
		what     string
		h        HANDLE
		user     NTSTATUS
		asKernel NTSTATUS
	}{
		{"without SYNCHRONIZE", blind, STATUS_ACCESS_DENIED, STATUS_TIMEOUT},
		{"from thin air", 0x40000, STATUS_INVALID_HANDLE, STATUS_INVALID_HANDLE},
		{"zero", 0, STATUS_INVALID_HANDLE, STATUS_INVALID_HANDLE},
		{"a directory", directory, STATUS_ACCESS_DENIED, STATUS_OBJECT_TYPE_MISMATCH},
		{"the process", NtCurrentProcess(), STATUS_TIMEOUT, STATUS_TIMEOUT},
		{"this thread", NtCurrentThread(), STATUS_TIMEOUT, STATUS_TIMEOUT},
	} {
		kit.Run(t, func() {
			want(t, c.what, NtWaitForSingleObject(c.h, false, kit.NoTime), c.user)
			want(t, c.what+", by Zw", ZwWaitForSingleObject(c.h, false, kit.NoTime), c.asKernel)
			want(t, c.what+", and another", NtWaitForMultipleObjects(2, []HANDLE{good, c.h}, WaitAll, false, kit.NoTime), c.user)
		})
		asKernel(t, func() {
			want(t, c.what+", as the kernel", NtWaitForSingleObject(c.h, false, kit.NoTime), c.asKernel)
		})
	}
	if queryEvent(t, good).EventState != 1 {
		t.Error("a wait that failed took an object")
	}
}

// absent is an address where nothing is: it has no page, and user code can't have
// one there.
var absent = unsafe.Pointer(uintptr(arch.KernelBase))

// nothing is nil, which the compiler must not know.
var nothing unsafe.Pointer

// rule: wait-nt-badptr
func TestBadPointers(t *testing.T) {
	h := event(t, attributes(base+"solid", 0, 0), EVENT_ALL_ACCESS)
	var room [4]uint64
	odd := unsafe.Add(unsafe.Pointer(&room), 1)
	kit.Run(t, func() {
		for what, p := range map[string]unsafe.Pointer{"nil": nothing, "absent": absent, "in the pool": unsafe.Pointer(kit.New[KEVENT](t))} {
			if p == nil {
				// Optional parameters may be nil.
				want(t, "nil timeout", NtWaitForMultipleObjects(1, []HANDLE{h}, WaitAny, true, kit.NoTime), STATUS_TIMEOUT)
			} else {
				want(t, what+" timeout", NtWaitForSingleObject(h, false, PLARGE_INTEGER(p)), STATUS_ACCESS_VIOLATION)
				want(t, what+" state", NtSetEvent(h, PLONG(p)), STATUS_ACCESS_VIOLATION)
				want(t, what+" handles", NtWaitForMultipleObjects(2, unsafe.Slice((PHANDLE)(p), 2), WaitAny, false, nil), STATUS_ACCESS_VIOLATION)
				want(t, what+" attributes", NtCreateEvent(new(HANDLE), 0, (*OBJECT_ATTRIBUTES)(p), 0, false), STATUS_ACCESS_VIOLATION)
			}
			want(t, what+" handle", NtCreateEvent(PHANDLE(p), EVENT_ALL_ACCESS, nil, NotificationEvent, false), STATUS_ACCESS_VIOLATION)
			want(t, what+" handle to open", NtOpenMutant(PHANDLE(p), MUTANT_ALL_ACCESS, attributes(base+"solid", 0, 0)), STATUS_ACCESS_VIOLATION)
			want(t, what+" information", NtQueryEvent(h, EventBasicInformation, p, 8, nil), STATUS_ACCESS_VIOLATION)
			want(t, what+" due time", NtSetTimer(h, PLARGE_INTEGER(p), nil, nil, false, 0, nil), STATUS_ACCESS_VIOLATION)
			a := attributes(base+"solid", 0, 0)
			a.ObjectName.Buffer = (*uint16)(p)
			want(t, what+" name", NtOpenEvent(new(HANDLE), 0, a), STATUS_ACCESS_VIOLATION)
			if p != nil {
				a.ObjectName = (*UNICODE_STRING)(p)
				want(t, what+" string", NtOpenEvent(new(HANDLE), 0, a), STATUS_ACCESS_VIOLATION)
			}
		}
		want(t, "no handles", NtWaitForMultipleObjects(2, nil, WaitAny, false, nil), STATUS_ACCESS_VIOLATION)
		want(t, "fewer handles", NtWaitForMultipleObjects(3, make([]HANDLE, 2), WaitAny, false, nil), STATUS_ACCESS_VIOLATION)
		want(t, "unaligned state", NtResetEvent(h, PLONG(odd)), STATUS_DATATYPE_MISALIGNMENT)
		want(t, "unaligned handle", NtCreateEvent(PHANDLE(odd), 0, nil, NotificationEvent, false), STATUS_DATATYPE_MISALIGNMENT)
		want(t, "unaligned timeout", NtWaitForSingleObject(h, false, PLARGE_INTEGER(odd)), STATUS_DATATYPE_MISALIGNMENT)
		want(t, "unaligned information", NtQueryEvent(h, EventBasicInformation, odd, 8, nil), STATUS_DATATYPE_MISALIGNMENT)
		want(t, "class", NtQueryEvent(h, 1, PVOID(&room), 8, nil), STATUS_INVALID_INFO_CLASS)
		want(t, "length", NtQueryEvent(h, EventBasicInformation, PVOID(&room), 4, nil), STATUS_INFO_LENGTH_MISMATCH)
	})
}

// A wait for many handles, across types, gets what Ke waits get.
func TestWaitMany(t *testing.T) {
	kit.NoLeaks(t)
	kit.Run(t, func() {
		var handles []HANDLE
		for i := range 20 {
			var h HANDLE
			switch i % 4 {
			case 0:
				ZwCreateEvent(&h, EVENT_ALL_ACCESS, nil, SynchronizationEvent, false)
			case 1:
				ZwCreateSemaphore(&h, SEMAPHORE_ALL_ACCESS, nil, 0, 1)
			case 2:
				ZwCreateMutant(&h, MUTANT_ALL_ACCESS, nil, false)
			default:
				ZwCreateTimer(&h, TIMER_ALL_ACCESS, nil, SynchronizationTimer)
				ZwSetTimer(h, kit.Ms(1), nil, nil, false, 0, nil)
			}
			handles = append(handles, h)
		}
		n := ULONG(len(handles))
		want(t, "a mutant, the first that is signalled", NtWaitForMultipleObjects(n, handles, WaitAny, false, nil), 2)
		want(t, "all", NtWaitForMultipleObjects(n, handles, WaitAll, false, kit.Ms(20)), STATUS_TIMEOUT)
		for i, h := range handles {
			switch i % 4 {
			case 0:
				ZwSetEvent(h, nil)
			case 1:
				ZwReleaseSemaphore(h, 1, nil)
			}
		}
		want(t, "all", NtWaitForMultipleObjects(n, handles, WaitAll, false, nil), STATUS_SUCCESS)
		want(t, "nothing is left but the mutants", NtWaitForMultipleObjects(2, handles, WaitAny, false, kit.NoTime), STATUS_TIMEOUT)
		for _, h := range handles {
			ZwClose(h)
		}
	})
}

// rule: wait-signal-and-wait-types
func TestSignalAndWait(t *testing.T) {
	kit.Run(t, func() {
		e, m := event(t, nil, EVENT_ALL_ACCESS), mutant(t, nil, true)
		var s, tm HANDLE
		ZwCreateSemaphore(&s, SEMAPHORE_ALL_ACCESS, nil, 0, 1)
		ZwCreateTimer(&tm, TIMER_ALL_ACCESS, nil, NotificationTimer)
		for _, c := range []struct {
			what         string
			signal, wait HANDLE
			want         NTSTATUS
		}{
			{"an event, for itself", e, e, STATUS_SUCCESS},
			{"an event", e, s, STATUS_TIMEOUT},
			{"a semaphore, for itself", s, s, STATUS_SUCCESS},
			{"a semaphore, for the event", s, e, STATUS_SUCCESS},
			{"a full semaphore", s, e, STATUS_SEMAPHORE_LIMIT_EXCEEDED},
			{"a mutant, for the semaphore", m, s, STATUS_SUCCESS},
			{"a mutant that is not owned", m, e, STATUS_MUTANT_NOT_OWNED},
			{"a timer", tm, e, STATUS_OBJECT_TYPE_MISMATCH},
			{"a thread", NtCurrentThread(), e, STATUS_OBJECT_TYPE_MISMATCH},
			{"the process", NtCurrentProcess(), e, STATUS_OBJECT_TYPE_MISMATCH},
			{"nothing", 0, e, STATUS_INVALID_HANDLE},
			{"for nothing", e, 0, STATUS_INVALID_HANDLE},
		} {
			want(t, c.what, NtSignalAndWaitForSingleObject(c.signal, c.wait, false, kit.Ms(1)), c.want)
			if KeGetCurrentIrql() != PASSIVE_LEVEL || kernel.Current().WaitNext {
				t.Fatalf("%s: level %d", c.what, KeGetCurrentIrql())
			}
		}
		var blind HANDLE
		want(t, "duplicate", ZwDuplicateObject(NtCurrentProcess(), e, NtCurrentProcess(), &blind, SYNCHRONIZE, 0, 0), STATUS_SUCCESS)
		want(t, "without the right to signal", NtSignalAndWaitForSingleObject(blind, e, false, kit.NoTime), STATUS_ACCESS_DENIED)
		for _, h := range []HANDLE{m, s, tm, blind} {
			ZwClose(h)
		}
	})
}

// Two threads hand a baton to and fro with nothing in between.
func TestBaton(t *testing.T) {
	kit.NoLeaks(t)
	ping, pong := event(t, nil, EVENT_ALL_ACCESS), event(t, nil, EVENT_ALL_ACCESS)
	const rounds = 300
	other := kit.Go(t, func() NTSTATUS {
		if s := ZwWaitForSingleObject(ping, false, nil); s != STATUS_SUCCESS {
			return s
		}
		for range rounds - 1 {
			if s := NtSignalAndWaitForSingleObject(pong, ping, false, nil); s != STATUS_SUCCESS {
				return s
			}
		}
		return ZwSetEvent(pong, nil)
	})
	kit.Run(t, func() {
		for i := range rounds {
			want(t, "a round", NtSignalAndWaitForSingleObject(ping, pong, false, kit.Ms(20000)), STATUS_SUCCESS)
			if t.Failed() {
				t.Fatalf("round %d", i)
			}
		}
	})
	want(t, "the other thread", other.Join(t), STATUS_SUCCESS)
}

func TestNtDelayExecution(t *testing.T) {
	kit.Run(t, func() {
		before := kernel.InterruptTime()
		want(t, "delay", NtDelayExecution(false, kit.Ms(3)), STATUS_SUCCESS)
		if d := kernel.InterruptTime() - before; d < 3*kernel.Millisecond {
			t.Errorf("after %d us", d/10)
		}
		NtAlertThread(NtCurrentThread())
		want(t, "alerted", NtDelayExecution(true, kit.Ms(20000)), STATUS_ALERTED)
		want(t, "a bad interval", NtDelayExecution(true, PLARGE_INTEGER(absent)), STATUS_ACCESS_VIOLATION)
	})
}
