package object

import (
	"fmt"
	"testing"
	"unsafe"

	"irqlab/tests/kit"
	. "irqlab/wdk"
)

const base = `\BaseNamedObjects\`

// create makes, or opens, an event and closes the handle if there is one.
func create(a *OBJECT_ATTRIBUTES) NTSTATUS {
	var h HANDLE
	s := ZwCreateEvent(&h, EVENT_ALL_ACCESS, a, NotificationEvent, false)
	if NT_SUCCESS(s) {
		ZwClose(h)
	}
	return s
}

// openEvent opens an event and closes the handle if there is one.
func openEvent(a *OBJECT_ATTRIBUTES) NTSTATUS {
	var h HANDLE
	s := ZwOpenEvent(&h, EVENT_ALL_ACCESS, a)
	if NT_SUCCESS(s) {
		ZwClose(h)
	}
	return s
}

func TestNames(t *testing.T) {
	event(t, attributes(base+"Door", 0, 0), EVENT_ALL_ACCESS)
	var semaphore HANDLE
	want(t, "create", ZwCreateSemaphore(&semaphore, SEMAPHORE_ALL_ACCESS, attributes(base+"Seats", 0, 0), 0, 1), STATUS_SUCCESS)
	defer ZwClose(semaphore)
	for _, c := range []struct {
		name         string
		flags        ULONG
		create, open NTSTATUS
	}{
		{base + "Door", 0, STATUS_OBJECT_NAME_COLLISION, STATUS_SUCCESS},
		{base + "Door", OBJ_OPENIF, STATUS_OBJECT_NAME_EXISTS, STATUS_SUCCESS},
		{base + "door", OBJ_OPENIF, STATUS_SUCCESS, STATUS_OBJECT_NAME_NOT_FOUND},
		{base + "DOOR", OBJ_OPENIF | OBJ_CASE_INSENSITIVE, STATUS_OBJECT_NAME_EXISTS, STATUS_SUCCESS},
		{`\basenamedobjects\DOOR`, OBJ_OPENIF | OBJ_CASE_INSENSITIVE, STATUS_OBJECT_NAME_EXISTS, STATUS_SUCCESS},
		{`\basenamedobjects\Door`, OBJ_OPENIF, STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND},
		{base + "Seats", 0, STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_TYPE_MISMATCH},
		{base + "Seats", OBJ_OPENIF, STATUS_OBJECT_TYPE_MISMATCH, STATUS_OBJECT_TYPE_MISMATCH},
		{base + "Seats\\back", OBJ_OPENIF, STATUS_OBJECT_TYPE_MISMATCH, STATUS_OBJECT_TYPE_MISMATCH},
		{base + "Doors", OBJ_OPENIF, STATUS_SUCCESS, STATUS_OBJECT_NAME_NOT_FOUND},
		{base + "Nowhere\\Door", OBJ_OPENIF, STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND},
		{base, 0, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_INVALID},
		{`\\BaseNamedObjects\Door`, 0, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_INVALID},
		{`\BaseNamedObjects`, OBJ_OPENIF, STATUS_OBJECT_TYPE_MISMATCH, STATUS_OBJECT_TYPE_MISMATCH},
		{`\`, OBJ_OPENIF, STATUS_OBJECT_TYPE_MISMATCH, STATUS_OBJECT_TYPE_MISMATCH},
		{"Door", 0, STATUS_OBJECT_PATH_SYNTAX_BAD, STATUS_OBJECT_PATH_SYNTAX_BAD},
		{"", 0, STATUS_SUCCESS, STATUS_OBJECT_PATH_SYNTAX_BAD},
		{base + "Tür", OBJ_OPENIF, STATUS_SUCCESS, STATUS_OBJECT_NAME_NOT_FOUND},
	} {
		want(t, fmt.Sprintf("create %q, %#x", c.name, c.flags), create(attributes(c.name, c.flags, 0)), c.create)
		want(t, fmt.Sprintf("open %q, %#x", c.name, c.flags), openEvent(attributes(c.name, c.flags, 0)), c.open)
	}
}

func TestFolding(t *testing.T) {
	event(t, attributes(base+"Größe-жар", 0, 0), EVENT_ALL_ACCESS)
	want(t, "other case", openEvent(attributes(base+"GRÖßE-ЖАР", OBJ_CASE_INSENSITIVE, 0)), STATUS_SUCCESS)
	want(t, "another name", openEvent(attributes(base+"Grosse-жар", OBJ_CASE_INSENSITIVE, 0)), STATUS_OBJECT_NAME_NOT_FOUND)
}

// Attributes and strings that make no sense.
func TestBadAttributes(t *testing.T) {
	kit.NoLeaks(t)
	a := attributes(base+"x", 0, 0)
	a.Length--
	want(t, "length", create(a), STATUS_INVALID_PARAMETER)
	want(t, "flags", create(attributes(base+"x", 0x4000, 0)), STATUS_INVALID_PARAMETER)
	a = attributes(base+"x", 0, 0)
	a.ObjectName.Length--
	want(t, "half a character", create(a), STATUS_OBJECT_NAME_INVALID)
	a.ObjectName.Length = 0
	want(t, "no characters: no name", create(a), STATUS_SUCCESS)
	want(t, "a root that is none", create(attributes("x", 0, 0x7000)), STATUS_INVALID_HANDLE)
	h := event(t, nil, EVENT_ALL_ACCESS)
	want(t, "a root that is an event", create(attributes("x", 0, h)), STATUS_OBJECT_TYPE_MISMATCH)
}

func TestDirectories(t *testing.T) {
	kit.NoLeaks(t)
	var dir, sub, again HANDLE
	want(t, "create", ZwCreateDirectoryObject(&dir, DIRECTORY_ALL_ACCESS, attributes(base+"House", 0, 0)), STATUS_SUCCESS)
	want(t, "create below", ZwCreateDirectoryObject(&sub, DIRECTORY_ALL_ACCESS, attributes("Room", OBJ_KERNEL_HANDLE, dir)), STATUS_SUCCESS)
	want(t, "open", ZwOpenDirectoryObject(&again, DIRECTORY_QUERY, attributes(base+"House\\Room", 0, 0)), STATUS_SUCCESS)
	ZwClose(again)
	want(t, "open a root", ZwOpenDirectoryObject(&again, DIRECTORY_QUERY, attributes("", 0, sub)), STATUS_SUCCESS)
	ZwClose(again)
	want(t, "a rooted name below a root", create(attributes(`\x`, 0, dir)), STATUS_OBJECT_PATH_SYNTAX_BAD)
	h := event(t, attributes("Door", 0, sub), EVENT_ALL_ACCESS)
	want(t, "by its path", openEvent(attributes(`\BaseNamedObjects\House\Room\Door`, 0, 0)), STATUS_SUCCESS)
	want(t, "from the middle", openEvent(attributes(`Room\Door`, 0, dir)), STATUS_SUCCESS)

	// A directory without handles has no name, but its objects keep it.
	ZwClose(sub)
	want(t, "without the directory", openEvent(attributes(base+`House\Room\Door`, 0, 0)), STATUS_OBJECT_PATH_NOT_FOUND)
	if c := counts(object(t, h)); c != "3/1" {
		t.Errorf("counts %s", c)
	}
	ZwClose(dir)
	want(t, "gone", openEvent(attributes(base+"House", 0, 0)), STATUS_OBJECT_NAME_NOT_FOUND)
}

// rule: obj-make-temporary
func TestPermanent(t *testing.T) {
	kit.NoLeaks(t)
	name := base + "Stone"
	var h HANDLE
	want(t, "create", ZwCreateEvent(&h, EVENT_ALL_ACCESS, attributes(name, OBJ_PERMANENT, 0), NotificationEvent, true), STATUS_SUCCESS)
	ZwClose(h)
	want(t, "without a handle", openEvent(attributes(name, 0, 0)), STATUS_SUCCESS)
	want(t, "open", ZwOpenEvent(&h, EVENT_ALL_ACCESS, attributes(name, 0, 0)), STATUS_SUCCESS)
	var p PVOID
	ObReferenceObjectByHandle(h, 0, nil, KernelMode, &p, nil)
	ObMakeTemporaryObject(p)
	want(t, "with a handle", openEvent(attributes(name, 0, 0)), STATUS_SUCCESS)
	ZwClose(h)
	want(t, "temporary, without a handle", openEvent(attributes(name, 0, 0)), STATUS_OBJECT_NAME_NOT_FOUND)
	if counts(p) != "1/0" {
		t.Errorf("counts %s", counts(p))
	}
	ObDereferenceObject(p)

	// Made temporary without a handle, it goes at once.
	want(t, "create", ZwCreateEvent(&h, EVENT_ALL_ACCESS, attributes(name, OBJ_PERMANENT, 0), NotificationEvent, true), STATUS_SUCCESS)
	ObReferenceObjectByHandle(h, 0, nil, KernelMode, &p, nil)
	ZwClose(h)
	ObMakeTemporaryObject(p)
	want(t, "made temporary", openEvent(attributes(name, 0, 0)), STATUS_OBJECT_NAME_NOT_FOUND)
	ObDereferenceObject(p)
	kit.Run(t, func() {
		want(t, "a user's", NtCreateEvent(&h, EVENT_ALL_ACCESS, attributes(name, OBJ_PERMANENT, 0), NotificationEvent, true), STATUS_PRIVILEGE_NOT_HELD)
	})
}

// A name is free again when its last handle is closed, although the object lives.
func TestNameExpires(t *testing.T) {
	kit.NoLeaks(t)
	name := attributes(base+"Wind", 0, 0)
	var h HANDLE
	want(t, "create", ZwCreateEvent(&h, EVENT_ALL_ACCESS, name, NotificationEvent, true), STATUS_SUCCESS)
	p := object(t, h)
	ZwClose(h)
	want(t, "another one", create(name), STATUS_SUCCESS)
	if counts(p) != "1/0" {
		t.Errorf("counts %s", counts(p))
	}
}

func TestExclusive(t *testing.T) {
	name := base + "Mine"
	h := event(t, attributes(name, OBJ_EXCLUSIVE, 0), EVENT_ALL_ACCESS)
	want(t, "open", openEvent(attributes(name, 0, 0)), STATUS_ACCESS_DENIED)
	want(t, "open if", create(attributes(name, OBJ_OPENIF, 0)), STATUS_ACCESS_DENIED)
	var d HANDLE
	want(t, "duplicate", ZwDuplicateObject(NtCurrentProcess(), h, NtCurrentProcess(), &d, 0, 0, DUPLICATE_SAME_ACCESS), STATUS_ACCESS_DENIED)
}

func TestQueryName(t *testing.T) {
	kit.NoLeaks(t)
	var dir HANDLE
	want(t, "create", ZwCreateDirectoryObject(&dir, DIRECTORY_ALL_ACCESS, attributes(base+"Town", 0, 0)), STATUS_SUCCESS)
	defer ZwClose(dir)
	const size = 400
	query := func(p PVOID, length ULONG) (string, ULONG, NTSTATUS) {
		i := (*OBJECT_NAME_INFORMATION)(unsafe.Pointer(new([size / 8]uint64)))
		var n ULONG
		s := ObQueryNameString(p, i, length, &n)
		return i.Name.String(), n, s
	}
	for name, h := range map[string]HANDLE{
		"":                                   event(t, nil, EVENT_ALL_ACCESS),
		`\BaseNamedObjects\Town\Hall`:        event(t, attributes("Hall", 0, dir), EVENT_ALL_ACCESS),
		`\BaseNamedObjects\Town`:             dir,
		`\BaseNamedObjects\Town\größtes Tor`: event(t, attributes("größtes Tor", 0, dir), EVENT_ALL_ACCESS),
	} {
		p := object(t, h)
		got, n, s := query(p, size)
		if s != STATUS_SUCCESS || got != name {
			t.Errorf("%q: %v, %q", name, s, got)
		}
		if _, m, s := query(p, n); s != STATUS_SUCCESS || m != n {
			t.Errorf("%q: just enough: %v, needs %d", name, s, m)
		}
		if _, m, s := query(p, n-1); s != STATUS_INFO_LENGTH_MISMATCH || m != n {
			t.Errorf("%q: one byte too few: %v, needs %d", name, s, m)
		}
	}
	if name, _, s := query(PVOID(KeGetCurrentThread()), size); name != "" || s != STATUS_SUCCESS {
		t.Errorf("a thread is called %q, %v", name, s)
	}
	var root HANDLE
	want(t, "open the root", ZwOpenDirectoryObject(&root, DIRECTORY_QUERY, attributes(`\`, 0, 0)), STATUS_SUCCESS)
	defer ZwClose(root)
	if name, _, s := query(object(t, root), size); name != `\` || s != STATUS_SUCCESS {
		t.Errorf("the root is called %q, %v", name, s)
	}
}
