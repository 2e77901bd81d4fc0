// Package wdk has the kernel's routines under their documented names, with the
// documented parameters, so that a C driver can be ported line by line and every
// name can be looked up. It is thin: behaviour lives in packages kernel, sync,
// dpc, intr, ob and pool, which have idiomatic interfaces of their own.
//
// What C spells differently in Go:
//
//   - BOOLEAN is bool, and TRUE and FALSE are true and false.
//   - PVOID is unsafe.Pointer, so an object is passed as PVOID(event).
//   - LARGE_INTEGER is int64; a time of two seconds from now is -2*Second.
//   - TryExcept and TryFinally are __try; without one around, a raised exception
//     is a panic with ntstatus.Exception.
//
// # Storage
//
// Kernel objects lie in nonpaged pool: allocate them with ExAllocatePool2, or
// with New, which knows the size. They must not lie in a Go variable.
//
// # Previous mode
//
// Zw services act for the kernel. Nt services act for the caller's previous mode:
// KernelMode in a thread made by PsCreateSystemThread, else UserMode. UserMode's
// handles must have the access that a service needs and must not be for the kernel,
// and what a UserMode caller points to is checked. See docs/objects.md.
//
// # Checks
//
// The IRQL line of each routine is what the documentation demands of its
// callers. In checked mode (see Checked) a call from another level is bug check
// DRIVER_VERIFIER_DETECTED_VIOLATION with parameters 0xE5, the level, and the
// lowest and highest level allowed, where the documentation has no special one:
// 0xE6 for Zw routines, which also need special kernel APCs. A routine that is given
// to be called may be nil only where its documentation says so, else it is the bug
// check with parameter 0x1AB0005 at once, before anything calls it. A number that
// means nothing to a routine, which has no status for it, is 0x1AB0006.
//
// # Levels
//
// Routines that are legal at DISPATCH_LEVEL and above may be called by deferred
// routines and interrupt service routines as well as by raised threads. They
// allocate nothing and store no Go pointers.
package wdk
