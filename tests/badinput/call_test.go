// Package badinput gives every routine of package wdk bad arguments: one at a
// time, while the others are good. Each call must end as the documentation says,
// with a status, an exception or a bug check; never with nothing, and in time.
//
// What each routine takes follows from its declaration, see routines_test.go; what
// must come of a bad argument follows from the argument's type, or is in a table.
package badinput

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/seh"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// routine is how to call a routine.
type routine struct {
	name   string
	fn     any
	params []string
	call   func(a *arguments)
}

// arguments are those of one call, and what it returned.
type arguments struct {
	words  [12][3]uintptr
	result uintptr
	status bool // the result is an NTSTATUS
	none   bool // the result is nil
	keep   []any
}

// argument returns the i-th argument.
func argument[T any](a *arguments, i int) T { return *(*T)(unsafe.Pointer(&a.words[i])) }

// result notes what a routine returned, if it fits a word.
func result[T any](a *arguments, v T) {
	switch reflect.TypeFor[T]().Kind() {
	case reflect.Int32:
		_, a.status = any(v).(NTSTATUS)
	case reflect.Pointer, reflect.UnsafePointer:
		a.none = *(*unsafe.Pointer)(unsafe.Pointer(&v)) == nil
	}
	if unsafe.Sizeof(v) <= unsafe.Sizeof(a.result) {
		*(*T)(unsafe.Pointer(&a.result)) = v
	}
}

// set sets the i-th argument.
func (a *arguments) set(i int, v reflect.Value) {
	a.keep = append(a.keep, v.Interface())
	reflect.NewAt(v.Type(), unsafe.Pointer(&a.words[i])).Elem().Set(v)
}

// stopped is the panic that ends a call that would stop the machine.
type stopped bugcheck.Intercepted

// String is a bug check's code, and for DRIVER_VERIFIER_DETECTED_VIOLATION and the
// like the kind.
func (s stopped) String() string {
	switch s.Code {
	case bugcheck.VerifierDetectedViolation, bugcheck.TimerOrDPCInvalid, bugcheck.BadPoolCaller, bugcheck.BadPoolHeader, bugcheck.WorkerInvalid:
		return fmt.Sprintf("stop %#x/%#x", uint32(s.Code), s.Parameters[0])
	}
	return fmt.Sprintf("stop %#x", uint32(s.Code))
}

// outcome calls the routine at a level, and says what came of it: "stop" with a
// bug check's code, "raises" with the status of an exception, "returns" with the
// status, or alone, if the routine returns something else; else it is what nothing
// may come to. Want is what is expected: for a stop there is no try block around the
// call, to which each would be an exception first, at the price of a stack trace.
func (r *routine) outcome(level KIRQL, a *arguments, want string) (what string) {
	t := kernel.Current()
	normal, special := t.KernelAPCs, t.SpecialAPCs
	bugcheck.Intercept = func(code bugcheck.Code, p [4]uintptr) {
		bugcheck.Intercept = nil
		irql.Lower(irql.Passive)
		panic(stopped{code, p})
	}
	var fault bugcheck.Intercepted
	bugcheck.InterceptFault = &fault
	defer func() {
		v := recover()
		bugcheck.Intercept, bugcheck.InterceptFault = nil, nil
		left := irql.Current()
		if left != irql.Passive {
			irql.Lower(irql.Passive)
		}
		switch {
		case fault.Code != 0:
			what = stopped(fault).String()
		case v != nil:
			what = panicked(v)
		case left != level:
			what = fmt.Sprintf("returns at %v", left)
		case t.KernelAPCs != normal || t.SpecialAPCs != special:
			what = "changes what APCs are disabled"
		case a.status:
			what = fmt.Sprintf("returns %#x", uint32(a.result))
		case a.none:
			what = "returns nil"
		default:
			what = "returns"
		}
		for t.SpecialAPCs < special {
			kernel.LeaveGuardedRegion()
		}
		for t.KernelAPCs < normal {
			kernel.LeaveCriticalRegion()
		}
	}()
	irql.Raise(level)
	if level < irql.Dispatch && !strings.HasPrefix(want, "stop") {
		seh.Try(func() { r.call(a) }, seh.Handle, func(x *seh.Exception) { panic(x) })
		return ""
	}
	r.call(a)
	return ""
}

// panicked says what a panic is to a driver.
func panicked(v any) string {
	x, ok := v.(*seh.Exception)
	if ok {
		v = x.Value
	}
	switch p := v.(type) {
	case stopped:
		return p.String()
	case ntstatus.Exception:
		return fmt.Sprintf("raises %#x", uint32(p.Status))
	case nil:
		return fmt.Sprintf("raises %#x", uint32(x.Code()))
	case runtime.Error:
		if ok && strings.HasSuffix(p.Error(), "nil pointer dereference") {
			return fmt.Sprintf("raises %#x", uint32(x.Code()))
		}
	}
	return fmt.Sprintf("panic: %v", v)
}

// allowed reports whether an outcome is one of those wanted, which "|" separates.
// "returns *" is any that returns.
func allowed(want, got string) bool {
	for w := range strings.SplitSeq(want, "|") {
		if w == got || w == "returns *" && strings.HasPrefix(got, "returns") && !strings.Contains(got, " at ") {
			return true
		}
	}
	return false
}

// errHangs is what a watch that times out says.
var errHangs = errors.New("hangs")

// watch runs fn on a system thread, and ends the test if it makes no progress:
// step's argument is what it does next.
func watch(t *testing.T, fn func(step func(what string))) {
	t.Helper()
	if what, err := watched(fn, kit.Patience); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// watched is watch, which returns where there was no progress.
func watched(fn func(step func(what string)), patience time.Duration) (at string, err error) {
	var doing atomic.Pointer[string]
	done := make(chan struct{})
	go func() {
		kit.System()
		debug.SetPanicOnFault(true)
		defer close(done)
		fn(func(what string) { doing.Store(&what) })
	}()
	for before := (*string)(nil); ; before = doing.Load() {
		select {
		case <-done:
			return "", nil
		case <-time.After(patience):
			if now := doing.Load(); now != nil && now == before {
				return *now, errHangs
			}
		}
	}
}
