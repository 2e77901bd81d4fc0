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

// ReferenceSafe is Reference for a caller that does not know whether the last
// reference has gone already: it reports false then, and takes none
// (ObReferenceObjectSafe).
//
// IRQL: any
func (o *ObjectHeader) ReferenceSafe() bool {
	for {
		n := atomic.LoadInt64(&o.PointerCount)
		if n <= 0 {
			return false
		}
		if atomic.CompareAndSwapInt64(&o.PointerCount, n, n+1) {
			return true
		}
	}
}

func (o *ObjectHeader) miscounted(n int64) {
	bugcheck.Stop(bugcheck.ReferenceByPointer, uintptr(o.TypeIndex), uintptr(o.Body()), 0, uintptr(n))
}

// Population is how many objects of a type there are, and the most there ever
// were (TotalNumberOfObjects and HighWaterNumberOfObjects of OBJECT_TYPE).
type Population struct {
	Now, Peak int64
}

// Grow counts one more.
//
// IRQL: any
func (p *Population) Grow() {
	n := atomic.AddInt64(&p.Now, 1)
	for {
		peak := atomic.LoadInt64(&p.Peak)
		if n <= peak || atomic.CompareAndSwapInt64(&p.Peak, peak, n) {
			return
		}
	}
}

// Shrink counts one less.
//
// IRQL: any
func (p *Population) Shrink() { atomic.AddInt64(&p.Now, -1) }

// ThreadObjects counts the thread objects: the live threads, and those that have
// ended and are still referred to. Idle threads are none of them.
var ThreadObjects Population

// ThreadReferences returns, as they are at one time, the number of thread objects,
// of live threads among them, and of references to threads beyond the one that a
// live thread has on itself.
//
// IRQL: <= DISPATCH_LEVEL
func ThreadReferences() (objects, live, extra int64) {
	var a Args
	Enter(threadReferences, &a)
	return int64(a.A), int64(a.B), int64(a.C)
}

func threadReferences(a *Args) {
	old := LockDispatcher()
	for _, t := range &threads {
		if t != nil {
			a.B++
			a.C += uintptr(atomic.LoadInt64(&ObjectOf(unsafe.Pointer(t)).PointerCount) - 1)
		}
	}
	a.A = uintptr(atomic.LoadInt64(&ThreadObjects.Now))
	UnlockDispatcher(old)
	a.C += a.A - a.B // an ended thread's object has a reference at least
}
