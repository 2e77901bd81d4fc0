package seh

import (
	"errors"
	"runtime"
	"strings"
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
)

// unwind is the panic that unwinds the stack to a target.
type unwind struct{ x *Exception }

// Error lets code that recovers from everything report what it swallowed.
func (u unwind) Error() string { return u.x.Code().String() }

// Unwrap lets errors.As find the status.
func (u unwind) Unwrap() error { return ntstatus.Exception{Status: u.x.Code()} }

func frameOf(r *kernel.Registration) *frame { return (*frame)(unsafe.Pointer(r)) }

// innermost returns the innermost block of the running goroutine.
func innermost() *frame { return frameOf(kernel.Handlers()) }

// filtered reports whether there is a filter at f or outside it.
func (f *frame) filtered() bool { return f != nil && f.Filtered }

// dispatch returns the exception behind the panic v that has reached f. If it has
// not been to the filters yet, it goes there now.
func (f *frame) dispatch(v any) *Exception {
	if u, ok := v.(unwind); ok {
		return u.x
	}
	x := f.exception(v)
	if x.search(f) {
		// The runtime's panic cannot be undone.
		x = x.noncontinuable(f)
	}
	return x
}

// search asks the filters from f outwards, and notes who wants the exception. It
// reports whether one of them wants execution to go on. If nobody wants it, the
// machine stops.
func (x *Exception) search(f *frame) (resume bool) {
	defer kernel.SetHandlers(kernel.Handlers())
	for ; f != nil; f = f.outer() {
		if f.filter == nil {
			continue
		}
		// What happens in a filter is a matter for those outside.
		kernel.SetHandlers(f.Outer)
		switch f.filter(x) {
		case ExecuteHandler:
			x.target = f
			return false
		case ContinueExecution:
			return true
		}
	}
	x.Stop()
	return false
}

// noncontinuable replaces x, after which a filter wanted execution to go on in
// vain.
func (x *Exception) noncontinuable(f *frame) *Exception {
	y := &Exception{Record: &kernel.ExceptionRecord{
		Code: ntstatus.Noncontinuable, Flags: kernel.Noncontinuable, Record: x.Record, Address: x.Record.Address,
	}}
	if y.search(f) {
		y.Stop()
	}
	return y
}

// exception describes a panic. One that the kernel made of a hardware exception
// says no more than nil pointer; what happened is in the frame.
func (f *frame) exception(v any) *Exception {
	if u, ok := v.(unwind); ok {
		return u.x
	}
	x := &Exception{Value: v, Record: &kernel.ExceptionRecord{
		Code: ntstatus.GoPanic, Flags: kernel.Noncontinuable, Address: raiser(),
	}}
	err, _ := v.(error)
	var status ntstatus.Exception
	var fault runtime.Error
	switch {
	case errors.As(err, &status):
		x.Record.Code = status.Status
	case errors.As(err, &fault):
		switch text := fault.Error(); {
		case strings.HasSuffix(text, "nil pointer dereference"):
			x.Record.Code = ntstatus.AccessViolation
			if f.Pending {
				f.Pending = false
				r, c := f.Record, f.Context
				x.Record, x.Context, x.Value = &r, &c, nil
			}
		case strings.HasSuffix(text, "divide by zero"):
			x.Record.Code = ntstatus.IntegerDivide
		case strings.Contains(text, "out of range"):
			x.Record.Code = ntstatus.ArrayBounds
		}
	}
	return x
}

// Stop stops the machine for an exception that nobody handles.
//
// IRQL: any
func (x *Exception) Stop() {
	code := bugcheck.KmodeExceptionNotHandled
	if kernel.Current().System {
		code = bugcheck.SystemThreadException
	}
	kernel.Unhandled(code, x.Record, x.Context)
}

// raiser returns the address of the instruction that panicked, or raised a status,
// for a deferred function.
func raiser() uintptr { return origin(false) }

// caller returns the address of the instruction that raises a status.
func caller() uintptr { return origin(true) }

// origin returns the address of the instruction, in the innermost function that is
// not one of those that raise, that an exception comes from: its call of one of
// them, or what the hardware refused. Before the panic is what runs because of it.
func origin(panicked bool) uintptr {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	inside := uintptr(0) // an address in the instruction that the function stands at
	called, inlined := true, false
	for {
		f, more := frames.Next()
		if !inlined { // else that of the function with code, which came first
			inside = f.PC
		}
		switch {
		case f.Function == "runtime.gopanic":
			panicked = true
		case panicked && !leadsToPanic(f.Function) && called:
			return bugcheck.CallBefore(inside + 1)
		case panicked && !leadsToPanic(f.Function):
			return inside
		}
		if !more {
			return 0
		}
		if inlined = f.Func == nil; !inlined {
			called = f.Function != "runtime.sigpanic"
		}
	}
}

// leadsToPanic reports whether a function stands between a panic and the one
// whose fault it is.
func leadsToPanic(function string) bool {
	for _, p := range []string{"runtime.", "irqlab/seh.", "irqlab/kernel.RaiseStatus", "irqlab/wdk.ExRaise"} {
		if strings.HasPrefix(function, p) {
			return true
		}
	}
	return false
}

// Raise raises an exception. Unless the record has flag Noncontinuable, a filter
// may have it return.
//
// IRQL: <= APC_LEVEL
func Raise(r *kernel.ExceptionRecord) {
	irql.AssertAtMost(irql.APC)
	if r.Address == 0 {
		r.Address = caller()
	}
	f := innermost()
	if !f.filtered() {
		panic(ntstatus.Exception{Status: r.Code})
	}
	x := &Exception{Record: r}
	if x.search(f) {
		if r.Flags&kernel.Noncontinuable == 0 {
			return
		}
		x = x.noncontinuable(f)
	}
	panic(unwind{x})
}

func throw(s ntstatus.Status) {
	Raise(&kernel.ExceptionRecord{Code: s, Flags: kernel.Noncontinuable})
}
