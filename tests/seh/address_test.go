//go:build irqlab

package seh

import (
	"reflect"
	"runtime"
	"strings"
	"testing"

	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/seh"
	. "irqlab/wdk"
)

var noMap map[int]int

// raise is inlined where it is called.
func raise() { kernel.RaiseStatus(ntstatus.NoMemory) }

// apply calls a function that the compiler does not know.
//
//go:noinline
func apply(fn func(NTSTATUS), s NTSTATUS) { fn(s) }

// What software or the Go runtime raises has the address of a call instruction, in
// the function whose fault it is.
//
// rule: seh-raise-status
// rule: seh-raise-av
func TestCallAddress(t *testing.T) {
	for name, c := range map[string]struct {
		fn func()
		in any // the function, if it is not fn
	}{
		"divide":       {fn: func() { zero = 1 / zero }},
		"index":        {fn: func() { few[len(few)+zero] = 1 }},
		"map":          {fn: func() { noMap[zero] = 1 }},
		"panic":        {fn: func() { panic("at the disco") }},
		"status":       {fn: func() { kernel.RaiseStatus(ntstatus.NoMemory) }},
		"inlined":      {fn: func() { zero++; raise() }},
		"documented":   {fn: func() { ExRaiseStatus(STATUS_NO_MEMORY) }},
		"violation":    {fn: func() { ExRaiseAccessViolation() }},
		"misalignment": {fn: func() { ExRaiseDatatypeMisalignment() }},
		"probe":        {fn: func() { ProbeForRead(PVOID(MmUserProbeAddress), 1, 1) }, in: ProbeForRead},
		"pointer":      {fn: func() { apply(ExRaiseStatus, STATUS_NO_MEMORY) }, in: apply},
	} {
		if c.in == nil {
			c.in = c.fn
		}
		zero = 0
		var filtered, handled uintptr
		seh.Try(c.fn, func(x *seh.Exception) seh.Disposition {
			filtered = x.Record.Address
			return seh.ExecuteHandler
		}, func(x *seh.Exception) { handled = x.Record.Address })
		// An inlined function is told of as itself, with the entry of where it is.
		if in := runtime.FuncForPC(handled); filtered != handled || in == nil || in.Entry() != reflect.ValueOf(c.in).Pointer() {
			t.Errorf("%s: at %#x, in %v", name, handled, in)
		} else if text := instruction(handled); !strings.HasPrefix(text, call) {
			t.Errorf("%s: at %#x: %s", name, handled, text)
		}
	}
}

// The address of a hardware exception is the same where the description that the
// kernel made is lost, because Go code has recovered and panicked again.
func TestFaultAddress(t *testing.T) {
	fault := func() { *(*int)(nowhere) = 1 }
	var want, got uintptr
	seh.Try(fault, seh.Handle, func(x *seh.Exception) { want = x.Record.Address })
	seh.Run(func() { seh.Finally(fault, func(bool) {}) }, func(x *seh.Exception) { got = x.Record.Address })
	if got != want || got == 0 {
		t.Errorf("at %#x, not %#x", got, want)
	}
}
