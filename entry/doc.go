// Package entry is where assembly enters Go: boot, traps and system calls. It
// decides which package serves what, and in which context; it is the top of the
// resident packages, and importing it puts the kernel under a program.
//
// # From vector to thread
//
// A stub in package arch saves a frame and calls trap with interrupts disabled.
// An interrupt raises IRQL to its own level, and is served
//
//   - at DISPATCH_LEVEL on the interrupted thread's kernel stack, because that
//     is the one place where the thread may be switched out;
//   - above it on the processor's interrupt stack, nested by level.
//
// Before Go code resumes, package linux delivers what is pending for the thread.
package entry
