package object

import (
	"fmt"
	"testing"
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ob"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// attributes returns object attributes, with a name if that is not empty.
func attributes(name string, flags ULONG, root HANDLE) *OBJECT_ATTRIBUTES {
	a := new(OBJECT_ATTRIBUTES)
	var n *UNICODE_STRING
	if name != "" {
		n = String(name)
	}
	InitializeObjectAttributes(a, n, flags, root, nil)
	return a
}

// want reports a status that is not the right one.
func want(t *testing.T, what string, got, want NTSTATUS) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// event returns a handle to a new event that is closed at the end of the test.
func event(t *testing.T, a *OBJECT_ATTRIBUTES, access ACCESS_MASK) HANDLE {
	t.Helper()
	kit.NoLeaks(t)
	var h HANDLE
	if s := ZwCreateEvent(&h, access, a, SynchronizationEvent, false); !NT_SUCCESS(s) {
		t.Fatal(s)
	}
	t.Cleanup(func() { ZwClose(h) })
	return h
}

// object returns the object of a handle, with a reference that is dropped at the
// end of the test.
func object(t *testing.T, h HANDLE) PVOID {
	t.Helper()
	var p PVOID
	if s := ObReferenceObjectByHandle(h, 0, nil, KernelMode, &p, nil); s != STATUS_SUCCESS {
		t.Fatal(s)
	}
	t.Cleanup(func() { ObDereferenceObject(p) })
	return p
}

// counts returns an object's references, less the one of the caller that has
// none but this for looking, and handles.
func counts(p PVOID) string {
	o := kernel.ObjectOf(p)
	return fmt.Sprintf("%d/%d", o.PointerCount, o.HandleCount)
}

func count(t POBJECT_TYPE) int64 { return t.Count().Objects }

// rule: obj-ref-balance
func TestReferences(t *testing.T) {
	kit.NoLeaks(t)
	before := count(ExEventObjectType)
	h := HANDLE(0)
	want(t, "create", ZwCreateEvent(&h, EVENT_ALL_ACCESS, nil, NotificationEvent, true), STATUS_SUCCESS)
	var p, q PVOID
	want(t, "by handle", ObReferenceObjectByHandle(h, 0, ExEventObjectType, KernelMode, &p, nil), STATUS_SUCCESS)
	want(t, "with tag", ObReferenceObjectByHandleWithTag(h, 0, ExEventObjectType, KernelMode, 'T', &q, nil), STATUS_SUCCESS)
	ObReferenceObject(p)
	ObfReferenceObject(p)
	ObReferenceObjectWithTag(p, 'T')
	want(t, "by pointer", ObReferenceObjectByPointer(p, 0, ExEventObjectType, KernelMode), STATUS_SUCCESS)
	want(t, "by pointer with tag", ObReferenceObjectByPointerWithTag(p, 0, nil, KernelMode, 'T'), STATUS_SUCCESS)
	if p != q || counts(p) != "8/1" {
		t.Errorf("%p and %p, counts %s", p, q, counts(p))
	}
	ZwClose(h)
	ObDereferenceObjectWithTag(p, 'T')
	ObfDereferenceObject(p)
	for range 4 {
		ObDereferenceObject(p)
	}
	if counts(p) != "1/0" || count(ExEventObjectType) != before+1 || KeReadStateEvent(PKEVENT(p)) == 0 {
		t.Errorf("counts %s, %d objects", counts(p), count(ExEventObjectType))
	}
	ObDereferenceObject(p)
	if n := count(ExEventObjectType); n != before {
		t.Errorf("%d events are left, want %d", n, before)
	}
}

// rule: obj-bypointer-type
// rule: obj-openbypointer
func TestWrongType(t *testing.T) {
	h := event(t, nil, EVENT_ALL_ACCESS)
	p := object(t, h)
	before := counts(p)
	want(t, "by pointer", ObReferenceObjectByPointer(p, 0, PsThreadType, KernelMode), STATUS_OBJECT_TYPE_MISMATCH)
	want(t, "by pointer for a user", ObReferenceObjectByPointer(p, 0, PsThreadType, UserMode), STATUS_OBJECT_TYPE_MISMATCH)
	want(t, "by pointer for a user, of any type", ObReferenceObjectByPointer(p, 0, nil, UserMode), STATUS_OBJECT_TYPE_MISMATCH)
	other := HANDLE(1)
	want(t, "open for a user, of any type", ObOpenObjectByPointer(p, 0, nil, 0, nil, UserMode, &other), STATUS_OBJECT_TYPE_MISMATCH)
	want(t, "open", ObOpenObjectByPointer(p, 0, nil, 0, PsThreadType, KernelMode, &other), STATUS_OBJECT_TYPE_MISMATCH)
	want(t, "open with attributes", ObOpenObjectByPointer(p, 0x8000, nil, 0, nil, KernelMode, &other), STATUS_INVALID_PARAMETER)
	if counts(p) != before || other != 1 {
		t.Errorf("counts %s became %s, handle %#x", before, counts(p), uintptr(other))
	}
	want(t, "open", ObOpenObjectByPointer(p, OBJ_KERNEL_HANDLE, nil, EVENT_QUERY_STATE, ExEventObjectType, KernelMode, &other), STATUS_SUCCESS)
	if counts(p) != "3/2" || !ObIsKernelHandle(other) {
		t.Errorf("counts %s, handle %#x", counts(p), uintptr(other))
	}
	want(t, "close", ZwClose(other), STATUS_SUCCESS)
}

// rule: obj-safe
func TestReferenceSafe(t *testing.T) {
	p := object(t, event(t, nil, EVENT_ALL_ACCESS))
	if !ObReferenceObjectSafe(p) || counts(p) != "3/1" {
		t.Error("an object that lives gets no reference")
	}
	ObDereferenceObject(p)
	// An object whose deletion has begun: its last reference is gone.
	dying := kit.New[struct {
		kernel.ObjectHeader
		body KEVENT
	}](t)
	dying.TypeIndex = ob.Event
	if ObReferenceObjectSafe(PVOID(&dying.body)) || dying.PointerCount != 0 {
		t.Error("an object that is being deleted gets a reference")
	}
}

// rule: obj-deref-dispatch
func TestDereferenceRaised(t *testing.T) {
	kit.NoLeaks(t)
	release := kit.Stay()
	defer release()
	make1 := func() PVOID {
		p := ob.Create(ob.Event, unsafe.Sizeof(KEVENT{}))
		KeInitializeEvent(PKEVENT(p), NotificationEvent, false)
		return p
	}
	before := count(ExEventObjectType)
	p, q := make1(), make1()
	var now, later int64
	kit.At(irql.Dispatch, func() {
		ObDereferenceObject(p)
		now = count(ExEventObjectType)
		ObDereferenceObjectDeferDelete(q)
		later = count(ExEventObjectType)
	})
	if now != before+1 {
		t.Errorf("%d events after ObDereferenceObject at DISPATCH_LEVEL, want %d", now, before+1)
	}
	// With one processor no worker can have run yet.
	if kit.CPUs() == 1 && later != before+1 {
		t.Errorf("%d events after ObDereferenceObjectDeferDelete, want %d", later, before+1)
	}
	kit.Until(t, "a worker deletes the object", func() bool { return count(ExEventObjectType) == before })
	p = make1()
	ObReferenceObject(p)
	ObDereferenceObjectDeferDeleteWithTag(p, 'T')
	if counts(p) != "1/0" {
		t.Errorf("counts %s", counts(p))
	}
	ObDereferenceObject(p)
}

// What a worker thread deletes it deletes at PASSIVE_LEVEL: a mutant's owner
// loses it only then.
//
// rule: obj-deref-dispatch
func TestDeferredByWorker(t *testing.T) {
	kit.Run(t, func() {
		p := ob.Create(ob.Mutant, unsafe.Sizeof(KMUTANT{}))
		KeInitializeMutant(PKMUTANT(p), true)
		self := KeGetCurrentThread()
		owns := func() bool { return !self.MutantList.Empty() }
		if !owns() {
			t.Error("the mutant has no owner")
		}
		ObDereferenceObjectDeferDelete(p)
		kit.Until(t, "the mutant goes", func() bool { return !owns() })
	})
}

// rule: obj-handle-counts
func TestCounts(t *testing.T) {
	for name, counted := range map[string]string{"": "2/1", `\BaseNamedObjects\counted`: "3/1"} {
		h := event(t, attributes(name, 0, 0), EVENT_ALL_ACCESS)
		if c := counts(object(t, h)); c != counted {
			t.Errorf("name %q: references/handles %s, want %s", name, c, counted)
		}
	}
}

func TestPopulation(t *testing.T) {
	kit.NoLeaks(t)
	before := ExSemaphoreObjectType.Count()
	var h [10]HANDLE
	for i := range h {
		want(t, "create", ZwCreateSemaphore(&h[i], SEMAPHORE_ALL_ACCESS, nil, 0, 1), STATUS_SUCCESS)
	}
	full := ExSemaphoreObjectType.Count()
	for _, h := range h {
		ZwClose(h)
	}
	after := ExSemaphoreObjectType.Count()
	if full.Objects != before.Objects+10 || full.Handles != before.Handles+10 || full.References != before.References+10 ||
		after.Objects != before.Objects || after.Handles != before.Handles || after.References != before.References ||
		after.PeakObjects < before.Objects+10 || after.PeakHandles < before.Handles+10 {
		t.Errorf("before %+v, with ten more %+v, after %+v", before, full, after)
	}
}
