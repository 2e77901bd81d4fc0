package ob

import (
	"sync/atomic"
	"unsafe"

	"irqlab/kernel"
	"irqlab/ntstatus"
)

// What follows is for debuggers and leak checks: copies of the manager's state.
// The buffers are the caller's. Functions that fill one return how many there
// are, which may be more than fit.

// HandleInfo is an open handle.
type HandleInfo struct {
	Handle   Handle
	Object   uintptr // address of the body
	Access   uint32
	Flags    uint32
	Type     kernel.ObjectType
	Pointers int64
	Handles  int64
}

// Handles copies the open handles to buf, in order.
//
// IRQL: <= DISPATCH_LEVEL
func Handles(buf []HandleInfo) int {
	n := 0
	old := lock.Acquire()
	for i := uint32(1); i < table.used; i++ {
		e := at(i)
		if e.object == nil {
			continue
		}
		if n < len(buf) {
			o := e.object
			buf[n] = HandleInfo{e.handle(i), uintptr(o.Body()), e.access, e.flags, o.TypeIndex, o.PointerCount, o.HandleCount}
		}
		n++
	}
	lock.Release(old)
	return n
}

// EachHandle calls fn for every open handle, with its object, until it returns
// false.
//
// IRQL: <= DISPATCH_LEVEL, in kernel context
func EachHandle(fn func(Handle, *kernel.ObjectHeader) bool) {
	old := lock.Acquire()
	for i := uint32(1); i < table.used; i++ {
		if e := at(i); e.object != nil && !fn(e.handle(i), e.object) {
			break
		}
	}
	lock.Release(old)
}

// Census is the account of a type.
type Census struct {
	Objects, PeakObjects int64
	Handles, PeakHandles int64
	References           int64 // those of handles and names included
	Live                 int64 // threads that have not ended; their references to themselves do not count
}

// Count returns the account of a type.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Type) Count() (c Census) {
	old := lock.Acquire()
	for e := t.objects.Flink; e != &t.objects; e = e.Flink {
		c.References += atomic.LoadInt64(&(*info)(unsafe.Pointer(e)).header().PointerCount) // byType is its first field
	}
	c.Objects, c.PeakObjects = atomic.LoadInt64(&t.population.Now), atomic.LoadInt64(&t.population.Peak)
	c.Handles, c.PeakHandles = t.handles.Now, t.handles.Peak
	lock.Release(old)
	if t.index == Thread {
		c.Objects, c.Live, c.References = kernel.ThreadReferences()
	}
	return c
}

// ObjectInfo is an object.
type ObjectInfo struct {
	Object    uintptr // address of the body
	Type      kernel.ObjectType
	Pointers  int64
	Handles   int64
	Permanent bool
	Exclusive bool
	Name      [64]uint16 // its own, or the beginning
	Length    int        // of the name, which may be longer than what fits
	Children  int        // of a directory
}

func (i *info) describe(to *ObjectInfo) {
	o := i.header()
	*to = ObjectInfo{
		Object: uintptr(o.Body()), Type: o.TypeIndex, Pointers: o.PointerCount, Handles: o.HandleCount,
		Permanent: o.Flags&flagPermanent != 0, Exclusive: o.Flags&flagExclusive != 0, Length: int(i.length),
	}
	copy(to.Name[:], i.text())
	if o.TypeIndex == Directory {
		d := (*directory)(o.Body())
		for e := d.entries.Flink; e != &d.entries; e = e.Flink {
			to.Children++
		}
	}
}

// Objects copies the objects of a type, threads excepted, to buf, the oldest
// first.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Type) Objects(buf []ObjectInfo) int {
	n := 0
	old := lock.Acquire()
	for e := t.objects.Flink; e != &t.objects; e = e.Flink {
		if n < len(buf) {
			(*info)(unsafe.Pointer(e)).describe(&buf[n])
		}
		n++
	}
	lock.Release(old)
	return n
}

// Look describes the object of a full name, without regard to case, and copies
// what it has in it, if it is a directory, to buf. Statuses are those of
// OpenNamed.
//
// IRQL: <= DISPATCH_LEVEL
func Look(name []uint16, self *ObjectInfo, buf []ObjectInfo) (children int, s ntstatus.Status) {
	if len(name) == 0 || name[0] != separator {
		return 0, ntstatus.PathSyntaxBad
	}
	old := lock.Acquire()
	t, s := find(&root.body, name[1:], true)
	switch {
	case s != ntstatus.Success:
	case t.object == nil:
		s = ntstatus.NameNotFound
	default:
		infoOf(t.object).describe(self)
		if t.object.TypeIndex == Directory {
			children = (*directory)(t.object.Body()).list(buf)
		}
	}
	lock.Release(old)
	return children, s
}

func (d *directory) list(buf []ObjectInfo) int {
	n := 0
	for e := d.entries.Flink; e != &d.entries; e = e.Flink {
		if n < len(buf) {
			named(e).describe(&buf[n])
		}
		n++
	}
	return n
}
