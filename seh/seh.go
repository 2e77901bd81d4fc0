// Package seh is structured exception handling for Go code of threads: try blocks
// with filters and handlers, finally blocks, and exceptions that are raised by
// software, by the hardware and by the Go runtime.
//
//	seh.Try(func() {
//		seh.ProbeForRead(user, n, 1)
//		use(user)
//	}, seh.Handle, func(x *seh.Exception) {
//		status = x.Code()
//	})
//
// # How it goes
//
// An exception goes to the filters first, from the innermost try block outwards,
// with the stack as it was. The first filter that says ExecuteHandler has it.
// Then the stack unwinds: finally blocks run, innermost first, and last the
// handler. If no filter wants it the machine stops, before anything is unwound:
// bug check SYSTEM_THREAD_EXCEPTION_NOT_HANDLED in a system thread, else
// KMODE_EXCEPTION_NOT_HANDLED. Without any Try around, an exception is a panic
// that Go code may recover from, with the value ntstatus.Exception if it was
// raised; at the end of a system thread it stops the machine too.
//
// Unwinding is a panic of Go, so deferred functions run on the way; one that
// recovers from everything ends it.
//
// What is an exception: a raised status (Raise, kernel.RaiseStatus), a hardware
// exception of Go code below DISPATCH_LEVEL, and any panic. The first touch of a
// page is none; the touch of a bad address in system space is
// PAGE_FAULT_IN_NONPAGED_AREA, whatever the handlers. An address in neither half of
// the address space is not in system space: its touch is an exception, which does
// not tell the address.
//
// The address of an exception is that of an instruction: the one that the hardware
// refused, else the call by which the innermost function that is not itself part of
// raising did it. (Windows has the address behind that call.)
//
// # Where
//
// Try blocks belong to goroutines, and Try locks the goroutine to its thread for
// that time. Nothing here is resident code. Who holds a spin lock, or is at
// DISPATCH_LEVEL or above for another reason, must not cause exceptions.
package seh

import (
	"runtime"

	"irqlab/arch"
	"irqlab/kernel"
	"irqlab/ntstatus"
)

func init() { kernel.Throw = throw }

// Disposition is what a filter decides.
type Disposition int32

const (
	ContinueExecution Disposition = -1 // go on where a continuable exception was raised
	ContinueSearch    Disposition = 0  // let the next filter decide
	ExecuteHandler    Disposition = 1  // unwind to this try block
)

// Filter decides about an exception (the expression of __except).
type Filter func(*Exception) Disposition

// Handle is the filter that wants every exception.
func Handle(*Exception) Disposition { return ExecuteHandler }

// Only returns a filter that wants exceptions of some codes.
func Only(codes ...ntstatus.Status) Filter {
	return func(x *Exception) Disposition {
		for _, c := range codes {
			if x.Code() == c {
				return ExecuteHandler
			}
		}
		return ContinueSearch
	}
}

// Exception is what filters and handlers are told (EXCEPTION_POINTERS).
type Exception struct {
	Record  *kernel.ExceptionRecord
	Context *arch.Frame // the registers, after a hardware exception
	Value   any         // what a panic of Go was called with

	target *frame
}

// Code returns the exception's code (GetExceptionCode).
func (x *Exception) Code() ntstatus.Status { return x.Record.Code }

// frame is a block in progress. The kernel's part comes first, because that is
// what the thread's list of registrations is linked by.
type frame struct {
	kernel.Registration
	filter Filter // nil of a finally block
	base   bool   // nothing outside concerns the goroutine; see Run
	done   bool   // the body has returned
}

// enter begins a block on the running thread. The frame is on the heap: its
// address must not change.
//
//go:noinline
func enter(filter Filter, base bool) *frame {
	runtime.LockOSThread()
	f := &frame{filter: filter, base: base}
	f.Outer = kernel.Handlers()
	f.Filtered = filter != nil || f.outer().filtered()
	kernel.SetHandlers(&f.Registration)
	return f
}

// leave ends the block, for good.
func (f *frame) leave() {
	kernel.SetHandlers(f.Outer)
	runtime.UnlockOSThread()
}

// outer returns the block around f, nil if there is none.
func (f *frame) outer() *frame {
	if f.base {
		return nil
	}
	return frameOf(f.Outer)
}

// Try runs body. If the filter wants an exception that happens meanwhile, it
// runs handler (__try, __except).
//
// IRQL: <= APC_LEVEL
func Try(body func(), filter Filter, handler func(*Exception)) {
	if x := try(body, filter); x != nil {
		handler(x)
	}
}

func try(body func(), filter Filter) (caught *Exception) {
	f := enter(filter, false)
	defer func() {
		if f.done {
			f.leave()
			return
		}
		v := recover()
		if v == nil { // the goroutine ends
			f.leave()
			return
		}
		x := f.dispatch(v)
		f.leave()
		if x.target != f {
			panic(unwind{x})
		}
		caught = x
	}()
	body()
	f.done = true
	return nil
}

// Finally runs body, and then block in any case: when body returns, when an
// exception unwinds the stack, and when the goroutine ends. Block is told whether
// body was cut short (__try, __finally, AbnormalTermination).
//
// IRQL: <= APC_LEVEL
func Finally(body func(), block func(abnormal bool)) {
	f := enter(nil, false)
	defer func() {
		if f.done {
			f.leave()
			block(false)
			return
		}
		v := recover()
		if v == nil {
			f.leave()
			block(true)
			return
		}
		if f.filtered() {
			v = unwind{f.dispatch(v)}
		}
		f.leave()
		block(true)
		panic(v)
	}()
	body()
	f.done = true
}

// Run runs body as the outermost code of a thread, or of what interrupts one: an
// exception that it does not handle is given to unhandled, with the stack as it
// was, and goes no further. Unhandled does not return.
//
// IRQL: <= APC_LEVEL
func Run(body func(), unhandled func(*Exception)) {
	f := enter(nil, true)
	defer func() {
		if !f.done {
			if v := recover(); v != nil {
				unhandled(f.exception(v))
			}
		}
		f.leave()
	}()
	body()
	f.done = true
}
