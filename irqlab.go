// Package irqlab puts a kernel under a Go program. Import it, for effect or for
// what it has, build the program with the command irqlab, and it boots on
// x86-64 and ARM64 machines of QEMU as their operating system:
//
//	irqlab run ./mydriver
//
// The program is ordinary Go. Package wdk has the kernel's routines under their
// documented names; packages irql, sync, dpc and intr have the same in Go style.
// docs/irql.md says what Go code may do at which IRQL.
package irqlab

import (
	_ "irqlab/entry" // the kernel
	_ "irqlab/seh"
	"irqlab/thread"
)

// LockThread ties the calling goroutine to the kernel thread that runs it. It
// may own mutexes from then on, and its thread's priority and affinity are its
// own. Main is tied from the beginning, and so is every system thread.
//
// IRQL: PASSIVE_LEVEL
func LockThread() { thread.Lock("") }

// UnlockThread undoes LockThread.
//
// IRQL: PASSIVE_LEVEL
func UnlockThread() { thread.Unlock() }
