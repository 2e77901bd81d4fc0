package ob

import (
	"unsafe"

	"irqlab/kernel"
	"irqlab/pool"
)

const objectTag pool.Tag = 'O' | 'b'<<8 | 'j'<<16 | 'e'<<24

// Create returns a cleared body of the given size with one reference, which is
// the caller's, or nil if there is no memory (ObCreateObject).
//
// IRQL: <= DISPATCH_LEVEL
func Create(t kernel.ObjectType, size uintptr) unsafe.Pointer {
	p := pool.Alloc(unsafe.Sizeof(kernel.ObjectHeader{})+size, objectTag)
	if p == nil {
		return nil
	}
	o := (*kernel.ObjectHeader)(p)
	o.TypeIndex, o.PointerCount = t, 1
	return o.Body()
}

// Reference keeps an object alive that the caller knows to be alive
// (ObReferenceObject).
//
// IRQL: <= DISPATCH_LEVEL
func Reference(body unsafe.Pointer) { kernel.ObjectOf(body).Reference() }

// Dereference drops a reference and deletes the object with the last one
// (ObDereferenceObject). One too many is bug check REFERENCE_BY_POINTER.
//
// IRQL: <= DISPATCH_LEVEL
func Dereference(body unsafe.Pointer) {
	o := kernel.ObjectOf(body)
	if o.TypeIndex == Thread {
		(*kernel.Thread)(body).Dereference() // it knows when it may be freed
		return
	}
	if o.Release() {
		types[o.TypeIndex].delete(o)
	}
}

// free deletes an object that owns nothing but its memory.
func free(o *kernel.ObjectHeader) { pool.Free(unsafe.Pointer(o), objectTag) }
