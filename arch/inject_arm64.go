package arch

import "unsafe"

// Call is an injected call in progress: the registers to restore at its end.
type Call struct {
	State CallState
	frame Frame
	at    uint64 // address of the breakpoint that asked for the call
}

// debugCallFrame is the distance from the stack pointer in debugCallV2, at its
// last breakpoint, to that of the code it was injected into
// (runtime/asm_arm64.s).
const debugCallFrame = 288

// returned is the most bytes between the breakpoint that asks for the call and
// the one that says that it has returned. The stack may have moved between them.
const returned = 16

// Inject makes f, a frame of Go code at a safe point, call a function. The
// stack below it must be writable. It is served by Step from now on.
//
// The word below the stack pointer is left alone: Go keeps its caller's frame
// pointer there.
func (c *Call) Inject(f *Frame) {
	c.State = CallBegun
	c.frame = *f
	sp := f.StackPointer - 16
	*(*uint64)(unsafe.Pointer(uintptr(sp))) = f.X[30]
	*(*uint64)(unsafe.Pointer(uintptr(sp - 16))) = 0 // size of the arguments
	f.X[30] = f.IP
	f.StackPointer = sp
	f.IP = uint64(symDebugCall)
}

// Step serves a breakpoint of Go code of a thread that has an injected call of
// the function value fn. It reports whether the breakpoint belongs to the call.
func (c *Call) Step(f *Frame, fn uintptr) bool {
	switch step := callStep(f.X[20]); {
	case c.State == CallBegun && step == stepCall:
		c.State, c.at = CallRunning, f.IP
		f.X[30] = f.IP + instructionSize
		f.X[26] = uint64(fn)
		f.IP = *(*uint64)(unsafe.Pointer(fn))
	case c.State == CallBegun && step == stepRefused:
		c.State = CallRefused
		f.IP += instructionSize
	case c.State == CallRunning && step == stepReturned && f.IP-c.at <= returned:
		c.State = CallEnding
		f.X[30] = *(*uint64)(unsafe.Pointer(uintptr(f.StackPointer)))
		f.IP += instructionSize
	case c.State == CallRunning && step == stepPanicked:
		c.State = CallPanicked
		f.IP += instructionSize
	case (c.State == CallEnding || c.State == CallRefused) && step == stepRestore:
		c.restore(f)
	default:
		return false
	}
	return true
}

// restore puts everything back, as a return from the interrupt would have done.
func (c *Call) restore(f *Frame) {
	if f.StackPointer+debugCallFrame != c.frame.StackPointer {
		c.State = CallMoved
		return
	}
	c.State = CallDone
	*f = c.frame
}

// goroutine returns the address of the running g.
func (f *Frame) goroutine() uintptr { return uintptr(f.X[28]) }
