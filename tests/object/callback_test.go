package object

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"irqlab/ntstatus"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func callback(t *testing.T, many bool) PCALLBACK_OBJECT {
	t.Helper()
	var c PCALLBACK_OBJECT
	want(t, "create", ExCreateCallback(&c, nil, true, many), STATUS_SUCCESS)
	t.Cleanup(func() { ObDereferenceObject(PVOID(c)) })
	return c
}

// notes is what routines leave behind: who was called, with what, at which level.
type notes struct {
	n     uint32
	calls [16]note
}

type note struct {
	who, arg1, arg2 uintptr
	level           KIRQL
}

// listener is a context: what tells routines apart, and where they write.
type listener struct {
	who uintptr
	to  *notes
}

func listen(context, arg1, arg2 PVOID) {
	l := (*listener)(context)
	l.to.calls[l.to.n] = note{l.who, uintptr(arg1), uintptr(arg2), KeGetCurrentIrql()}
	l.to.n++
}

// rule: callback-order
// rule: callback-unregister
func TestCallback(t *testing.T) {
	kit.NoLeaks(t)
	c := callback(t, true)
	to := kit.New[notes](t)
	var registrations []PVOID
	for i := range uintptr(3) {
		l := kit.New[listener](t)
		*l = listener{i + 1, to}
		registrations = append(registrations, ExRegisterCallback(c, listen, PVOID(l)))
	}
	for _, level := range []KIRQL{PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL} {
		to.n = 0
		kit.At(level, func() { ExNotifyCallback(PVOID(c), PVOID(uintptr(7)), PVOID(uintptr(8))) })
		expected := []note{{1, 7, 8, level}, {2, 7, 8, level}, {3, 7, 8, level}}
		if !slices.Equal(to.calls[:to.n], expected) {
			t.Errorf("called %v, want %v", to.calls[:to.n], expected)
		}
	}
	to.n = 0
	ExUnregisterCallback(registrations[1])
	ExNotifyCallback(PVOID(c), nil, nil)
	if to.n != 2 || to.calls[0].who != 1 || to.calls[1].who != 3 {
		t.Errorf("without the second: %v", to.calls[:to.n])
	}
	ExUnregisterCallback(registrations[0])
	ExUnregisterCallback(registrations[2])
	to.n = 0
	ExNotifyCallback(PVOID(c), nil, nil)
	if to.n != 0 {
		t.Errorf("called after all were removed: %v", to.calls[:to.n])
	}
}

// rule: callback-single
func TestSingleCallback(t *testing.T) {
	kit.NoLeaks(t)
	c := callback(t, false)
	l := kit.New[listener](t)
	l.to = kit.New[notes](t)
	first := ExRegisterCallback(c, listen, PVOID(l))
	if first == nil || ExRegisterCallback(c, listen, PVOID(l)) != nil {
		t.Error("a second routine was registered")
	}
	ExUnregisterCallback(first)
	again := ExRegisterCallback(c, listen, PVOID(l))
	if again == nil {
		t.Error("no routine can be registered after the first has gone")
	}
	ExUnregisterCallback(again)
}

// The removal of a routine waits for a call in progress.
func TestUnregisterWaits(t *testing.T) {
	c := callback(t, true)
	var inside, leave, returned, gone atomic.Bool
	r := ExRegisterCallback(c, func(_, _, _ PVOID) {
		inside.Store(true)
		for !leave.Load() {
			time.Sleep(time.Millisecond)
		}
		returned.Store(true)
	}, nil)
	notifier := kit.Go(t, func() ntstatus.Status { ExNotifyCallback(PVOID(c), nil, nil); return 0 })
	kit.Until(t, "the call", inside.Load)
	remover := kit.Go(t, func() ntstatus.Status { ExUnregisterCallback(r); gone.Store(returned.Load()); return 0 })
	time.Sleep(5 * time.Millisecond)
	if remover.Ended() {
		t.Error("removed in the middle of a call")
	}
	leave.Store(true)
	notifier.Join(t)
	remover.Join(t)
	if !gone.Load() {
		t.Error("the removal returned before the call")
	}
}

func TestCallbackNames(t *testing.T) {
	kit.NoLeaks(t)
	const name = `\Callback\Lab`
	var c, same PCALLBACK_OBJECT
	want(t, "without a name", ExCreateCallback(&c, nil, false, true), STATUS_UNSUCCESSFUL)
	want(t, "unknown", ExCreateCallback(&c, attributes(name, OBJ_CASE_INSENSITIVE, 0), false, true), STATUS_OBJECT_NAME_NOT_FOUND)
	want(t, "create", ExCreateCallback(&c, attributes(name, OBJ_CASE_INSENSITIVE|OBJ_PERMANENT, 0), true, true), STATUS_SUCCESS)
	want(t, "open", ExCreateCallback(&same, attributes(`\callback\LAB`, OBJ_CASE_INSENSITIVE, 0), false, true), STATUS_SUCCESS)
	if c != same {
		t.Error("two objects of one name")
	}
	ObDereferenceObject(PVOID(same))
	want(t, "create again", ExCreateCallback(&same, attributes(name, OBJ_CASE_INSENSITIVE, 0), true, false), STATUS_SUCCESS)
	if c != same {
		t.Error("a second object of the name")
	}
	ObDereferenceObject(PVOID(same))
	ObMakeTemporaryObject(PVOID(c))
	ObDereferenceObject(PVOID(c))
	want(t, "gone", ExCreateCallback(&c, attributes(name, OBJ_CASE_INSENSITIVE, 0), false, true), STATUS_OBJECT_NAME_NOT_FOUND)
	var e HANDLE
	want(t, "an event", ZwCreateEvent(&e, EVENT_ALL_ACCESS, attributes(base+"NoCallback", 0, 0), NotificationEvent, false), STATUS_SUCCESS)
	want(t, "something else", ExCreateCallback(&c, attributes(base+"NoCallback", 0, 0), true, true), STATUS_OBJECT_TYPE_MISMATCH)
	ZwClose(e)
}
