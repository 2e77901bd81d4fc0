package arch

import "unsafe"

// Injected calls: a function of Go runs in the middle of Go code that computes,
// and afterwards that code goes on as if nothing had been. The runtime offers
// this to debuggers (runtime.debugCallV2); here the kernel is the debugger.
//
// The debugger saves the registers, makes the thread run debugCallV2, and
// serves its breakpoints. At each, a register says what is due; see callStep.
// The injected function runs on a goroutine of its own, on the same thread.

// Addresses of functions that the linker lets nobody outside the runtime refer
// to. The image tool writes them (image/symbols.go); one that it did not find
// stays 1, so that the words lie in the data section.
var (
	symAsyncSafePoint uintptr = 1
	symDebugCall      uintptr = 1
)

// RuntimeSymbols returns the addresses of runtime.isAsyncSafePoint and
// runtime.debugCallV2 that the image tool wrote.
func RuntimeSymbols() (asyncSafePoint, debugCall uintptr) { return symAsyncSafePoint, symDebugCall }

// callStep is what a breakpoint of the protocol asks for.
type callStep uint64

const (
	stepCall     callStep = 0  // call the function
	stepReturned callStep = 1  // it has returned
	stepPanicked callStep = 2  // it has panicked, or ended its goroutine
	stepRefused  callStep = 8  // the runtime does not allow a call here
	stepRestore  callStep = 16 // the end: restore the registers
)

// CallState says how far an injected call has come.
type CallState uint8

const (
	CallBegun    CallState = iota // debugCallV2 runs, the function does not yet
	CallRunning                   // the function runs
	CallEnding                    // it has returned
	CallRefused                   // it was refused; the registers will be restored
	CallDone                      // the interrupted code goes on
	CallPanicked                  // the function ended by a panic or runtime.Goexit
	CallMoved                     // the interrupted code's stack is not where it was
)

// privateM stands in for the m behind the kernel g while the runtime's own code
// looks at an interrupted program counter: it counts locks there and keeps a
// cache. One for each processor, since it is used with interrupts disabled.
var privateM [MaxCPUs][privateMSize]byte

// privateMSize is at least the size of runtime.m in bytes.
const privateMSize = 4096

// SafePoint reports whether a call may be injected at f, a frame of Go code: the
// runtime could preempt the code there, by the rules of its own asynchronous
// preemption, which leave room enough on the stack, and would resume it where it
// is. Interrupts are disabled.
func (f *Frame) SafePoint() bool {
	g := f.goroutine()
	if symAsyncSafePoint == 1 || symDebugCall == 1 || g == 0 || !f.InterruptsEnabled() {
		return false
	}
	ok, pc := asyncSafePoint(symAsyncSafePoint, g, f.PC(), f.SP(), f.Link(), unsafe.Pointer(&privateM[ThisCPU().ID]))
	return ok && pc == f.PC()
}

// asyncSafePoint calls runtime.isAsyncSafePoint at fn with m as the running m.
// Defined in inject_*.s.
//
//go:noescape
func asyncSafePoint(fn, gp, pc, sp, lr uintptr, m unsafe.Pointer) (ok bool, resume uintptr)
