package ob

import (
	"sync/atomic"
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/pool"
)

// Handle is a HANDLE: a multiple of four. Handles for the kernel have the upper
// half set, so that they can't be mistaken for a process's own.
type Handle uintptr

// Handles with a meaning of their own.
const (
	CurrentProcess = ^Handle(0)     // NtCurrentProcess
	CurrentThread  = ^Handle(0) - 1 // NtCurrentThread
)

const kernelHandle Handle = 0xFFFF_FFFF_8000_0000

// IsKernel reports whether h is in the form of a handle for the kernel
// (ObIsKernelHandle).
func (h Handle) IsKernel() bool { return h&kernelHandle == kernelHandle && h < CurrentThread }

// entry is a handle's place in the table. A free one has no object.
type entry struct {
	object *kernel.ObjectHeader
	access uint32
	flags  uint32 // of a free entry: index of the next free one, 0 at the end
}

const (
	chunkEntries = pageSize / unsafe.Sizeof(entry{})
	maxChunks    = 64
	pageSize     = 4096

	// MaxHandles bounds the handles open at a time.
	MaxHandles = maxChunks * chunkEntries

	tableTag pool.Tag = 'O' | 'b'<<8 | 't'<<16 | 'b'<<24
)

// table is the handle table of the system process. Entry 0 is never used, since
// a handle of zero is none.
var table struct {
	chunks [maxChunks]*[chunkEntries]entry
	used   uint32 // entries below have been handed out before
	free   uint32 // first of the free list
}

// at returns the i-th entry, or nil. Lock held.
func at(i uint32) *entry {
	if i == 0 || i >= table.used {
		return nil
	}
	return &table.chunks[i/uint32(chunkEntries)][i%uint32(chunkEntries)]
}

// handle returns the handle of the i-th entry.
func (e *entry) handle(i uint32) Handle {
	h := Handle(i) * 4
	if e.flags&KernelHandle != 0 {
		h |= kernelHandle
	}
	return h
}

func (h Handle) index() uint32 { return uint32((h &^ kernelHandle) / 4) }

// Index returns a number that no other handle open at the same time has, below
// MaxHandles.
func (h Handle) Index() int { return int(h.index()) }

// find returns the entry of an open handle, or nil. What is not the handle as it
// was made is none, nor is a kernel's for UserMode. Lock held.
func (h Handle) find(mode kernel.Mode) *entry {
	if h.IsKernel() && mode == kernel.UserMode {
		return nil
	}
	e := at(h.index())
	if e == nil || e.object == nil || e.handle(h.index()) != h {
		return nil
	}
	return e
}

// newHandle makes a handle. The object has a reference, or a name. Lock held.
func newHandle(o *kernel.ObjectHeader, flags, access uint32) (Handle, ntstatus.Status) {
	if o.Flags&flagExclusive != 0 && o.HandleCount != 0 {
		return 0, ntstatus.AccessDenied
	}
	i, ok := allocate()
	if !ok {
		return 0, ntstatus.NoResources
	}
	t := Describe(o.TypeIndex)
	e := at(i)
	*e = entry{o, t.grant(access), flags & handleFlags}
	o.Reference()
	atomic.AddInt64(&o.HandleCount, 1)
	t.handles.Grow()
	if OnHandle != nil {
		OnHandle(i)
	}
	return e.handle(i), ntstatus.Success
}

// allocate takes an entry out of the free list. Lock held.
func allocate() (uint32, bool) {
	if i := table.free; i != 0 {
		table.free = at(i).flags
		return i, true
	}
	i := max(table.used, 1)
	c := i / uint32(chunkEntries)
	if c >= maxChunks {
		return 0, false
	}
	if table.chunks[c] == nil {
		p := pool.AllocOwn(unsafe.Sizeof(*table.chunks[c]), tableTag)
		if p == nil {
			return 0, false
		}
		table.chunks[c] = (*[chunkEntries]entry)(p)
	}
	table.used = i + 1
	return i, true
}

// Granted is what goes with a handle.
type Granted struct {
	Access uint32
	Flags  uint32 // ProtectClose, Inherit, KernelHandle
}

// ReferenceByHandle returns the body of a handle's object with a reference for
// the caller, and what the handle was granted (ObReferenceObjectByHandle). The
// type is checked unless it is 0, the access if the mode is UserMode: the kernel
// may do what it wants.
//
// Statuses: Success, InvalidHandle, ObjectMismatch, AccessDenied.
//
// IRQL: PASSIVE_LEVEL
func ReferenceByHandle(h Handle, access uint32, t kernel.ObjectType, mode kernel.Mode) (unsafe.Pointer, Granted, ntstatus.Status) {
	switch h {
	case CurrentThread:
		return current(unsafe.Pointer(kernel.Current()), Thread, t)
	case CurrentProcess:
		return current(unsafe.Pointer(System()), Process, t)
	}
	var o *kernel.ObjectHeader
	var g Granted
	s := ntstatus.InvalidHandle
	old := lock.Acquire()
	if e := h.find(mode); e != nil {
		o, g = e.object, Granted{e.access, e.flags}
		switch {
		case t != 0 && o.TypeIndex != t:
			s = ntstatus.ObjectMismatch
		case mode == kernel.UserMode && Describe(o.TypeIndex).rights(access)&^g.Access != 0:
			s = ntstatus.AccessDenied
		default:
			s = ntstatus.Success
			o.Reference()
		}
	}
	lock.Release(old)
	if s != ntstatus.Success {
		return nil, Granted{}, s
	}
	return o.Body(), g, s
}

// current returns an object that a handle with a meaning of its own stands for.
func current(body unsafe.Pointer, is, want kernel.ObjectType) (unsafe.Pointer, Granted, ntstatus.Status) {
	if want != 0 && want != is {
		return nil, Granted{}, ntstatus.ObjectMismatch
	}
	Reference(body)
	return body, Granted{Access: Describe(is).AllAccess}, ntstatus.Success
}

// Parameter 2 of bug check INVALID_KERNEL_HANDLE.
const (
	closedProtected = 0
	closedInvalid   = 1
)

// Close closes a handle (ObCloseHandle). The object's name goes with the last of
// them, unless it is permanent. Statuses: Success, InvalidHandle, and
// HandleNotClosable for one that is protected. From the kernel these mistakes are
// bug check INVALID_KERNEL_HANDLE, but for handles that a failed call leaves
// behind: 0 and -1 are InvalidHandle.
//
// IRQL: PASSIVE_LEVEL
func Close(h Handle, mode kernel.Mode) ntstatus.Status {
	if h == CurrentThread || h == CurrentProcess || h == 0 {
		return ntstatus.InvalidHandle
	}
	s := ntstatus.InvalidHandle
	why := uintptr(closedInvalid)
	var o *kernel.ObjectHeader
	var n name
	old := lock.Acquire()
	switch e := h.find(mode); {
	case e == nil:
	case e.flags&ProtectClose != 0:
		s, why = ntstatus.HandleNotClosable, closedProtected
	default:
		s = ntstatus.Success
		o = e.object
		n = e.close(h.index())
	}
	lock.Release(old)
	if s != ntstatus.Success {
		if mode == kernel.KernelMode {
			bugcheck.Stop(bugcheck.InvalidKernelHandle, uintptr(h), why, 0, 0)
		}
		return s
	}
	n.drop()
	Dereference(o.Body())
	return s
}

// close frees the i-th entry, e. The caller drops its reference to the object,
// and the name. Lock held.
func (e *entry) close(i uint32) name {
	o := e.object
	*e = entry{flags: table.free}
	table.free = i
	Describe(o.TypeIndex).handles.Shrink()
	atomic.AddInt64(&o.HandleCount, -1)
	return expire(o)
}

// SetFlags changes which of ProtectClose and Inherit a handle has
// (ObSetHandleAttributes).
//
// Statuses: Success, InvalidHandle.
//
// IRQL: PASSIVE_LEVEL
func SetFlags(h Handle, flags uint32, mode kernel.Mode) ntstatus.Status {
	const settable = ProtectClose | Inherit
	s := ntstatus.InvalidHandle
	old := lock.Acquire()
	if e := h.find(mode); e != nil {
		e.flags = e.flags&^settable | flags&settable
		s = ntstatus.Success
	}
	lock.Release(old)
	return s
}
