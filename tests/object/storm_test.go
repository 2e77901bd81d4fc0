package object

import (
	"fmt"
	"sync/atomic"
	"testing"

	"irqlab/ob"
	"irqlab/pool"
	"irqlab/registry"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// balanced checks at the end of the test that the object manager has given back
// its memory, and what it kept alive on the Go heap.
func balanced(t *testing.T) {
	t.Helper()
	kit.NoLeaks(t)
	tags := []string{"ObNm", "ObCb", "Alrm", "Even", "Muta", "Sema", "Time", "Dire", "Wait"}
	used := func() (bytes uintptr) {
		for n := 0; ; n++ {
			s, ok := pool.Stats(n)
			if !ok {
				return bytes
			}
			for _, tag := range tags {
				if s.Tag == pool.TagOf(tag) {
					bytes += s.Bytes
				}
			}
		}
	}
	bytes, held := used(), registry.Held()
	t.Cleanup(func() {
		kit.Until(t, "memory is given back", func() bool { return used() <= bytes && registry.Held() <= held })
	})
}

// storm has a few threads call fn with their number and a round's.
func storm(t *testing.T, rounds int, fn func(thread, round int) NTSTATUS) {
	t.Helper()
	balanced(t)
	var all []*kit.Thread
	for i := range 4 {
		all = append(all, kit.Go(t, func() NTSTATUS {
			for n := range rounds {
				if s := fn(i, n); s != STATUS_SUCCESS {
					return s
				}
			}
			return STATUS_SUCCESS
		}))
	}
	for _, th := range all {
		want(t, "a thread", th.Join(t), STATUS_SUCCESS)
		th.Exited(t)
	}
}

// Threads that make, open and close the same few names at once, in a directory
// that comes and goes with them, find each other's objects or make their own.
func TestNameStorm(t *testing.T) {
	var made, opened atomic.Int32
	storm(t, 300, func(thread, round int) NTSTATUS {
		var dir, h HANDLE
		if s := ZwCreateDirectoryObject(&dir, DIRECTORY_ALL_ACCESS, attributes(base+"storm", OBJ_OPENIF, 0)); !NT_SUCCESS(s) {
			return s
		}
		defer ZwClose(dir)
		a := attributes(fmt.Sprintf("event %d", (round+thread)%3), OBJ_OPENIF|OBJ_KERNEL_HANDLE, dir)
		switch s := ZwCreateEvent(&h, EVENT_ALL_ACCESS, a, NotificationEvent, false); s {
		case STATUS_SUCCESS:
			made.Add(1)
		case STATUS_OBJECT_NAME_EXISTS:
			opened.Add(1)
		default:
			return s
		}
		if s := ZwSetEvent(h, nil); s != STATUS_SUCCESS {
			return s
		}
		return ZwClose(h)
	})
	t.Logf("made %d, opened %d", made.Load(), opened.Load())
	want(t, "afterwards", openEvent(attributes(base+`storm\event 0`, 0, 0)), STATUS_OBJECT_PATH_NOT_FOUND)
}

// Threads that set, cancel and expire the same timers: no APC is lost track of.
func TestTimerStorm(t *testing.T) {
	var handles [3]HANDLE
	for i := range handles {
		handles[i] = timer(t, TIMER_TYPE(i%2))
	}
	var calls atomic.Int32
	storm(t, 200, func(thread, round int) (s NTSTATUS) {
		h := handles[(round+thread)%len(handles)]
		switch round % 4 {
		case 0, 1:
			s = ZwSetTimer(h, kit.Ms(int64(round%3)), func(PVOID, ULONG, LONG) { calls.Add(1) }, nil, false, LONG(round%2), nil)
		case 2:
			s = ZwCancelTimer(h, nil)
		default:
			NtTestAlert()
			s = NtDelayExecution(false, kit.Ms(1))
		}
		return s
	})
	for _, h := range handles {
		ZwClose(h)
	}
	t.Logf("%d APCs", calls.Load())
}

// A callback is never called when its registration has ended, although handles are
// made all the time.
func TestCallbackStorm(t *testing.T) {
	const rounds = 100
	defer kit.Stay()()
	p := PVOID(KeGetCurrentThread())
	var calls atomic.Int32
	var done atomic.Bool
	register := func() NTSTATUS {
		ended := new(atomic.Bool)
		op := OB_OPERATION_REGISTRATION{ObjectType: PsThreadType, Operations: OB_OPERATION_HANDLE_CREATE,
			PreOperation: func(PVOID, *OB_PRE_OPERATION_INFORMATION) OB_PREOP_CALLBACK_STATUS {
				calls.Add(1)
				if ended.Load() {
					t.Error("called after the end")
				}
				return OB_PREOP_SUCCESS
			}}
		var r PVOID
		s := ObRegisterCallbacks(&OB_CALLBACK_REGISTRATION{Version: OB_FLT_REGISTRATION_VERSION, OperationRegistrationCount: 1,
			Altitude: *String("1"), OperationRegistration: []OB_OPERATION_REGISTRATION{op}}, &r)
		if s == STATUS_SUCCESS {
			moment := -Millisecond / 10
			for n, tries := calls.Load(), 0; calls.Load() == n && tries < 20; tries++ {
				NtDelayExecution(false, &moment)
			}
			ObUnRegisterCallbacks(r)
			ended.Store(true)
		}
		return s
	}
	storm(t, rounds, func(thread, round int) NTSTATUS {
		if thread == 0 {
			s := register()
			done.Store(round == rounds-1 || s != STATUS_SUCCESS)
			return s
		}
		for {
			var h HANDLE
			if s := ObOpenObjectByPointer(p, 0, nil, SYNCHRONIZE, PsThreadType, KernelMode, &h); s != STATUS_SUCCESS {
				return s
			}
			ZwClose(h)
			if round < rounds-1 || done.Load() {
				return STATUS_SUCCESS
			}
			NtYieldExecution()
		}
	})
	if calls.Load() == 0 {
		t.Error("no callback was ever called")
	}
}

// References that come and go on all processors add up.
func TestReferenceStorm(t *testing.T) {
	h := event(t, nil, EVENT_ALL_ACCESS)
	storm(t, 1000, func(thread, round int) NTSTATUS {
		var p PVOID
		if s := ObReferenceObjectByHandle(h, SYNCHRONIZE, ExEventObjectType, KernelMode, &p, nil); s != STATUS_SUCCESS {
			return s
		}
		if !ObReferenceObjectSafe(p) {
			return STATUS_UNSUCCESSFUL
		}
		ObDereferenceObjectDeferDelete(p)
		ObDereferenceObject(p)
		if round%10 != thread {
			return STATUS_SUCCESS
		}
		var own HANDLE
		if s := ZwCreateEvent(&own, EVENT_ALL_ACCESS, nil, NotificationEvent, false); s != STATUS_SUCCESS {
			return s
		}
		s := ObReferenceObjectByHandle(own, 0, nil, KernelMode, &p, nil)
		ZwClose(own)
		ObDereferenceObjectDeferDelete(p) // the last one
		return s
	})
	if c := counts(object(t, h)); c != "2/1" {
		t.Errorf("references/handles %s", c)
	}
	if n := ob.Handles(nil); n != 1 {
		t.Errorf("%d handles are open", n)
	}
}
