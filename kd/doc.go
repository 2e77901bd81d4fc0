// Package kd is the kernel debugger: WinDbg's commands over a machine whose
// memory and registers can be read, be it a running one (package kd/remote) or
// a crash dump (package kd/core).
//
// It keeps no offsets of its own. Whatever it knows of the kernel's structures
// comes from the image's symbols and DWARF types, so that it fits the image it
// is given, on both architectures. It reads memory without taking locks: the
// machine is stopped, and what it was changing when it stopped is shown half
// changed.
//
// It runs on the host; nothing in an image imports it.
package kd
