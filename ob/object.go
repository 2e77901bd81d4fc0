package ob

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/kernel"
	"irqlab/list"
	"irqlab/mm"
	"irqlab/pool"
	"irqlab/sync"
	"irqlab/sync/spin"
)

// lock guards what package ob has.
var lock spin.Lock

// info lies in front of the header of every object but threads: what
// OBJECT_HEADER_CREATOR_INFO and OBJECT_HEADER_NAME_INFO hold, with the InfoMask
// bits of both.
type info struct {
	byType list.Entry // in the type's list
	entry  list.Entry // in the directory's, while the object has a name

	directory *directory // that holds a reference to the object
	name      *uint16
	length    uint16 // of the name, in characters
	fixed     bool   // static data, with a name that is too
	_         [5]byte
	_         uintptr
}

const infoMask = 0x01 | 0x02

// Flags in object headers (OB_FLAG_*).
const (
	flagExclusive = 0x08
	flagPermanent = 0x10
)

// infoOf returns what lies in front of the header, or nil.
func infoOf(o *kernel.ObjectHeader) *info {
	if o.InfoMask == 0 {
		return nil
	}
	return (*info)(unsafe.Add(unsafe.Pointer(o), -int(unsafe.Sizeof(info{}))))
}

func (i *info) header() *kernel.ObjectHeader {
	return (*kernel.ObjectHeader)(unsafe.Add(unsafe.Pointer(i), unsafe.Sizeof(info{})))
}

// named returns the object whose directory entry e is.
func named(e *list.Entry) *info { return (*info)(e.Container(unsafe.Offsetof(info{}.entry))) }

// headerOf returns the header of a body that a caller has passed. What cannot be
// an object is bug check REFERENCE_BY_POINTER.
func headerOf(body unsafe.Pointer) *kernel.ObjectHeader {
	at := uintptr(body)
	if at%8 == 0 && (mm.InPool(at) || inImage(at)) {
		o := kernel.ObjectOf(body)
		if (!sync.Checked || mm.Mapped(uintptr(unsafe.Pointer(o)))) && o.TypeIndex >= Thread && o.TypeIndex < Types {
			return o
		}
	}
	bugcheck.StopBecause("this is not, or no longer, the address of an object with references",
		bugcheck.ReferenceByPointer, 0, at, 0, 0)
	return nil
}

func inImage(at uintptr) bool {
	_, _, _, _, data, end := arch.ImageBounds()
	return data <= at && at < end
}

// Create returns a cleared body of the given size with one reference, which is
// the caller's, or nil if there is no memory (ObCreateObject).
//
// IRQL: <= DISPATCH_LEVEL
func Create(t kernel.ObjectType, size uintptr) unsafe.Pointer {
	typ := Describe(t)
	i := (*info)(pool.AllocOwn(unsafe.Sizeof(info{})+unsafe.Sizeof(kernel.ObjectHeader{})+size, typ.tag))
	if i == nil {
		return nil
	}
	o := i.header()
	o.TypeIndex, o.PointerCount, o.InfoMask = t, 1, infoMask
	typ.population.Grow()
	old := lock.Acquire()
	typ.objects.InsertTail(&i.byType)
	lock.Release(old)
	return o.Body()
}

// Reference keeps an object alive that the caller knows to be alive
// (ObReferenceObject).
//
// IRQL: <= DISPATCH_LEVEL
func Reference(body unsafe.Pointer) { headerOf(body).Reference() }

// ReferenceSafe is Reference for an object that may be about to be deleted: it
// reports false then (ObReferenceObjectSafe). The memory must still be the
// object's.
//
// IRQL: <= DISPATCH_LEVEL
func ReferenceSafe(body unsafe.Pointer) bool { return headerOf(body).ReferenceSafe() }

// Dereference drops a reference and deletes the object with the last one
// (ObDereferenceObject). One too many is bug check REFERENCE_BY_POINTER.
//
// IRQL: <= DISPATCH_LEVEL
func Dereference(body unsafe.Pointer) {
	if o := headerOf(body); o.Release() {
		remove(o)
	}
}
