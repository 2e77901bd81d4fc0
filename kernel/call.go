package kernel

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/pool"
)

// Normal routines are ordinary Go, so kernel context cannot call them. Calls is
// what does: Go code of package apc that asks NextCall what is due until there
// is nothing more. The running goroutine calls it
//
//   - at the end of each call of the kernel (Enter), which a wait that is
//     interrupted for it is as well,
//   - when it lowers IRQL to PASSIVE_LEVEL (irql.Lowered),
//   - in the middle of whatever it computes, where the runtime allows that
//     (InjectCall): at the end of an interrupt, on a goroutine of its own.
//
// Context.Attention says that there may be something.
var Calls func()

// Call is a normal routine to be called, with its arguments.
type Call struct {
	Routine             NormalRoutine
	Context, Arg1, Arg2 unsafe.Pointer

	kind       callKind
	disable    int16 // KernelAPCs and SpecialAPCs when it was called
	disableAll int16
}

type callKind uint8

const (
	callNone callKind = iota
	callKernel
	callUser
)

// NextCall ends the call that c was given for by the call before this one, and
// finds the next. Kernel routines run meanwhile. It reports whether there is
// one; c lies on the goroutine's stack. Go code of a thread.
//
// The world cannot be stopped for the garbage collector while it runs, so what c
// refers to stays, though kernel objects are all that did.
//
// IRQL: any; finds nothing above PASSIVE_LEVEL
func NextCall(c *Call) bool {
	a := Args{P: unsafe.Pointer(c)}
	gate(nextCall, &a)
	return a.R != 0
}

func nextCall(a *Args) {
	t := Current()
	t.calling = false
	c := (*Call)(a.P)
	if c.kind != callNone {
		t.finish(c)
	}
	for irql.Current() == irql.Passive {
		irql.Set(irql.APC)
		found := t.take(c)
		irql.Set(irql.Passive)
		if !found {
			return
		}
		if c.Routine != nil {
			c.disable, c.disableAll = t.KernelAPCs, t.SpecialAPCs
			a.R = 1
			return
		}
		t.finish(c)
	}
}

// take runs the special kernel APCs, takes the first of the others that is due,
// and runs its kernel routine. APC_LEVEL.
func (t *Thread) take(c *Call) bool {
	var a *APC
	for {
		t.deliverSpecial()
		old := LockDispatcher()
		if t.specialReady() {
			UnlockDispatcher(old)
			continue
		}
		c.kind = callNone
		switch {
		case t.normalReady():
			a = apcOf(t.APCs[KernelMode].Flink)
			c.kind = callKernel
			t.APCInProgress = true
		case t.userReady():
			t.UserAPCPending = false
			if q := &t.APCs[UserMode]; !q.Empty() {
				a = apcOf(q.Flink)
				c.kind = callUser
			}
		}
		if a != nil {
			a.unlink()
		}
		t.APCPending = false
		UnlockDispatcher(old)
		break
	}
	if a == nil {
		return false
	}
	c.set(a)
	a.runKernelRoutine(c)
	return true
}

// finish ends a call. After a user APC's routine the others that are queued are
// due, as after an alertable wait.
func (t *Thread) finish(c *Call) {
	if c.Routine != nil {
		t.checkReturn(c)
	}
	old := LockDispatcher()
	switch c.kind {
	case callKernel:
		t.APCInProgress = false
	case callUser:
		if !t.APCs[UserMode].Empty() {
			t.wantUserAPC()
		}
	}
	UnlockDispatcher(old)
	c.kind = callNone
}

// checkReturn stops the machine for a normal routine that returned at another
// level, or in other regions, than it was called.
func (t *Thread) checkReturn(c *Call) {
	r := dpc.EntryPoint(*(*uintptr)(unsafe.Pointer(&c.Routine)))
	if l := irql.Current(); l != irql.Passive {
		bugcheck.Stop(bugcheck.IRQLUnexpectedValue, uintptr(l)<<16|kindNormalRoutine, r, 0, r)
	}
	if c.disable != t.KernelAPCs || c.disableAll != t.SpecialAPCs {
		bugcheck.Stop(bugcheck.APCIndexMismatch, r, 0,
			uintptr(uint16(t.KernelAPCs))|uintptr(uint16(t.SpecialAPCs))<<16, 0)
	}
}

// callWanted reports whether the running thread's Go code may have something to
// call. No queue is looked into: others may be changing it.
func (t *Thread) callWanted() bool {
	return t.Locked && t.KernelAPCs == 0 && t.SpecialAPCs == 0 && !t.APCInProgress &&
		(t.APCPending || t.UserAPCPending)
}

// attend has the running goroutine make the calls that are due. An interrupt on the
// way to them does not inject them: a routine that is called from here may end its
// thread.
//
//go:noinline
func attend() {
	if Calls == nil || irql.Current() != irql.Passive {
		return
	}
	if t := Current(); t.callWanted() {
		t.calling = true
		Calls()
	}
}

// OnStep, if set, is called in kernel context after every instruction of Go code
// that runs with single-step traps. Such code can be interrupted everywhere; it
// is how the injection of calls is tested.
//
// IRQL: PASSIVE_LEVEL
var OnStep func()

// Stepped serves a single-step trap of Go code, if something set OnStep. It is
// called and returns with interrupts disabled.
func Stepped(f *arch.Frame) bool {
	if OnStep == nil || f.IRQL() != uintptr(irql.Passive) {
		return false
	}
	arch.EnableInterrupts()
	OnStep()
	arch.DisableInterrupts()
	return true
}

// retryTime is how long after a refused injection the next one is tried at the
// latest (100 ns).
const retryTime = Millisecond / 2

// injected is an injected call of Calls.
type injected struct {
	arch.Call
}

const injectedTag pool.Tag = 'A' | 'p'<<8 | 'c'<<16 | 'I'<<24

// InjectCall has the Go code at f call Calls before it goes on, if that has
// something to do and the code can be interrupted there. Otherwise it arranges
// to be asked again, at the end of the next interrupt. It is called and returns
// with interrupts disabled, when f is at PASSIVE_LEVEL.
func InjectCall(f *arch.Frame) {
	t := Current()
	if !t.callWanted() || Calls == nil {
		return
	}
	t.Context.Attention = 1
	switch f.Cause() {
	case arch.CauseInterrupt, arch.CauseDebug, arch.CausePageFault:
	default:
		return
	}
	if t.call != nil || t.calling {
		return
	}
	if !f.SafePoint() {
		// Go code leaves such places within microseconds, mostly.
		p := this()
		p.clock.retry = InterruptTime() + retryTime
		p.arm()
		return
	}
	arch.EnableInterrupts()
	if c := (*injected)(pool.AllocOwn(unsafe.Sizeof(injected{}), injectedTag)); c != nil {
		c.Inject(f)
		t.call = c
	}
	arch.DisableInterrupts()
}

// ServeCall serves a breakpoint in Go code, and reports whether it belongs to an
// injected call. Interrupts are disabled.
func ServeCall(f *arch.Frame) bool {
	t := Current()
	c := t.call
	if c == nil || !c.Step(f, *(*uintptr)(unsafe.Pointer(&Calls))) {
		return false
	}
	switch c.State {
	case arch.CallDone:
		t.call = nil
		pool.Free(unsafe.Pointer(c), injectedTag)
	case arch.CallPanicked:
		bugcheck.StopText("a normal APC routine ended the goroutine that it ran on, in the middle of its thread's code",
			bugcheck.KmodeExceptionNotHandled, bugcheck.ExceptionCode(f), f.PC(), 0, 0, f)
	case arch.CallMoved:
		bugcheck.StopText("the stack of code that was interrupted for a normal APC routine has moved",
			bugcheck.KmodeExceptionNotHandled, bugcheck.ExceptionCode(f), f.PC(), f.SP(), 0, f)
	}
	return true
}
