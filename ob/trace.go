package ob

import "unsafe"

// Hooks of those who look for leaks, set at boot. They are top-level resident
// functions.
var (
	// OnHandle is called with the index of each new handle, on behalf of the
	// caller who asked for it, at DISPATCH_LEVEL.
	OnHandle func(index uint32)

	// OnReference is called when a driver has taken references to an object, or,
	// with a negative number, is about to drop some.
	OnReference func(body unsafe.Pointer, n int)
)

// Took says that a routine has given its caller n references to an object that
// the caller has to drop, or drops them for it if n is negative. References that
// the kernel takes for itself do not count.
//
// IRQL: <= DISPATCH_LEVEL
func Took(body unsafe.Pointer, n int) {
	if OnReference != nil {
		OnReference(body, n)
	}
}
