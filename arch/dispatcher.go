package arch

import "unsafe"

// The fast path of the dispatcher lock, in one piece with the change of level,
// because every operation of the dispatcher begins and ends with it. Package
// kernel puts it to use; DispatcherSlow is where it goes on with what it is not
// for.

// DispatcherLock is the word of the dispatcher lock, 0 while it is free and
// DispatcherHeld while it is held.
var DispatcherLock uint32

// DispatcherHeld is the word of the lock that is held.
const DispatcherHeld = 2

// DispatcherSlow is where the fast path goes on.
var DispatcherSlow DispatcherFallback

// DispatcherFallback is the type of DispatcherSlow.
type DispatcherFallback struct {
	High    func()            // above DISPATCH_LEVEL: nothing is done yet
	Held    func(old uintptr) // raised from old already; the lock is held, perhaps by the caller
	Release func(old uintptr) // something has to be done before the lock is released
}

// dispatcherCode are the closures' objects: each is the address of its code.
var dispatcherCode [2]uintptr

// DispatcherCode returns the fast path as func values. Acquire raises to
// DISPATCH_LEVEL, takes the lock and returns the level before and
// CPU.Dispatcher, as func() (uintptr, unsafe.Pointer); for Go code of a thread it
// does nothing and returns nil. Release frees the lock and sets the level, as
// func(old uintptr), unless the first two bytes at CPU.Dispatcher say that there
// is something to do first.
func DispatcherCode() (acquire, release unsafe.Pointer) {
	dispatcherCode = dispatcherPrimitives()
	return unsafe.Pointer(&dispatcherCode[0]), unsafe.Pointer(&dispatcherCode[1])
}

// defined in dispatcher_amd64.s and dispatcher_arm64.s
func dispatcherPrimitives() [2]uintptr
