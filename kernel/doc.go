// Package kernel is the dispatcher: threads, ready queues, waits, timers, and
// the interrupts that drive them. Objects that threads wait for are built on it
// in package sync.
//
// # The dispatcher lock
//
// One lock guards every dispatcher object, every thread's scheduling state, the
// ready queues and the timer tables, as the dispatcher database lock did in NT.
// It is taken at DISPATCH_LEVEL and, unlike any other lock, may be held across
// a thread switch: the thread switched to releases it.
//
// Lock order, outermost first:
//
//	futex bucket (linux) > dispatcher > DPC queue > pool > mm
//
// # IRQL
//
// Everything runs in kernel context. Routines that take the dispatcher lock may
// be called at <= DISPATCH_LEVEL; routines that may block at <= APC_LEVEL.
package kernel
