package arch

import "unsafe"

// Raising and lowering IRQL in kernel context, with the same checks as the full
// path in package irql but without its way there. What it is not for it leaves
// to LevelSlow.

// LevelSlow is where the fast path goes on for Go code of a thread, and for a
// raise that is a lowering or the reverse; nothing is done yet. Arguments and
// results are in registers.
var LevelSlow LevelFallback

// LevelFallback is the type of LevelSlow.
type LevelFallback struct {
	Raise func(to uintptr) uintptr
	Lower func(to uintptr)
}

// levelCode are the closures' objects: each is the address of its code.
var levelCode [2]uintptr

// LevelCode returns the fast path as func values: raise sets the level and
// returns the one before, as func(to uintptr) uintptr; lower sets it, as func(to
// uintptr).
func LevelCode() (raise, lower unsafe.Pointer) {
	levelCode = levelPrimitives()
	return unsafe.Pointer(&levelCode[0]), unsafe.Pointer(&levelCode[1])
}

// defined in level_amd64.s and level_arm64.s
func levelPrimitives() [2]uintptr
