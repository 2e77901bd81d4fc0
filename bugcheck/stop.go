package bugcheck

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
)

// ExitStatus is the status of the machine after a stop.
const ExitStatus = 66

// Thread tells the screen what runs; package kernel sets it. It is called with
// interrupts disabled and must not take a lock.
var Thread func() (id uint32, name *[16]byte)

// Record is what a debugger finds of a stop in LastStop: the documented bug
// check data, and the frames of all processors.
type Record struct {
	Code       Code
	CPU        uint32
	Parameters [4]uintptr
	Text       string                      // what happened, if the code alone does not say
	Answered   uint32                      // bit n: processor n is frozen
	Frames     [arch.MaxCPUs]*arch.Frame   // where they were; nil if unknown, or if the stop is no trap
	Stacks     [arch.MaxCPUs]uintptr       // frame pointers of those that called to stop the machine
	Levels     [arch.MaxCPUs]uint8         // their IRQLs
	Threads    [arch.MaxCPUs]*arch.Context // what ran there
	Trace      Trace
}

// LastStop describes the stop in progress, if Stopping.
var LastStop Record

// owner is the processor that stops the machine, plus one.
var owner uint32

// Stopping reports whether the machine is being stopped, so that a
// non-maskable interrupt means Freeze.
func Stopping() bool { return atomic.LoadUint32(&owner) != 0 }

// WriteDump writes the crash dump, and says on the console what came of it;
// package entry sets it. It is called once, after the screen.
var WriteDump func(*Record)

// stage is what the stop path is doing, for a fault on the way.
var stage = "while stopping"

// request carries the arguments of a stop to the kernel stack.
type request struct {
	code  Code
	p     [4]uintptr
	frame *arch.Frame
	text  string // what happened, if the code alone does not say
	// The rule was broken by the innermost call of a driver's that led here.
	byCall bool
	call   uintptr // its instruction, or 0
}

// Stop ends everything (KeBugCheckEx). The trace shows the caller.
//
// IRQL: any
//
//go:nosplit
func Stop(code Code, p1, p2, p3, p4 uintptr) {
	r := request{code: code, p: [4]uintptr{p1, p2, p3, p4}}
	if arch.InKernel() {
		stop(unsafe.Pointer(&r))
	}
	r.leaveGo()
}

// Intercept, if set, is called when Go code of a thread is about to stop the
// machine, and may end the call that led there by a panic. If it returns, the
// machine stops. It is for tests that break hundreds of rules in one boot.
var Intercept func(code Code, parameters [4]uintptr)

// leaveGo stops the machine for Go code of a thread. A goroutine's stack may have
// no room for what follows, and cannot grow here.
//
//go:nosplit
func (r *request) leaveGo() {
	if Intercept != nil {
		Intercept(r.code, r.p)
	}
	arch.Gate(stop, unsafe.Pointer(r))
}

// StopBecause is Stop with a line on the screen that says what the rule behind
// the code means here. It is for rules of this kernel that Windows does not
// have.
//
// IRQL: any
//
//go:nosplit
func StopBecause(text string, code Code, p1, p2, p3, p4 uintptr) {
	r := request{code: code, p: [4]uintptr{p1, p2, p3, p4}, text: text}
	if arch.InKernel() {
		stop(unsafe.Pointer(&r))
	}
	r.leaveGo()
}

// StopAtCall is StopBecause for what a routine finds of its arguments, or of the
// level that it is called at: the instruction at fault is the driver's call. It is
// shown, and becomes the parameter that is the address of the instruction, if the
// code has one and 0 was given. An empty text is none.
//
// IRQL: any
//
//go:nosplit
func StopAtCall(text string, code Code, p1, p2, p3, p4 uintptr) {
	r := request{code: code, p: [4]uintptr{p1, p2, p3, p4}, text: text, byCall: true}
	if arch.InKernel() {
		stop(unsafe.Pointer(&r))
	}
	r.leaveGo()
}

// StopFrame is Stop for a trap: registers and trace are those of the frame.
// Kernel context only.
//
// IRQL: any
func StopFrame(code Code, p1, p2, p3, p4 uintptr, f *arch.Frame) {
	StopText("", code, p1, p2, p3, p4, f)
}

// StopText is StopFrame with a sentence of its own about what happened. f may
// be nil: then the trace shows the caller.
//
// IRQL: any
func StopText(text string, code Code, p1, p2, p3, p4 uintptr, f *arch.Frame) {
	r := request{code: code, p: [4]uintptr{p1, p2, p3, p4}, frame: f, text: text}
	stop(unsafe.Pointer(&r))
}

func stop(arg unsafe.Pointer) {
	r := (*request)(arg)
	irql := arch.ReadIRQL()
	enabled := arch.DisableInterrupts()
	arch.WriteIRQL(15)
	me := arch.ThisCPU().ID
	if r.frame == nil && LastStop.Answered>>me&1 == 0 {
		LastStop.Stacks[me] = arch.FramePointer()
	}
	if !atomic.CompareAndSwapUint32(&owner, 0, me+1) {
		if atomic.LoadUint32(&owner) == me+1 {
			again(r)
		}
		// Another processor was first and its request is on the way, but
		// interrupts may stay disabled here for ever: answer now.
		if r.frame != nil {
			irql = r.frame.IRQL()
		}
		LastStop.answer(r.frame, irql)
		halt()
	}
	s := &LastStop
	s.Code, s.CPU, s.Parameters, s.Text = r.code, me, r.p, r.text
	if r.frame != nil {
		irql = r.frame.IRQL()
		enabled = r.frame.InterruptsEnabled()
	}
	s.answer(r.frame, irql)
	freezeOthers(me)
	if r.frame != nil {
		s.Trace.FromFrame(r.frame)
	} else {
		s.Trace.FromHere()
		if r.byCall {
			r.blame(s.Trace.driverCall())
			s.Parameters = r.p
		}
	}
	screen(r, irql, enabled)
	if WriteDump != nil {
		stage = "while writing the dump"
		WriteDump(s)
	}
	runCallbacks()
	leave()
}

// blame makes a call the instruction at fault.
func (r *request) blame(call uintptr) {
	r.call = call
	for i, meaning := range &Describe(r.code).Parameters {
		if meaning == atInstruction && r.p[i] == 0 {
			r.p[i] = call
		}
	}
}

// Restart makes a stop start the machine anew instead of ending it. It is set at
// boot.
var Restart bool

// leave ends the machine. A debugger stops it here: see package kd, wanted.
//
//go:noinline
func leave() {
	if Restart {
		text("\nirqlab: restart\n")
		board.Reset()
	}
	epitaph()
	board.Exit(ExitStatus)
	halt()
}

// again ends a stop that came while this processor was stopping the machine:
// the screen is as good as it gets.
func again(r *request) {
	text("\n*** STOP ")
	hex(uintptr(r.code), 8)
	text(" ")
	text(stage)
	if r.frame != nil {
		text(", at ")
		hex(r.frame.PC(), 16)
	}
	leave()
}
