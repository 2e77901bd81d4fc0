package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ob"
	"irqlab/seh"
)

// ExGetPreviousMode returns on whose behalf the running thread is in the kernel:
// KernelMode for a thread made by PsCreateSystemThread. Any other, main and those
// of LockThread, stands for a thread of an application and is UserMode.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExGetPreviousMode function (wdm.h)"
func ExGetPreviousMode() KPROCESSOR_MODE {
	atMost(irql.Dispatch)
	return KeGetPreviousMode()
}

// KeGetPreviousMode is ExGetPreviousMode.
//
// IRQL: any
//
// Documentation: none of its own.
func KeGetPreviousMode() KPROCESSOR_MODE {
	if kernel.Current().System {
		return KernelMode
	}
	return UserMode
}

// attempt calls fn, which touches memory of a caller that is not trusted, in a try
// block, and returns STATUS_SUCCESS or the exception's code.
func attempt(fn func()) (s NTSTATUS) {
	seh.Try(fn, seh.Handle, func(x *seh.Exception) { s = x.Code() })
	return s
}

// probe checks that a UserMode caller's variable can be written. What the kernel
// passes is trusted.
func probe[T any](mode KPROCESSOR_MODE, p *T) NTSTATUS {
	if mode == KernelMode {
		mustReach(unsafe.Pointer(p), unsafe.Sizeof(*p))
		return STATUS_SUCCESS
	}
	return attempt(func() { seh.ProbeForWrite(unsafe.Pointer(p), unsafe.Sizeof(*p), unsafe.Alignof(*p)) })
}

// probeOptional is probe for a variable that may be missing.
func probeOptional[T any](mode KPROCESSOR_MODE, p *T) NTSTATUS {
	if p == nil {
		return STATUS_SUCCESS
	}
	return probe(mode, p)
}

// store stores v in a variable that may be missing.
func store[T any](p *T, v T) {
	if p != nil {
		*p = v
	}
}

// read returns a variable of the caller.
func read[T any](mode KPROCESSOR_MODE, p *T) (v T, s NTSTATUS) {
	if mode == KernelMode {
		mustReach(unsafe.Pointer(p), unsafe.Sizeof(*p))
		return *p, STATUS_SUCCESS
	}
	s = attempt(func() {
		seh.ProbeForRead(unsafe.Pointer(p), unsafe.Sizeof(*p), unsafe.Alignof(*p))
		v = *p
	})
	return v, s
}

// readMany returns n variables of the caller, at least one.
func readMany[T any](mode KPROCESSOR_MODE, p *T, n int) (v []T, s NTSTATUS) {
	v = make([]T, n)
	if mode == KernelMode {
		mustReach(unsafe.Pointer(p), uintptr(n)*unsafe.Sizeof(*p))
		copy(v, unsafe.Slice(p, n))
		return v, STATUS_SUCCESS
	}
	s = attempt(func() {
		seh.ProbeForRead(unsafe.Pointer(p), uintptr(n)*unsafe.Sizeof(*p), unsafe.Alignof(*p))
		v[0] = *p // faults for nil, where the next line would panic
		copy(v, unsafe.Slice(p, n))
	})
	return v, s
}

// attributes returns what a caller's attributes say, in memory of its own.
func attributes(mode KPROCESSOR_MODE, p *OBJECT_ATTRIBUTES) (a ob.Attributes, s NTSTATUS) {
	if p == nil {
		return a, STATUS_SUCCESS
	}
	given, s := read(mode, p)
	if !NT_SUCCESS(s) {
		return a, s
	}
	if given.Length != ULONG(unsafe.Sizeof(given)) || given.Attributes&^validAttributes != 0 {
		return a, STATUS_INVALID_PARAMETER
	}
	a.Root, a.Flags = given.RootDirectory, given.Attributes
	if mode == UserMode {
		a.Flags &^= OBJ_KERNEL_HANDLE
	}
	if given.ObjectName == nil {
		return a, STATUS_SUCCESS
	}
	name, s := read(mode, given.ObjectName)
	if !NT_SUCCESS(s) || name.Length == 0 {
		return a, s
	}
	if name.Length%2 != 0 {
		return a, STATUS_OBJECT_NAME_INVALID
	}
	a.Name, s = readMany(mode, name.Buffer, int(name.Length/2))
	return a, s
}

// create makes an object, which init initialises, and stores a handle to it, or to
// the one that has its name.
func create(mode KPROCESSOR_MODE, h PHANDLE, access ACCESS_MASK, p *OBJECT_ATTRIBUTES, t POBJECT_TYPE, size uintptr, init func(body PVOID)) NTSTATUS {
	atMost(irql.Passive)
	if s := probe(mode, h); !NT_SUCCESS(s) {
		return s
	}
	a, s := attributes(mode, p)
	if !NT_SUCCESS(s) {
		return s
	}
	body := ob.Create(t.Index(), size)
	if body == nil {
		return STATUS_INSUFFICIENT_RESOURCES
	}
	init(body)
	made, s := ob.Insert(body, &a, access, mode)
	if NT_SUCCESS(s) {
		*h = made
	}
	return s
}

// open stores a handle to the object that has the name.
func open(mode KPROCESSOR_MODE, h PHANDLE, access ACCESS_MASK, p *OBJECT_ATTRIBUTES, t POBJECT_TYPE) NTSTATUS {
	atMost(irql.Passive)
	if s := probe(mode, h); !NT_SUCCESS(s) {
		return s
	}
	a, s := attributes(mode, p)
	if !NT_SUCCESS(s) {
		return s
	}
	made, s := ob.OpenNamed(t.Index(), &a, access, mode)
	if NT_SUCCESS(s) {
		*h = made
	}
	return s
}

// with calls fn with the object of a handle.
func with[T any](mode KPROCESSOR_MODE, h HANDLE, access ACCESS_MASK, t POBJECT_TYPE, fn func(*T)) NTSTATUS {
	atMost(irql.Passive)
	p, _, s := ob.ReferenceByHandle(h, access, t.Index(), mode)
	if NT_SUCCESS(s) {
		fn((*T)(p))
		ob.Dereference(p)
	}
	return s
}

// query stores what a Query service tells about the object of a handle: its one
// class, 0, which is a structure of type I.
func query[T, I any](mode KPROCESSOR_MODE, h HANDLE, t POBJECT_TYPE, class int32, to PVOID, length ULONG, returned PULONG, tell func(*T) I) NTSTATUS {
	atMost(irql.Passive)
	if class != 0 {
		return STATUS_INVALID_INFO_CLASS
	}
	i := (*I)(to)
	if uintptr(length) != unsafe.Sizeof(*i) {
		return STATUS_INFO_LENGTH_MISMATCH
	}
	if s := probe(mode, i); !NT_SUCCESS(s) {
		return s
	}
	if s := probeOptional(mode, returned); !NT_SUCCESS(s) {
		return s
	}
	return with(mode, h, ob.QueryState, t, func(object *T) {
		*i = tell(object)
		store(returned, length)
	})
}
