package ob

import (
	"unsafe"

	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/pool"
)

// Insert returns a handle to an object that Create has made, enters its name, if
// the attributes have one, and takes the creator's reference (ObInsertObject).
// If there is an object of that name and type already, and the attributes allow
// OpenIf, the handle is to that one, the status is NameExists, and the new
// object is gone.
//
// Statuses: Success, NameExists, NameCollision, ObjectMismatch, NameInvalid,
// PathNotFound, PathSyntaxBad, PrivilegeNotHeld for a permanent object of
// UserMode, AccessDenied for one that is exclusive, NoResources, and those of
// ReferenceByHandle for the root.
//
// IRQL: PASSIVE_LEVEL
func Insert(body unsafe.Pointer, a *Attributes, access uint32, mode kernel.Mode) (Handle, ntstatus.Status) {
	var h Handle
	var s ntstatus.Status
	if len(a.Name) == 0 {
		h, s = Open(body, a.Flags, access)
	} else {
		h, s = insertNamed(headerOf(body), a, access, mode)
	}
	Dereference(body)
	return h, s
}

func insertNamed(o *kernel.ObjectHeader, a *Attributes, access uint32, mode kernel.Mode) (h Handle, s ntstatus.Status) {
	if a.Flags&Permanent != 0 && mode == kernel.UserMode {
		return 0, ntstatus.PrivilegeNotHeld
	}
	d, rest, s := a.start(mode)
	if s != ntstatus.Success {
		return 0, s
	}
	last := lastPart(rest)
	var text *uint16
	if len(last) > 0 {
		text = copyName(last)
	}
	old := lock.Acquire()
	t, s := find(d, rest, a.Flags&CaseInsensitive != 0)
	switch {
	case s != ntstatus.Success:
	case t.object != nil:
		h, s = openExisting(t.object, o.TypeIndex, a.Flags, access)
	case text == nil:
		s = ntstatus.NoResources
	default:
		if h, s = newHandle(o, a.Flags, access); s != ntstatus.Success {
			break
		}
		if a.Flags&Permanent != 0 {
			o.Flags |= flagPermanent
		}
		if a.Flags&Exclusive != 0 {
			o.Flags |= flagExclusive
		}
		t.directory.enter(infoOf(o), text, len(t.leaf))
		text = nil
	}
	lock.Release(old)
	if text != nil {
		pool.Free(unsafe.Pointer(text), nameTag)
	}
	Dereference(unsafe.Pointer(d))
	return h, s
}

// openExisting is for an object that has the name of one that was to be made.
// Lock held.
func openExisting(o *kernel.ObjectHeader, t kernel.ObjectType, flags, access uint32) (Handle, ntstatus.Status) {
	if flags&OpenIf == 0 {
		return 0, ntstatus.NameCollision
	}
	if o.TypeIndex != t {
		return 0, ntstatus.ObjectMismatch
	}
	h, s := newHandle(o, flags, access)
	if s == ntstatus.Success {
		s = ntstatus.NameExists
	}
	return h, s
}

// lastPart returns what follows the last separator.
func lastPart(name []uint16) []uint16 {
	n := len(name)
	for n > 0 && name[n-1] != separator {
		n--
	}
	return name[n:]
}

// OpenNamed returns a handle to the object of a name (ObOpenObjectByName). The
// type is checked unless it is 0. A root without a name is opened itself.
//
// Statuses: Success, NameNotFound, PathNotFound, ObjectMismatch, NameInvalid,
// PathSyntaxBad, AccessDenied for an exclusive object, NoResources, and those of
// ReferenceByHandle for the root.
//
// IRQL: PASSIVE_LEVEL
func OpenNamed(t kernel.ObjectType, a *Attributes, access uint32, mode kernel.Mode) (h Handle, s ntstatus.Status) {
	d, rest, s := a.start(mode)
	if s != ntstatus.Success {
		return 0, s
	}
	old := lock.Acquire()
	found, s := find(d, rest, a.Flags&CaseInsensitive != 0)
	switch o := found.object; {
	case s != ntstatus.Success:
	case o == nil:
		s = ntstatus.NameNotFound
	case t != 0 && o.TypeIndex != t:
		s = ntstatus.ObjectMismatch
	default:
		h, s = newHandle(o, a.Flags, access)
	}
	lock.Release(old)
	Dereference(unsafe.Pointer(d))
	return h, s
}

// Open returns a handle to an object that the caller has a reference to
// (ObOpenObjectByPointer). Callbacks that were registered for the type may lower
// the access, unless the handle is for the kernel.
//
// Statuses: Success, AccessDenied for an exclusive object, NoResources.
//
// IRQL: <= APC_LEVEL
func Open(body unsafe.Pointer, flags, access uint32) (Handle, ntstatus.Status) {
	o := headerOf(body)
	c := calling{operation: CreateHandle, object: o, kernel: flags&KernelHandle != 0, access: access}
	c.before()
	old := lock.Acquire()
	h, s := newHandle(o, flags, c.access)
	lock.Release(old)
	c.after(s)
	return h, s
}

// Options of Duplicate (DUPLICATE_*).
const (
	CloseSource    = 1
	SameAccess     = 2
	SameAttributes = 4
)

// Duplicate returns another handle to the object of a handle
// (ZwDuplicateObject). Access and flags are those of the source if the options
// say so. UserMode gets no more access than the source has, and no handles for
// the kernel. With CloseSource the source is closed, whatever happens.
//
// Statuses: those of ReferenceByHandle and Open.
//
// IRQL: PASSIVE_LEVEL
func Duplicate(source Handle, flags, access uint32, options uint32, mode kernel.Mode) (Handle, ntstatus.Status) {
	body, g, s := ReferenceByHandle(source, 0, 0, mode)
	if s != ntstatus.Success {
		return 0, s
	}
	if options&SameAccess != 0 {
		access = g.Access
	}
	if options&SameAttributes != 0 {
		flags = g.Flags
	}
	o := kernel.ObjectOf(body)
	if mode == kernel.UserMode {
		flags &^= KernelHandle
		if Describe(o.TypeIndex).grant(access)&^g.Access != 0 {
			s = ntstatus.AccessDenied
		}
	}
	var h Handle
	if s == ntstatus.Success {
		c := calling{operation: DuplicateHandle, object: o, kernel: flags&KernelHandle != 0, access: access}
		c.before()
		old := lock.Acquire()
		h, s = newHandle(o, flags, c.access)
		lock.Release(old)
		c.after(s)
	}
	Dereference(body)
	if options&CloseSource != 0 && source != CurrentThread && source != CurrentProcess {
		Close(source, mode)
	}
	return h, s
}
