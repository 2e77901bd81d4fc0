package dpc

import (
	"unsafe"

	"irqlab/list"
)

// Type tells ordinary DPCs from threaded ones, in the first byte of the object.
// The values are those of KOBJECTS in the public headers.
type Type uint8

const (
	Ordinary Type = 19 // DpcObject
	Threaded Type = 24 // ThreadedDpcObject
)

// Importance decides where in the queue a DPC goes and whether its processor
// hears of it at once (KDPC_IMPORTANCE).
type Importance uint8

const (
	Low        Importance = 0
	Medium     Importance = 1
	High       Importance = 2
	MediumHigh Importance = 3
)

// Routine is a deferred routine (KDEFERRED_ROUTINE). It is resident code: a
// top-level function, or a closure that something the garbage collector sees
// refers to for as long as the object can be queued.
//
// IRQL: DISPATCH_LEVEL; threaded DPCs PASSIVE_LEVEL, unless those are disabled
type Routine func(d *Object, context, arg1, arg2 unsafe.Pointer)

// Object is a KDPC: 64 bytes of nonpaged pool. While it is queued, its queue's
// lock guards it.
type Object struct {
	Type       Type
	Importance Importance
	Number     uint16     // 0: the processor that inserts; else targetBase plus its number
	timed      uint32     // not 0: a timer was given the object; see TimerOf
	Entry      list.Entry // DpcListEntry; Windows' singly linked list leaves the second word to the processor history
	Routine    uintptr    // the func value
	Context    unsafe.Pointer
	Arg1, Arg2 unsafe.Pointer
	Data       uintptr // address of the queue that the object is in, or 0
}

const (
	size       = unsafe.Sizeof(Object{})
	offset     = unsafe.Offsetof(Object{}.Entry)
	targetBase = 0x800
)

// The public x64 layout.
var (
	_ [64 - size]byte
	_ [size - 64]byte
	_ [0x08 - offset]byte
	_ [0x18 - unsafe.Offsetof(Object{}.Routine)]byte
	_ [0x38 - unsafe.Offsetof(Object{}.Data)]byte
)

// Init makes d an ordinary DPC of medium importance without a fixed processor
// (KeInitializeDpc). Links and arguments stay as they were.
//
// IRQL: any
func (d *Object) Init(r Routine, context unsafe.Pointer) { d.init(Ordinary, r, context) }

// InitThreaded makes d a threaded DPC: its routine runs in the processor's DPC
// thread at PASSIVE_LEVEL (KeInitializeThreadedDpc).
//
// IRQL: any
func (d *Object) InitThreaded(r Routine, context unsafe.Pointer) { d.init(Threaded, r, context) }

func (d *Object) init(t Type, r Routine, context unsafe.Pointer) {
	d.Type, d.Importance, d.Number, d.timed = t, Medium, 0, 0
	d.Routine = *(*uintptr)(unsafe.Pointer(&r))
	d.Context = context
	d.Data = 0
}

// SetImportance decides how later inserts queue the object
// (KeSetImportanceDpc).
//
// IRQL: any
func (d *Object) SetImportance(i Importance) { d.Importance = i }

// SetTarget makes later inserts queue the object on the given processor
// (KeSetTargetProcessorDpc). That there is such a processor is checked when it
// is inserted.
//
// IRQL: any
func (d *Object) SetTarget(cpu uint32) { d.Number = uint16(targetBase + cpu) }

// Queued reports whether the object is in a queue. The answer may be stale at
// once.
//
// IRQL: any
func (d *Object) Queued() bool { return d.Data != 0 }
