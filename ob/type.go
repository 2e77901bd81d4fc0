package ob

import (
	"unsafe"

	"irqlab/kernel"
)

// The types of objects.
const (
	Thread                   = kernel.ObjectThread
	Event  kernel.ObjectType = iota + 2
	last
)

// Access rights that every type knows (ACCESS_MASK).
const (
	Delete         = 0x0001_0000
	ReadControl    = 0x0002_0000
	WriteDAC       = 0x0004_0000
	WriteOwner     = 0x0008_0000
	Synchronize    = 0x0010_0000
	MaximumAllowed = 0x0200_0000
	GenericAll     = 0x1000_0000
	GenericExecute = 0x2000_0000
	GenericWrite   = 0x4000_0000
	GenericRead    = 0x8000_0000

	standard = Delete | ReadControl | WriteDAC | WriteOwner | Synchronize
)

// Type describes the objects of one type (OBJECT_TYPE).
type Type struct {
	Name      string
	AllAccess uint32 // every right there is, the type's own ones included

	// What the generic rights mean (GENERIC_MAPPING).
	Read, Write, Execute uint32

	// delete ends an object that nobody refers to any more.
	delete func(o *kernel.ObjectHeader)
}

var types = [last]Type{
	Thread: {
		Name:      "Thread",
		AllAccess: standard | 0xFFFF,
		Read:      ReadControl | 0x0048, // THREAD_GET_CONTEXT, THREAD_QUERY_INFORMATION
		Write:     ReadControl | 0x0037, // THREAD_TERMINATE, _SUSPEND_RESUME, _ALERT, _SET_CONTEXT, _SET_INFORMATION
		Execute:   ReadControl | Synchronize | 0x0800,
		delete:    nil, // see Dereference
	},
	Event: {
		Name:      "Event",
		AllAccess: standard | 0x0003,
		Read:      ReadControl | 0x0001, // EVENT_QUERY_STATE
		Write:     ReadControl | 0x0002, // EVENT_MODIFY_STATE
		Execute:   ReadControl | Synchronize,
		delete:    free,
	},
}

// TypeOf describes the type of the object with the given body.
func TypeOf(body unsafe.Pointer) *Type { return &types[kernel.ObjectOf(body).TypeIndex] }

// Describe describes a type.
func Describe(t kernel.ObjectType) *Type { return &types[t] }

// Index returns the type's number; nil is no type, 0.
func (t *Type) Index() kernel.ObjectType {
	if t == nil {
		return 0
	}
	return kernel.ObjectType((uintptr(unsafe.Pointer(t)) - uintptr(unsafe.Pointer(&types))) / unsafe.Sizeof(Type{}))
}

// grant turns the access asked for into the access a handle carries.
func (t *Type) grant(access uint32) uint32 {
	granted := access & (standard | 0xFFFF)
	for _, g := range [...]struct{ generic, meant uint32 }{
		{GenericRead, t.Read}, {GenericWrite, t.Write}, {GenericExecute, t.Execute},
		{GenericAll, t.AllAccess}, {MaximumAllowed, t.AllAccess},
	} {
		if access&g.generic != 0 {
			granted |= g.meant
		}
	}
	return granted & t.AllAccess
}
