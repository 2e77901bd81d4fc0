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

// told is what a notify routine was told, in order.
type told struct {
	id      HANDLE
	created bool
	by      HANDLE
	level   KIRQL
	ran     bool // the new thread was running
}

// Others may create threads meanwhile, such as the manager of the workers.
var (
	tellings         []told
	creator, watched HANDLE
	ran              atomic.Bool
)

func tells(process, id HANDLE, created BOOLEAN) {
	if created && PsGetCurrentThreadId() == creator || id == watched {
		tellings = append(tellings, told{id, created, PsGetCurrentThreadId(), KeGetCurrentIrql(), ran.Load()})
		watched = id
	}
}

// rule: thr-notify-order
// rule: thr-notify-remove-twice
func TestNotify(t *testing.T) {
	tellings, watched = nil, 0
	ran.Store(false)
	if s := PsSetCreateThreadNotifyRoutine(tells); s != STATUS_SUCCESS {
		t.Fatal(s)
	}
	var created HANDLE
	run := func() {
		var h HANDLE
		var id CLIENT_ID
		creator = PsGetCurrentThreadId()
		PsCreateSystemThread(&h, SYNCHRONIZE, nil, 0, &id, func(PVOID) { ran.Store(true) }, nil)
		ZwWaitForSingleObject(h, false, nil)
		ZwClose(h)
		created = id.UniqueThread
	}
	kit.Run(t, run)
	if s := PsRemoveCreateThreadNotifyRoutine(tells); s != STATUS_SUCCESS {
		t.Error(s)
	}
	if s := PsRemoveCreateThreadNotifyRoutine(tells); s != STATUS_PROCEDURE_NOT_FOUND {
		t.Errorf("removed twice: %v", s)
	}
	n := len(tellings)
	kit.Run(t, run)
	if len(tellings) != n {
		t.Error("called after its removal")
	}
	if n != 2 {
		t.Fatalf("told %+v", tellings)
	}
	first := tellings[0].id
	want := []told{{first, true, tellings[0].by, PASSIVE_LEVEL, false}, {first, false, first, PASSIVE_LEVEL, true}}
	if tellings[0] != want[0] || tellings[1] != want[1] || tellings[0].by == first || creator == 0 || created == 0 {
		t.Errorf("told %+v, want %+v", tellings, want)
	}
}

// rule: thr-notify-null
func TestNotifyNull(t *testing.T) {
	if s := PsRemoveCreateThreadNotifyRoutine(nil); s != STATUS_PROCEDURE_NOT_FOUND {
		t.Errorf("removed nil, which was not there: %v", s)
	}
	if s := PsSetCreateThreadNotifyRoutine(nil); s != STATUS_SUCCESS {
		t.Errorf("nil: %v", s)
	}
	run(t, func() {})
	if s := PsRemoveCreateThreadNotifyRoutine(nil); s != STATUS_SUCCESS {
		t.Errorf("removed nil: %v", s)
	}
}

func TestNotifyKinds(t *testing.T) {
	calls := 0
	var r PCREATE_THREAD_NOTIFY_ROUTINE = func(_, _ HANDLE, _ BOOLEAN) { calls++ }
	for kind, want := range map[PSCREATETHREADNOTIFYTYPE]NTSTATUS{
		PsCreateThreadNotifyNonSystem: STATUS_SUCCESS, PsCreateThreadNotifySubsystems: STATUS_SUCCESS, 2: STATUS_INVALID_PARAMETER,
	} {
		calls = 0
		if s := PsSetCreateThreadNotifyRoutineEx(kind, PVOID(&r)); s != want {
			t.Errorf("kind %d: %v", kind, s)
		}
		run(t, func() {})
		if (calls != 0) != (kind == PsCreateThreadNotifySubsystems) {
			t.Errorf("kind %d: %d calls for a system thread", kind, calls)
		}
		PsRemoveCreateThreadNotifyRoutine(r)
	}
	for range 64 {
		PsSetCreateThreadNotifyRoutine(r)
	}
	if s := PsSetCreateThreadNotifyRoutine(r); s != STATUS_INSUFFICIENT_RESOURCES {
		t.Errorf("the 65th: %v", s)
	}
	for PsRemoveCreateThreadNotifyRoutine(r) == STATUS_SUCCESS {
	}
}

// rule: thr-notify-null
func TestProcessNotify(t *testing.T) {
	r := func(_, _ HANDLE, _ BOOLEAN) { t.Error("called") }
	for i, c := range []struct {
		remove bool
		want   NTSTATUS
	}{{true, STATUS_PROCEDURE_NOT_FOUND}, {false, STATUS_SUCCESS}, {false, STATUS_INVALID_PARAMETER}, {true, STATUS_SUCCESS}, {true, STATUS_PROCEDURE_NOT_FOUND}} {
		if s := PsSetCreateProcessNotifyRoutine(r, c.remove); s != c.want {
			t.Errorf("call %d: %v", i+1, s)
		}
	}
}

// rule: thr-io-create
func TestIoCreateSystemThread(t *testing.T) {
	e := ob.Create(ob.Event, 24)
	references := func() int64 { return kernel.ObjectOf(e).PointerCount }
	var during int64
	let := make(chan struct{})
	var h HANDLE
	s := IoCreateSystemThread(PVOID(e), &h, SYNCHRONIZE, nil, 0, nil, func(PVOID) { during = references(); <-let }, nil)
	if s != STATUS_SUCCESS {
		t.Fatal(s)
	}
	close(let)
	ZwWaitForSingleObject(h, false, nil)
	ZwClose(h)
	if n := references(); during != 2 || n != 1 {
		t.Errorf("%d references while the thread ran, %d after", during, n)
	}
	if s := IoCreateSystemThread(PVOID(e), nil, SYNCHRONIZE, nil, 0, nil, func(PVOID) {}, nil); NT_SUCCESS(s) || references() != 1 {
		t.Errorf("without a place for the handle: %v, %d references", s, references())
	}
	ObDereferenceObject(PVOID(e))
}

// A device or driver object has no references to count.
//
// rule: thr-io-create
func TestIoCreateSystemThreadOfDevice(t *testing.T) {
	d := kit.New[DEVICE_OBJECT](t)
	for typ, size := range map[int16]uintptr{3: unsafe.Sizeof(*d), 4: 0x150} {
		d.Type, d.Size = typ, USHORT(size)
		var h HANDLE
		ran := false
		if s := IoCreateSystemThread(PVOID(d), &h, SYNCHRONIZE, nil, 0, nil, func(PVOID) { ran = true }, nil); s != STATUS_SUCCESS {
			t.Fatalf("type %d: %v", typ, s)
		}
		ZwWaitForSingleObject(h, false, nil)
		ZwClose(h)
		if !ran {
			t.Errorf("type %d: it did not run", typ)
		}
	}
}
