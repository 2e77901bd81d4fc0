package kernel

import (
	"sync/atomic"
	"unsafe"

	"irqlab/bugcheck"
)

// ObjectHeader is an OBJECT_HEADER (48 bytes), in front of the body of every
// object that has references: package ob's objects, and threads. The body is
// what pointers point to. The counts are changed atomically.
type ObjectHeader struct {
	PointerCount int64 // references, those of handles included
	HandleCount  int64
	Lock         uintptr
	TypeIndex    ObjectType
	TraceFlags   uint8
	InfoMask     uint8
	Flags        uint8
	_            uint32
	CreateInfo   uintptr
	Security     uintptr
}

var (
	_ [48 - unsafe.Sizeof(ObjectHeader{})]byte
	_ [unsafe.Sizeof(ObjectHeader{}) - 48]byte
)

// ObjectType tells the types of objects apart; package ob describes them.
type ObjectType uint8

// ObjectThread is the type of threads. 0 and 1 are not types, as in NT.
const ObjectThread ObjectType = 2

// ObjectOf returns the header of the object with the given body.
func ObjectOf(body unsafe.Pointer) *ObjectHeader {
	return (*ObjectHeader)(unsafe.Add(body, -int(unsafe.Sizeof(ObjectHeader{}))))
}

// Body returns the object's body.
func (o *ObjectHeader) Body() unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(o), unsafe.Sizeof(ObjectHeader{}))
}

// Reference keeps the object alive. The caller has a reference already, or
// holds the lock of a table that has one.
//
// IRQL: any
func (o *ObjectHeader) Reference() {
	if n := atomic.AddInt64(&o.PointerCount, 1); n <= 1 {
		o.miscounted(n)
	}
}

// Release drops a reference and reports whether it was the last one. One too
// many is bug check REFERENCE_BY_POINTER.
//
// IRQL: any
func (o *ObjectHeader) Release() bool {
	n := atomic.AddInt64(&o.PointerCount, -1)
	if n < 0 {
		o.miscounted(n)
	}
	return n == 0
}

func (o *ObjectHeader) miscounted(n int64) {
	bugcheck.Stop(bugcheck.ReferenceByPointer, uintptr(o.TypeIndex), uintptr(o.Body()), 0, uintptr(n))
}
