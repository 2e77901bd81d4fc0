package arch

import "unsafe"

// Call is an injected call in progress: the registers to restore at its end.
type Call struct {
	State CallState
	frame Frame
	fp    FPState
	at    uint64 // address of the breakpoint that asked for the call
}

// debugCallFrame is the distance from the stack pointer in debugCallV2, at its
// last breakpoint, to that of the code it was injected into: its frame of 152
// bytes, its caller's BP and the return address (runtime/asm_amd64.s).
const debugCallFrame = 0x98 + 8 + 8

// returned is the most bytes between the breakpoint that asks for the call and
// the one that says that it has returned. The stack may have moved between them.
const returned = 16

// Inject makes f, a frame of Go code at a safe point, call a function. The
// stack below it must be writable. It is served by Step from now on.
func (c *Call) Inject(f *Frame) {
	c.State = CallBegun
	c.frame = *f
	c.fp = *f.FP
	sp := f.StackPointer - 8
	*(*uint64)(unsafe.Pointer(uintptr(sp))) = f.IP
	*(*uint64)(unsafe.Pointer(uintptr(sp - 16))) = 0 // size of the arguments
	f.StackPointer = sp
	f.IP = uint64(symDebugCall)
	f.Flags &^= flagTF
}

// Step serves a breakpoint of Go code of a thread that has an injected call of
// the function value fn. It reports whether the breakpoint belongs to the call.
func (c *Call) Step(f *Frame, fn uintptr) bool {
	switch step := callStep(f.R12); {
	case c.State == CallBegun && step == stepCall:
		c.State, c.at = CallRunning, f.IP
		f.StackPointer -= 8
		*(*uint64)(unsafe.Pointer(uintptr(f.StackPointer))) = f.IP
		f.DX = uint64(fn)
		f.IP = *(*uint64)(unsafe.Pointer(fn))
	case c.State == CallBegun && step == stepRefused:
		c.State = CallRefused
	case c.State == CallRunning && step == stepReturned && f.IP-c.at <= returned:
		c.State = CallEnding
	case c.State == CallRunning && step == stepPanicked:
		c.State = CallPanicked
	case (c.State == CallEnding || c.State == CallRefused) && step == stepRestore:
		c.restore(f)
	default:
		return false
	}
	return true
}

// restore puts everything back, as a return from the interrupt would have done.
// The protocol's own way would lose the flags: debugCallV2 adds to its stack
// pointer after them.
func (c *Call) restore(f *Frame) {
	if f.StackPointer+debugCallFrame != c.frame.StackPointer {
		c.State = CallMoved
		return
	}
	c.State = CallDone
	fp := f.FP
	*f = c.frame
	f.FP = fp
	*fp = c.fp
}

// goroutine returns the address of the running g: it is in the thread's TLS
// slot, whatever the registers hold.
func (f *Frame) goroutine() uintptr {
	tls := ThisContext().TLS
	if tls == 0 {
		return 0
	}
	return *(*uintptr)(unsafe.Pointer(tls - 8))
}

// flagTF makes the processor trap after each instruction.
const flagTF = 1 << 8
