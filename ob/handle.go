package ob

import (
	"sync/atomic"
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/pool"
	"irqlab/sync/spin"
)

// Handle is a HANDLE: a multiple of four. Handles of the system process have
// the upper half set, so that they can't be mistaken for a user process's.
type Handle uintptr

// Handles with a meaning of their own.
const (
	CurrentProcess = ^Handle(0)     // NtCurrentProcess
	CurrentThread  = ^Handle(0) - 1 // NtCurrentThread
)

const kernelHandle Handle = 0xFFFF_FFFF_8000_0000

// IsKernel reports whether h is in the form of a handle of the system process
// (ObIsKernelHandle).
func (h Handle) IsKernel() bool { return h&kernelHandle == kernelHandle && h < CurrentThread }

// entry is a handle's place in the table. A free one has no object.
type entry struct {
	object *kernel.ObjectHeader
	access uint32
	next   uint32 // free list: index of the next free entry, 0 at its end
}

const (
	chunkEntries = pageSize / unsafe.Sizeof(entry{})
	maxChunks    = 64
	pageSize     = 4096

	tableTag pool.Tag = 'O' | 'b'<<8 | 't'<<16 | 'b'<<24
)

// table is the handle table of the system process. Entry 0 is never used, since
// a handle of zero is none.
var table struct {
	lock   spin.Lock
	chunks [maxChunks]*[chunkEntries]entry
	used   uint32 // entries below have been handed out before
	free   uint32 // first of the free list
	count  uint32 // open handles
}

// at returns the i-th entry, or nil. Table lock held.
func at(i uint32) *entry {
	if i == 0 || i >= table.used {
		return nil
	}
	return &table.chunks[i/uint32(chunkEntries)][i%uint32(chunkEntries)]
}

// find returns the entry of an open handle, or nil. Table lock held.
func (h Handle) find() *entry {
	if !h.IsKernel() || h&3 != 0 {
		return nil
	}
	e := at(uint32((h &^ kernelHandle) / 4))
	if e == nil || e.object == nil {
		return nil
	}
	return e
}

// Insert returns a new handle to the object, with the given access
// (ObInsertObject, ObOpenObjectByPointer). It reports false if memory has run
// out.
//
// IRQL: <= DISPATCH_LEVEL
func Insert(body unsafe.Pointer, access uint32) (Handle, bool) {
	o := kernel.ObjectOf(body)
	access = types[o.TypeIndex].grant(access)
	old := table.lock.Acquire()
	i, ok := allocate()
	if ok {
		e := at(i)
		e.object, e.access = o, access
		o.Reference()
		atomic.AddInt64(&o.HandleCount, 1)
		table.count++
	}
	table.lock.Release(old)
	return kernelHandle | Handle(i)*4, ok
}

// allocate takes an entry out of the free list. Table lock held.
func allocate() (uint32, bool) {
	if i := table.free; i != 0 {
		table.free = at(i).next
		return i, true
	}
	i := max(table.used, 1)
	c := i / uint32(chunkEntries)
	if c >= maxChunks {
		return 0, false
	}
	if table.chunks[c] == nil {
		p := pool.Alloc(unsafe.Sizeof(*table.chunks[c]), tableTag)
		if p == nil {
			return 0, false
		}
		table.chunks[c] = (*[chunkEntries]entry)(p)
	}
	table.used = i + 1
	return i, true
}

// ReferenceByHandle returns the body of a handle's object with a reference for
// the caller, and the access that the handle has (ObReferenceObjectByHandle).
// The type is checked unless it is 0, the access if the mode is UserMode: the
// kernel may do what it wants.
//
// Statuses: Success, InvalidHandle, ObjectMismatch, AccessDenied.
//
// IRQL: PASSIVE_LEVEL
func ReferenceByHandle(h Handle, access uint32, t kernel.ObjectType, mode kernel.Mode) (unsafe.Pointer, uint32, ntstatus.Status) {
	if h == CurrentThread {
		if t != 0 && t != Thread {
			return nil, 0, ntstatus.ObjectMismatch
		}
		c := kernel.Current()
		c.Reference()
		return unsafe.Pointer(c), types[Thread].AllAccess, ntstatus.Success
	}
	var o *kernel.ObjectHeader
	var granted uint32
	s := ntstatus.InvalidHandle
	old := table.lock.Acquire()
	if e := h.find(); e != nil {
		o, granted = e.object, e.access
		switch {
		case t != 0 && o.TypeIndex != t:
			s = ntstatus.ObjectMismatch
		case mode == kernel.UserMode && types[o.TypeIndex].grant(access)&^granted != 0:
			s = ntstatus.AccessDenied
		default:
			s = ntstatus.Success
			o.Reference()
		}
	}
	table.lock.Release(old)
	if s != ntstatus.Success {
		return nil, 0, s
	}
	return o.Body(), granted, s
}

// Close closes a handle (ObCloseHandle). From the kernel a handle that is not
// open is bug check INVALID_KERNEL_HANDLE, unless it is one that a failed call
// leaves behind: 0 and -1 are InvalidHandle.
//
// IRQL: PASSIVE_LEVEL
func Close(h Handle, mode kernel.Mode) ntstatus.Status {
	if h == CurrentThread || h == CurrentProcess || h == 0 {
		return ntstatus.InvalidHandle
	}
	old := table.lock.Acquire()
	e := h.find()
	var o *kernel.ObjectHeader
	if e != nil {
		o = e.object
		*e = entry{next: table.free}
		table.free = uint32((h &^ kernelHandle) / 4)
		table.count--
	}
	table.lock.Release(old)
	if o == nil {
		if mode == kernel.KernelMode {
			bugcheck.Stop(bugcheck.InvalidKernelHandle, uintptr(h), 1, 0, 0)
		}
		return ntstatus.InvalidHandle
	}
	atomic.AddInt64(&o.HandleCount, -1)
	Dereference(o.Body())
	return ntstatus.Success
}

// Info is what Handles tells about an open handle.
type Info struct {
	Handle   Handle
	Object   uintptr // address of the body
	Access   uint32
	Type     kernel.ObjectType
	Pointers int64
	Handles  int64
}

// Handles copies the open handles to buf, in order, and returns how many there
// are in all.
//
// IRQL: <= DISPATCH_LEVEL
func Handles(buf []Info) int {
	n := 0
	old := table.lock.Acquire()
	for i := uint32(1); i < table.used; i++ {
		e := at(i)
		if e.object == nil {
			continue
		}
		if n < len(buf) {
			o := e.object
			buf[n] = Info{kernelHandle | Handle(i)*4, uintptr(o.Body()), e.access, o.TypeIndex, o.PointerCount, o.HandleCount}
		}
		n++
	}
	table.lock.Release(old)
	return n
}
