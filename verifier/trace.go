package verifier

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
)

// maxReferences bounds the objects that drivers have references to, times the
// drivers. It is a power of two.
const maxReferences = 1024

// reference is an account: how many references to an object the calls of a
// driver's code have taken, less those that they have dropped.
type reference struct {
	object uintptr // 0: never used, gone: not any more
	by     uintptr // return address of the first call
	n      int
}

// handleMade is told of a new handle.
func handleMade(index uint32) {
	state.handles[index] = bugcheck.DriverCaller()
}

// took carries a change of an account into kernel context.
type took struct {
	object uintptr
	n      int
}

// referenceTaken is told of references taken and dropped.
func referenceTaken(object unsafe.Pointer, n int) {
	t := took{uintptr(object), n}
	if arch.InKernel() {
		count(unsafe.Pointer(&t))
	} else {
		arch.Gate(count, unsafe.Pointer(&t))
	}
}

func count(arg unsafe.Pointer) {
	t := (*took)(arg)
	by := bugcheck.DriverCaller()
	if by == 0 {
		return
	}
	driver := bugcheck.PackageOf(by - 1)
	on := acquire()
	if r := accountOf(t.object, driver, by); r == nil {
		atomic.AddUint64(&state.stats.Missed, 1)
	} else if r.n += t.n; r.n == 0 {
		r.close()
	}
	release(on)
}

// accountOf returns the driver's account of an object, a new one if there is none,
// or nil if there is no room for it. Lock held.
func accountOf(object uintptr, driver string, by uintptr) (r *reference) {
	for i := range uintptr(window) {
		s := &state.references[(home(object)+i)%maxReferences]
		switch {
		case s.object == object && bugcheck.PackageOf(s.by-1) == driver:
			return s
		case s.object <= gone && r == nil:
			r = s
		}
		if s.object == 0 {
			break
		}
	}
	if r != nil {
		*r = reference{object: object, by: by}
		atomic.AddUint32(&state.accounts, 1)
	}
	return r
}

func (r *reference) close() {
	r.object = gone
	atomic.AddUint32(&state.accounts, ^uint32(0))
}

// objectsFreed forgets the accounts of objects in memory that is about to be freed.
func objectsFreed(lo, hi uintptr) {
	if atomic.LoadUint32(&state.accounts) == 0 {
		return
	}
	on := acquire()
	for i := range state.references {
		if r := &state.references[i]; r.object >= lo && r.object < hi {
			r.close()
		}
	}
	release(on)
}
