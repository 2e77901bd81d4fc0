package arch

import "unsafe"

// The primitives below are assembly that follows Go's register ABI
// (cmd/compile/abi-internal.md), called through closures: 5 instructions for
// one that does a single load. Declared as assembly functions they would be
// called by the stack ABI through a wrapper that the compiler writes, for 15.
//
// initPrimitives sets the closures before anything else runs.
var (
	thisCPU     func() *CPU
	thisContext func() *Context
	inKernel    func() bool
	ofKernel    func() *Context
	readIRQL    func() uintptr
	writeIRQL   func(uintptr)
	raiseIRQL   func(uintptr) uintptr
	pause       func()
	counter     func() uint64
	dispatcher  func() unsafe.Pointer
	disable     func() bool
	enable      func()
	change      func(from, to *Context, time *Account, bucket *uint64) unsafe.Pointer
	callOn      func(s *Stack, fn func(uintptr), arg uintptr)
	become      func(c *Context)
)

// primitives are the closures' objects: each is the address of its code.
var primitives [15]uintptr

func initPrimitives() {
	primitives = primitiveCode()
	set := func(variable unsafe.Pointer, i int) {
		*(*unsafe.Pointer)(variable) = unsafe.Pointer(&primitives[i])
	}
	set(unsafe.Pointer(&thisCPU), 0)
	set(unsafe.Pointer(&thisContext), 1)
	set(unsafe.Pointer(&inKernel), 2)
	set(unsafe.Pointer(&readIRQL), 3)
	set(unsafe.Pointer(&writeIRQL), 4)
	set(unsafe.Pointer(&raiseIRQL), 5)
	set(unsafe.Pointer(&pause), 6)
	set(unsafe.Pointer(&counter), 7)
	set(unsafe.Pointer(&dispatcher), 8)
	set(unsafe.Pointer(&disable), 9)
	set(unsafe.Pointer(&enable), 10)
	set(unsafe.Pointer(&change), 11)
	set(unsafe.Pointer(&callOn), 12)
	set(unsafe.Pointer(&become), 13)
	set(unsafe.Pointer(&ofKernel), 14)
}

// defined in primitive_amd64.s
func primitiveCode() [15]uintptr

// ThisCPU returns the processor's block. The answer is stable only at
// DISPATCH_LEVEL and above or with interrupts disabled.
func ThisCPU() *CPU { return thisCPU() }

// ThisContext returns the running thread's context. It is one register read or
// load, so it is right at any level, even if the thread migrates right after.
func ThisContext() *Context { return thisContext() }

// InKernel reports whether the caller runs in kernel context (kernel stack and
// kernel g) rather than as Go code of a thread.
func InKernel() bool { return inKernel() }

// KernelContext is ThisContext for kernel context, and nil for Go code of a
// thread.
func KernelContext() *Context { return ofKernel() }

// ReadIRQL returns the processor's interrupt priority mask as an IRQL.
func ReadIRQL() uintptr { return readIRQL() }

// WriteIRQL sets the mask. Interrupts that become deliverable are taken before
// the next instruction but one.
func WriteIRQL(level uintptr) { writeIRQL(level) }

// Pause is the body of every spin loop (PAUSE, YIELD). Under QEMU -icount it
// hands over to the next processor, deterministically.
func Pause() { pause() }

// Counter returns the free-running counter that time is made of (TSC,
// CNTVCT_EL0).
func Counter() uint64 { return counter() }

// Cycles returns the counter that counts single instructions under QEMU
// -icount shift=0 (TSC, PMCCNTR_EL0).
func Cycles() uint64 { return counter() }

// RaiseIRQL sets the mask and returns the level before, for kernel context.
// It changes nothing and returns LookCloser if that would lower the level, or
// if Go code of a thread asks.
func RaiseIRQL(level uintptr) uintptr { return raiseIRQL(level) }

// DisableInterrupts clears the processor's interrupt flag and reports whether
// it was set.
func DisableInterrupts() bool { return disable() }

// EnableInterrupts sets the processor's interrupt flag.
func EnableInterrupts() { enable() }

// Switch saves the running context and resumes to, whose time is charged to
// bucket from here on. It returns when something switches back, perhaps on
// another processor, whose Dispatcher it returns. Kernel context, DISPATCH_LEVEL,
// dispatcher lock held, interrupts enabled.
func Switch(from, to *Context, time *Account, bucket *uint64) unsafe.Pointer {
	return change(from, to, time, bucket)
}

// CallOn runs fn(arg) on the given kernel stack, which must not be in use.
// Interrupts are disabled at the call and at return, and fn is called and returns
// so. Kernel context only, at DISPATCH_LEVEL or above, so that the processor
// stays.
func CallOn(s *Stack, fn func(uintptr), arg uintptr) { callOn(s, fn, arg) }

// Become makes c the running context, on the stack in use, which c has as its
// own. Kernel context, DISPATCH_LEVEL or above.
func Become(c *Context) { become(c) }

// Dispatcher returns package kernel's state of the running processor.
func Dispatcher() unsafe.Pointer { return dispatcher() }
