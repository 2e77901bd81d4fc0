package object

import (
	"testing"
	"unsafe"

	"irqlab/kernel"
	"irqlab/tests/kit"
	"irqlab/thread"
	. "irqlab/wdk"
)

// asKernel runs fn in a system thread, whose previous mode is KernelMode.
func asKernel(t *testing.T, fn func()) {
	t.Helper()
	kit.NoLeaks(t)
	done := make(chan struct{})
	th, ok := thread.Start("kernel caller", func() {
		defer close(done)
		fn()
	})
	if !ok {
		t.Fatal("no thread")
	}
	<-done
	ObDereferenceObject(PVOID(th))
}

func TestPreviousMode(t *testing.T) {
	mode := UserMode
	asKernel(t, func() { mode = ExGetPreviousMode() })
	if mode != KernelMode {
		t.Errorf("a system thread's previous mode is %d", mode)
	}
	kit.Run(t, func() { mode = KeGetPreviousMode() })
	if mode != UserMode {
		t.Errorf("another thread's previous mode is %d", mode)
	}
}

// rule: event-zwcreate-badtype
func TestEventType(t *testing.T) {
	var h HANDLE
	for _, typ := range []EVENT_TYPE{2, -1, 1 << 30} {
		want(t, "ZwCreateEvent", ZwCreateEvent(&h, EVENT_ALL_ACCESS, nil, typ, false), STATUS_INVALID_PARAMETER_4)
		want(t, "NtCreateEvent", NtCreateEvent(&h, EVENT_ALL_ACCESS, nil, typ, false), STATUS_INVALID_PARAMETER_4)
	}
	if h != 0 {
		t.Errorf("a handle: %#x", uintptr(h))
	}
}

func queryEvent(t *testing.T, h HANDLE) EVENT_BASIC_INFORMATION {
	t.Helper()
	var i EVENT_BASIC_INFORMATION
	n := ULONG(1)
	want(t, "query", ZwQueryEvent(h, EventBasicInformation, PVOID(&i), ULONG(unsafe.Sizeof(i)), &n), STATUS_SUCCESS)
	if n != ULONG(unsafe.Sizeof(i)) {
		t.Errorf("returned length %d", n)
	}
	return i
}

func TestEvents(t *testing.T) {
	for _, typ := range []EVENT_TYPE{NotificationEvent, SynchronizationEvent} {
		kit.NoLeaks(t)
		var h HANDLE
		want(t, "create", ZwCreateEvent(&h, EVENT_ALL_ACCESS, nil, typ, true), STATUS_SUCCESS)
		state := LONG(-1)
		step := func(what string, s NTSTATUS, before, after LONG) {
			t.Helper()
			want(t, what, s, STATUS_SUCCESS)
			if i := queryEvent(t, h); i.EventType != typ || i.EventState != after || state != before {
				t.Errorf("%s: type %d, state %d after %d, want %d after %d", what, i.EventType, i.EventState, state, after, before)
			}
			state = -1
		}
		step("create", STATUS_SUCCESS, -1, 1)
		step("reset", ZwResetEvent(h, &state), 1, 0)
		step("reset again", ZwResetEvent(h, &state), 0, 0)
		step("set", ZwSetEvent(h, &state), 0, 1)
		step("set, nobody asks", ZwSetEvent(h, nil), -1, 1)
		step("clear", ZwClearEvent(h), -1, 0)
		step("set", ZwSetEvent(h, &state), 0, 1)
		step("pulse", ZwPulseEvent(h, &state), 1, 0)
		zero := LARGE_INTEGER(0)
		want(t, "wait", ZwWaitForSingleObject(h, false, &zero), STATUS_TIMEOUT)
		want(t, "set", ZwSetEvent(h, nil), STATUS_SUCCESS)
		want(t, "wait", ZwWaitForSingleObject(h, false, &zero), STATUS_SUCCESS)
		if i := queryEvent(t, h); i.EventState != LONG(1-typ) {
			t.Errorf("type %d: state %d after a wait", typ, i.EventState)
		}
		ZwClose(h)
	}
}

// rule: event-nt-modify-access
func TestEventAccess(t *testing.T) {
	p := object(t, event(t, nil, EVENT_ALL_ACCESS))
	for access, allowed := range map[ACCESS_MASK]struct{ modify, query NTSTATUS }{
		EVENT_MODIFY_STATE:        {STATUS_SUCCESS, STATUS_ACCESS_DENIED},
		EVENT_QUERY_STATE:         {STATUS_ACCESS_DENIED, STATUS_SUCCESS},
		SYNCHRONIZE:               {STATUS_ACCESS_DENIED, STATUS_ACCESS_DENIED},
		EVENT_ALL_ACCESS:          {STATUS_SUCCESS, STATUS_SUCCESS},
		GENERIC_ALL:               {STATUS_SUCCESS, STATUS_SUCCESS},
		0x4000_0000:               {STATUS_SUCCESS, STATUS_ACCESS_DENIED}, // GENERIC_WRITE
		0x8000_0000:               {STATUS_ACCESS_DENIED, STATUS_SUCCESS}, // GENERIC_READ
		0x0200_0000 | SYNCHRONIZE: {STATUS_SUCCESS, STATUS_SUCCESS},       // MAXIMUM_ALLOWED
	} {
		var h HANDLE
		want(t, "open", ObOpenObjectByPointer(p, 0, nil, access, ExEventObjectType, UserMode, &h), STATUS_SUCCESS)
		services := func(modify, query NTSTATUS) {
			var i EVENT_BASIC_INFORMATION
			want(t, "NtSetEvent", NtSetEvent(h, nil), modify)
			want(t, "NtResetEvent", NtResetEvent(h, nil), modify)
			want(t, "NtClearEvent", NtClearEvent(h), modify)
			want(t, "NtPulseEvent", NtPulseEvent(h, nil), modify)
			want(t, "NtQueryEvent", NtQueryEvent(h, EventBasicInformation, PVOID(&i), ULONG(unsafe.Sizeof(i)), nil), query)
		}
		kit.Run(t, func() { services(allowed.modify, allowed.query) })
		asKernel(t, func() { services(STATUS_SUCCESS, STATUS_SUCCESS) })
		ZwClose(h)
	}
}

// The thread that the event releases gets one priority level, and the caller does
// not keep the dispatcher's lock.
//
// rule: event-nt-set-increment
func TestEventIncrement(t *testing.T) {
	h := event(t, nil, EVENT_ALL_ACCESS)
	e := PKEVENT(object(t, h))
	for what, signal := range map[string]func() NTSTATUS{
		"set":   func() NTSTATUS { return ZwSetEvent(h, nil) },
		"pulse": func() NTSTATUS { return ZwPulseEvent(h, nil) },
	} {
		woken := func() bool {
			var priority int8
			waiter := kit.Go(t, func() NTSTATUS {
				s := ZwWaitForSingleObject(h, false, nil)
				priority = kernel.Current().Priority
				return s
			}, func() { kit.OnCPU(0) })
			kit.AwaitWaiters(t, &e.Header, 1)
			want(t, what, signal(), STATUS_SUCCESS)
			want(t, "the waiter", waiter.Join(t), STATUS_SUCCESS)
			return priority == kernel.DefaultPriority+EVENT_INCREMENT
		}
		if !kit.Retry(woken) {
			t.Errorf("%s: the waiter's priority is never %d", what, kernel.DefaultPriority+EVENT_INCREMENT)
		}
		if kernel.Current().WaitNext {
			t.Errorf("%s keeps the dispatcher lock", what)
		}
	}
}

// rule: event-io-created-signaled
// rule: event-io-named-shared
// rule: event-io-refs
// rule: event-io-type-kept
func TestIoEvents(t *testing.T) {
	kit.NoLeaks(t)
	for _, c := range []struct {
		create, other func(*UNICODE_STRING, PHANDLE) PKEVENT
		typ           kernel.Type
	}{
		{IoCreateNotificationEvent, IoCreateSynchronizationEvent, kernel.TypeNotificationEvent},
		{IoCreateSynchronizationEvent, IoCreateNotificationEvent, kernel.TypeSynchronizationEvent},
	} {
		for _, name := range []string{"", `\BaseNamedObjects\irqlab`} {
			var n *UNICODE_STRING
			if name != "" {
				n = String(name)
			}
			var h, h2 HANDLE
			e := c.create(n, &h)
			if e == nil || !ObIsKernelHandle(h) || KeReadStateEvent(e) == 0 || e.Header.Type != c.typ {
				t.Fatalf("%q: %p, handle %#x", name, e, uintptr(h))
			}
			ObReferenceObject(PVOID(e)) // to look, as a query would
			one, two := "2/1", "2/1"
			if name != "" {
				one, two = "3/1", "4/2"
			}
			if got := counts(PVOID(e)); got != one {
				t.Errorf("%q: references/handles %s, want %s", name, got, one)
			}
			KeClearEvent(e)
			again := c.other(n, &h2)
			if got := counts(PVOID(e)); got != two {
				t.Errorf("%q, opened twice: references/handles %s, want %s", name, got, two)
			}
			if name != "" && (again != e || KeReadStateEvent(again) != 0 || again.Header.Type != c.typ) || name == "" && again == e {
				t.Errorf("%q: the second caller gets %p, state %d, type %d", name, again, again.Header.State(), again.Header.Type)
			}
			ZwClose(h2)
			if name != "" {
				want(t, "set by the first handle", ZwSetEvent(h, nil), STATUS_SUCCESS)
			}
			ZwClose(h)
			if got := counts(PVOID(e)); got != "1/0" {
				t.Errorf("%q, closed: references/handles %s", name, got)
			}
			ObDereferenceObject(PVOID(e))
		}
	}
	var h HANDLE
	if e := IoCreateNotificationEvent(String("no path"), &h); e != nil || h != 0 {
		t.Errorf("a name without a path: %p", e)
	}
}
