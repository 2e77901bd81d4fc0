// Package sync has the dispatcher objects that drivers use, Event, Mutex,
// Semaphore, Timer and Queue, and the locks that are built on them: FastMutex,
// GuardedMutex, PushLock and Resource. Package wdk has the same under the
// documented names.
//
// The objects are the public structures, byte for byte, and lie in nonpaged
// pool; in checked mode initialising one elsewhere stops the machine with
// DRIVER_VERIFIER_DETECTED_VIOLATION 0xE1. (Kernel code may also use its static
// data, and its own stack for as long as the function lasts.)
//
// Methods may be called from Go code and in kernel context alike. From Go code
// they pass the gate into kernel context (package kernel, Enter), where the
// state is changed with the dispatcher lock held. A wait that cannot be
// satisfied at once passes it a second time, as a blocking call, so that the
// goroutine's P is free while its thread waits.
//
// The locks know their way without the dispatcher: while nobody has to wait, an
// atomic operation takes them and one frees them, on the goroutine's own stack
// (a Resource, which keeps account of its owners, enters the kernel for its spin
// lock). A release hands a lock over to who waits instead of freeing it.
//
// What a thread owns is the thread's, so a goroutine that acquires must be locked
// to its thread; another raises STATUS_INVALID_THREAD.
//
// What the documentation calls raising an exception is kernel.RaiseStatus.
//
// Lock order: resource > dispatcher, and what package kernel takes under it.
// The list of resources has a lock of its own, a leaf.
//
// Documentation: "Introduction to Kernel Dispatcher Objects".
package sync
