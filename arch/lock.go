package arch

import "unsafe"

// The fast path of an ordinary spin lock, in one piece from the raise to the
// return, because a lock is taken at every turn. It is for kernel context and
// an uncontended lock, and checks nothing; the rest it leaves to LockSlow.
// Package spin puts it to use.

// LockHeld is the word of a lock that the fast path took.
const LockHeld = 2

// LockSlow is where the fast path goes on with what it is not for. Like the fast
// path itself, the functions take their arguments and return their results in
// registers.
var LockSlow LockFallback

// LockFallback is the type of LockSlow.
type LockFallback struct {
	Acquire   func(word *uintptr) uintptr      // Go code of a thread: nothing is done yet
	Contended func(word *uintptr)              // raised already; somebody has the lock
	Release   func(word *uintptr, old uintptr) // Go code of a thread: nothing is done yet
}

// lockCode are the closures' objects: each is the address of its code.
var lockCode [2]uintptr

// LockCode returns the fast path as func values: acquire raises to
// DISPATCH_LEVEL, takes the lock and returns the level before, as
// func(word *uintptr) uintptr; release frees the lock and sets the level, as
// func(word *uintptr, old uintptr).
func LockCode() (acquire, release unsafe.Pointer) {
	lockCode = lockPrimitives()
	return unsafe.Pointer(&lockCode[0]), unsafe.Pointer(&lockCode[1])
}

// defined in lock_amd64.s and lock_arm64.s
func lockPrimitives() [2]uintptr
