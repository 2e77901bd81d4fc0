package arch

import "unsafe"

// The primitives are assembly functions: on ARM64 the compiler calls those
// directly, which costs less than a call through a closure (see
// primitive_amd64.go).

// ThisCPU returns the processor's block. The answer is stable only at
// DISPATCH_LEVEL and above or with interrupts disabled.
func ThisCPU() *CPU

// ThisContext returns the running thread's context. It is one register read or
// load, so it is right at any level, even if the thread migrates right after.
func ThisContext() *Context

// InKernel reports whether the caller runs in kernel context (kernel stack and
// kernel g) rather than as Go code of a thread.
func InKernel() bool

// KernelContext is ThisContext for kernel context, and nil for Go code of a
// thread.
func KernelContext() *Context

// ReadIRQL returns the processor's interrupt priority mask as an IRQL.
func ReadIRQL() uintptr

// WriteIRQL sets the mask. Interrupts that become deliverable are taken before
// the next instruction but one.
func WriteIRQL(level uintptr)

// Pause is the body of every spin loop (PAUSE, YIELD). Under QEMU -icount it
// hands over to the next processor, deterministically.
func Pause()

// Counter returns the free-running counter that time is made of (TSC,
// CNTVCT_EL0).
func Counter() uint64

// Cycles returns the counter that counts single instructions under QEMU
// -icount shift=0 (TSC, PMCCNTR_EL0).
func Cycles() uint64

// RaiseIRQL sets the mask and returns the level before, for kernel context.
// It changes nothing and returns LookCloser if that would lower the level, or
// if Go code of a thread asks.
func RaiseIRQL(level uintptr) uintptr

// DisableInterrupts clears the processor's interrupt flag and reports whether
// it was set.
func DisableInterrupts() bool

// EnableInterrupts sets the processor's interrupt flag.
func EnableInterrupts()

// Switch saves the running context and resumes to, whose time is charged to
// bucket from here on. It returns when something switches back, perhaps on
// another processor, whose Dispatcher it returns. Kernel context, DISPATCH_LEVEL,
// dispatcher lock held, interrupts enabled.
func Switch(from, to *Context, time *Account, bucket *uint64) unsafe.Pointer {
	change(from, to, time, bucket)
	return Dispatcher()
}

// defined in switch_arm64.s
//
//go:noescape
func change(from, to *Context, time *Account, bucket *uint64)

// CallOn runs fn(arg) on the given kernel stack, which must not be in use.
// Interrupts are disabled at the call and at return, and fn is called and returns
// so. Kernel context only, at DISPATCH_LEVEL or above, so that the processor
// stays.
func CallOn(s *Stack, fn func(uintptr), arg uintptr)

// Become makes c the running context, on the stack in use, which c has as its
// own. Kernel context, DISPATCH_LEVEL or above.
func Become(c *Context)

// Dispatcher returns package kernel's state of the running processor.
func Dispatcher() unsafe.Pointer { return ThisCPU().Dispatcher }
