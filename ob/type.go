package ob

import (
	"unsafe"

	"irqlab/kernel"
	"irqlab/list"
	"irqlab/pool"
)

// The types of objects.
const (
	Thread                       = kernel.ObjectThread
	ObjectType kernel.ObjectType = iota + 2
	Directory
	Process
	Event
	Mutant
	Semaphore
	Timer
	CallbackObject
	Types // behind the last
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

	required = Delete | ReadControl | WriteDAC | WriteOwner // STANDARD_RIGHTS_REQUIRED
	standard = required | Synchronize
	specific = 0xFFFF
)

// Type describes the objects of one type (OBJECT_TYPE).
type Type struct {
	Name      string
	AllAccess uint32 // every right there is, the type's own ones included

	// What the generic rights mean (GENERIC_MAPPING).
	Read, Write, Execute uint32

	Waitable bool // the body begins with a dispatcher header

	index kernel.ObjectType
	tag   pool.Tag

	// ends, if set, is called when nobody refers to an object any more, before
	// its memory is freed: at <= DISPATCH_LEVEL, without a lock.
	ends func(body unsafe.Pointer)

	population *kernel.Population
	objects    list.Entry        // all but threads, which have a table of their own
	handles    kernel.Population // table lock held
}

// typeObject is a type as an object with a name.
type typeObject struct {
	info
	kernel.ObjectHeader
	Type
	count kernel.Population
}

var types = [Types]typeObject{
	Thread: {Type: Type{
		Name: "Thread", tag: 'T' | 'h'<<8 | 'r'<<16 | 'e'<<24, Waitable: true,
		AllAccess: standard | specific,
		Read:      ReadControl | 0x0048, // THREAD_GET_CONTEXT, THREAD_QUERY_INFORMATION
		Write:     ReadControl | 0x0037, // THREAD_TERMINATE, _SUSPEND_RESUME, _ALERT, _SET_CONTEXT, _SET_INFORMATION
		Execute:   ReadControl | Synchronize | 0x0800,
	}},
	ObjectType: {Type: Type{
		Name: "Type", tag: 'O' | 'b'<<8 | 'j'<<16 | 'T'<<24,
		AllAccess: required | 0x0001, // OBJECT_TYPE_CREATE
		Read:      ReadControl, Write: ReadControl, Execute: ReadControl,
	}},
	Directory: {Type: Type{
		Name: "Directory", tag: 'D' | 'i'<<8 | 'r'<<16 | 'e'<<24,
		AllAccess: required | 0x000F,
		Read:      ReadControl | 0x0003, // DIRECTORY_QUERY, DIRECTORY_TRAVERSE
		Write:     ReadControl | 0x000C, // DIRECTORY_CREATE_OBJECT, _CREATE_SUBDIRECTORY
		Execute:   ReadControl | 0x0003,
	}},
	Process: {Type: Type{
		Name: "Process", tag: 'P' | 'r'<<8 | 'o'<<16 | 'c'<<24, Waitable: true,
		AllAccess: standard | specific,
		Read:      ReadControl | 0x0410, // PROCESS_QUERY_INFORMATION, PROCESS_VM_READ
		Write:     ReadControl | 0x0BEA,
		Execute:   ReadControl | Synchronize | 0x1001,
	}},
	Event: {Type: Type{
		Name: "Event", tag: 'E' | 'v'<<8 | 'e'<<16 | 'n'<<24, Waitable: true,
		AllAccess: standard | 0x0003,
		Read:      ReadControl | QueryState,
		Write:     ReadControl | ModifyState,
		Execute:   ReadControl | Synchronize,
	}},
	Mutant: {Type: Type{
		Name: "Mutant", tag: 'M' | 'u'<<8 | 't'<<16 | 'a'<<24, Waitable: true,
		AllAccess: standard | QueryState,
		Read:      ReadControl | QueryState,
		Write:     ReadControl,
		Execute:   ReadControl | Synchronize,
		ends:      endMutant,
	}},
	Semaphore: {Type: Type{
		Name: "Semaphore", tag: 'S' | 'e'<<8 | 'm'<<16 | 'a'<<24, Waitable: true,
		AllAccess: standard | 0x0003,
		Read:      ReadControl | QueryState,
		Write:     ReadControl | ModifyState,
		Execute:   ReadControl | Synchronize,
	}},
	Timer: {Type: Type{
		Name: "Timer", tag: 'T' | 'i'<<8 | 'm'<<16 | 'e'<<24, Waitable: true,
		AllAccess: standard | 0x0003,
		Read:      ReadControl | QueryState,
		Write:     ReadControl | ModifyState,
		Execute:   ReadControl | Synchronize,
		ends:      endTimer,
	}},
	CallbackObject: {Type: Type{
		Name: "Callback", tag: 'C' | 'a'<<8 | 'l'<<16 | 'l'<<24,
		AllAccess: standard | 0x0001, // CALLBACK_MODIFY_STATE
		Read:      ReadControl,
		Write:     ReadControl | 0x0001,
		Execute:   ReadControl | Synchronize,
	}},
}

// Rights of the types that drivers use: EVENT_QUERY_STATE, SEMAPHORE_MODIFY_STATE
// and the like.
const (
	QueryState  = 0x0001
	ModifyState = 0x0002
)

// TypeOf describes the type of the object with the given body.
//
// IRQL: <= DISPATCH_LEVEL
func TypeOf(body unsafe.Pointer) *Type { return Describe(headerOf(body).TypeIndex) }

// Describe describes a type.
func Describe(t kernel.ObjectType) *Type { return &types[t].Type }

// Index returns the type's number; nil is no type, 0.
func (t *Type) Index() kernel.ObjectType {
	if t == nil {
		return 0
	}
	return t.index
}

// grant turns the access asked for into the access a handle carries.
func (t *Type) grant(access uint32) uint32 { return t.rights(access) & t.AllAccess }

// rights replaces the generic rights by what they mean for the type.
func (t *Type) rights(access uint32) uint32 {
	granted := access & (standard | specific)
	for _, g := range [...]struct{ generic, meant uint32 }{
		{GenericRead, t.Read}, {GenericWrite, t.Write}, {GenericExecute, t.Execute},
		{GenericAll, t.AllAccess}, {MaximumAllowed, t.AllAccess},
	} {
		if access&g.generic != 0 {
			granted |= g.meant
		}
	}
	return granted
}
