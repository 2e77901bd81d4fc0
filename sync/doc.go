// Package sync has the dispatcher objects that drivers use: Event, Mutex,
// Semaphore and Timer, in Go style. Package wdk has the same under the
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
// What the documentation calls raising an exception is kernel.RaiseStatus.
//
// Lock order: the dispatcher lock is the only one taken here, and what package
// kernel takes under it.
//
// Documentation: "Introduction to Kernel Dispatcher Objects".
package sync
