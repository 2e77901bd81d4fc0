// Package arch is the lowest layer of irqlab: what a processor is to the rest
// of the kernel. It owns the only assembly (entry, vectors, stack and context
// switches, system registers) and the data structures that assembly knows.
//
// Everything above speaks of frames, contexts and stacks, never of registers:
// the architecture is a file suffix here and in package board, nowhere else.
//
// # Stacks
//
// Go code runs on goroutine stacks; nothing is ever pushed there by hardware.
// x86-64 vectors use IST stacks and move the frame at once; ARM64 runs Go in
// EL1t, so exceptions land on SP_EL1. Kernel code runs on one of three kinds of
// kernel stack, each with a kernel g of its own (see G): the thread's, the
// processor's DPC stack, and the processor's interrupt stack.
//
// # The doors
//
// Assembly calls up into package entry, and only there, by symbol or through
// Entry:
//
//	entry.boot       the boot processor, once, on the boot stack
//	entry.secondary  every other processor, once
//	entry.trap       every exception and interrupt, interrupts disabled
//	entry.syscall    a system call of the Go runtime, interrupts disabled
//	entry.started    the first thing a new thread does
//
// IRQL: this package decides nothing about IRQL; it only reads and writes the
// hardware's mask.
package arch

//go:generate go run irqlab/arch/gen
