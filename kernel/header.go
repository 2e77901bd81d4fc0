package kernel

import (
	"sync/atomic"
	"unsafe"

	"irqlab/list"
)

// Type is a dispatcher object's type, in the first byte of its header. The
// values are those of KOBJECTS in the public headers.
type Type uint8

const (
	TypeNotificationEvent    Type = 0
	TypeSynchronizationEvent Type = 1
	TypeMutant               Type = 2
	TypeProcess              Type = 3
	TypeQueue                Type = 4
	TypeSemaphore            Type = 5
	TypeThread               Type = 6
	TypeNotificationTimer    Type = 8
	TypeSynchronizationTimer Type = 9
	TypeDPC                  Type = 19
	TypeThreadedDPC          Type = 24
)

// Header is a DISPATCHER_HEADER, the first 24 bytes of every object a thread
// can wait for. All fields are guarded by the dispatcher lock.
type Header struct {
	Type        Type
	Abandoned   uint8 // mutants, in their own field as well; timers: flags
	Size        uint8 // of the object, in 4-byte words
	Inserted    uint8 // timers: in the timer table
	SignalState int32
	WaitList    list.Entry // of wait blocks, in order of arrival
}

// Init makes h the header of an object of the given type and size in bytes.
func (h *Header) Init(t Type, size uintptr, state int32) {
	h.Type, h.Abandoned, h.Size, h.Inserted = t, 0, uint8(size/4), 0
	h.SignalState = state
	h.WaitList.Init()
}

// State returns SignalState as it is now.
//
// IRQL: any
func (h *Header) State() int32 { return atomic.LoadInt32(&h.SignalState) }

// Plausible reports whether h looks like the header of an object that threads can
// wait for, going by its type and size.
//
// IRQL: any
func (h *Header) Plausible() bool {
	words := uintptr(0)
	switch h.Type {
	case TypeNotificationEvent, TypeSynchronizationEvent:
		words = unsafe.Sizeof(Header{}) / 4
	case TypeMutant:
		words = unsafe.Sizeof(Mutant{}) / 4
	case TypeSemaphore:
		words = 8
	case TypeNotificationTimer, TypeSynchronizationTimer:
		words = unsafe.Sizeof(Timer{}) / 4
	case TypeThread, TypeProcess, TypeQueue:
		return true
	}
	return words != 0 && uintptr(h.Size) == words
}
