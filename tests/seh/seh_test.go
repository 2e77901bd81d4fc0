//go:build irqlab

package seh

import (
	"errors"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/mm"
	"irqlab/ntstatus"
	"irqlab/seh"
	"irqlab/sync"
	"irqlab/tests/kit"
	"irqlab/thread"
)

func undefined()
func breakpoint()
func misalign()

// fault is a function that causes a hardware exception.
type fault struct {
	name   string
	fn     func()
	status ntstatus.Status
}

var faults = []fault{
	{"undefined", undefined, ntstatus.IllegalInstr},
	{"breakpoint", breakpoint, ntstatus.Breakpoint},
	{"misalign", misalign, misaligned},
	{"nil", func() { *(*int)(nowhere) = 1 }, ntstatus.AccessViolation},
	{"call", func() { (*(*func())(unsafe.Pointer(&noCode)))() }, ntstatus.AccessViolation},
}

// What must not be known to the compiler.
var (
	nowhere unsafe.Pointer
	code    uintptr = 0x20
	noCode          = &code
	zero    int
	few     = make([]int, 1)
)

func entry(fn func()) uintptr { return reflect.ValueOf(fn).Pointer() }

// Every hardware exception of Go code reaches the filter and the handler with its
// code, its address and the registers.
func TestHardware(t *testing.T) {
	for _, level := range []irql.Level{irql.Passive, irql.APC} {
		for _, f := range faults {
			var filtered, handled *seh.Exception
			kit.At(level, func() {
				seh.Try(f.fn, func(x *seh.Exception) seh.Disposition {
					filtered = x
					return seh.ExecuteHandler
				}, func(x *seh.Exception) { handled = x })
			})
			if handled == nil || handled != filtered || handled.Code() != f.status || handled.Context == nil {
				t.Errorf("%s at %d: %+v", f.name, level, handled)
				continue
			}
			at := handled.Record.Address
			fn := runtime.FuncForPC(at)
			switch {
			case f.name == "call":
				if at != 0x20 || handled.Record.Information != [15]uintptr{8, 0x20} {
					t.Errorf("call: %+v", handled.Record)
				}
			case fn == nil || fn.Name() != runtime.FuncForPC(entry(f.fn)).Name() || at != handled.Context.Instruction():
				t.Errorf("%s: the address is %#x, the function at %#x", f.name, at, entry(f.fn))
			}
		}
	}
}

// rule: seh-null-access
func TestNullAccess(t *testing.T) {
	for name, c := range map[string]struct {
		access func()
		want   [2]uintptr
	}{
		"read":                  {func() { zero = *(*int)(nowhere) }, [2]uintptr{0, 0}},
		"write":                 {func() { *(*int)(nowhere) = 1 }, [2]uintptr{1, 0}},
		"beyond the first page": {func() { zero = *(*int)(unsafe.Add(nowhere, 1<<37)) }, [2]uintptr{0, 1 << 37}},
	} {
		var got *seh.Exception
		seh.Try(c.access, seh.Only(ntstatus.AccessViolation), func(x *seh.Exception) { got = x })
		if got == nil || [2]uintptr(got.Record.Information[:2]) != c.want || got.Record.Parameters != 2 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Panics of the Go runtime have the codes of their C twins.
func TestRuntimeErrors(t *testing.T) {
	for name, c := range map[string]struct {
		fn   func()
		want ntstatus.Status
	}{
		"divide":  {func() { zero = 1 / zero }, ntstatus.IntegerDivide},
		"index":   {func() { few[len(few)+zero] = 1 }, ntstatus.ArrayBounds},
		"panic":   {func() { panic("at the disco") }, ntstatus.GoPanic},
		"wrapped": {func() { panic(errors.Join(ntstatus.Exception{Status: ntstatus.NoMemory})) }, ntstatus.NoMemory},
	} {
		var got *seh.Exception
		zero = 0
		seh.Try(c.fn, seh.Handle, func(x *seh.Exception) { got = x })
		if got == nil || got.Code() != c.want || got.Value == nil || got.Context != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// rule: seh-raise-status
func TestRaiseStatus(t *testing.T) {
	for _, s := range []ntstatus.Status{ntstatus.InvalidParameter, ntstatus.Timeout, ntstatus.Success} {
		var got *seh.Exception
		after := false
		seh.Try(func() {
			kernel.RaiseStatus(s)
			after = true
		}, seh.Handle, func(x *seh.Exception) { got = x })
		if got == nil || got.Code() != s || after || got.Record.Flags&kernel.Noncontinuable == 0 {
			t.Errorf("%v: %+v, went on: %v", s, got, after)
		}
		if fn := runtime.FuncForPC(got.Record.Address); fn == nil || fn.Name() != "irqlab/tests/seh.TestRaiseStatus.func1" {
			t.Errorf("raised in %v", fn)
		}
	}
}

// rule: seh-lock-limits-raise
func TestMutantNotOwned(t *testing.T) {
	m := kit.New[sync.Mutex](t)
	m.Init()
	var got ntstatus.Status
	seh.Try(func() { m.Release() }, seh.Handle, func(x *seh.Exception) { got = x.Code() })
	if got != ntstatus.MutantNotOwned {
		t.Error(got)
	}
}

// rule: seh-finally-order
func TestOrder(t *testing.T) {
	var log []string
	note := func(s string) { log = append(log, s) }
	block := func(name string) func(bool) {
		return func(abnormal bool) {
			if abnormal {
				name += " abnormal"
			}
			note(name)
		}
	}
	filter := func(name string, d seh.Disposition) seh.Filter {
		return func(*seh.Exception) seh.Disposition { note(name); return d }
	}
	run := func(body func()) {
		seh.Try(func() {
			seh.Finally(func() {
				seh.Try(func() {
					seh.Finally(func() { note("body"); body() }, block("inner finally"))
				}, filter("inner filter", seh.ContinueSearch), func(*seh.Exception) { note("inner handler") })
				note("after")
			}, block("outer finally"))
		}, filter("outer filter", seh.ExecuteHandler), func(*seh.Exception) { note("outer handler") })
	}
	unwound := []string{"body", "inner filter", "outer filter", "inner finally abnormal", "outer finally abnormal", "outer handler"}
	for name, c := range map[string]struct {
		body func()
		want []string
	}{
		"return": {func() {}, []string{"body", "inner finally", "after", "outer finally"}},
		"raise":  {func() { kernel.RaiseStatus(ntstatus.NoMemory) }, unwound},
		"fault":  {undefined, unwound},
		"panic":  {func() { panic(1) }, unwound},
	} {
		if log = nil; !slices.Equal(func() []string { run(c.body); return log }(), c.want) {
			t.Errorf("%s: %q, want %q", name, log, c.want)
		}
	}
}

// An exception in a handler, a finally block or a filter goes outwards, and one
// that is handled in there changes nothing for the one outside.
func TestNested(t *testing.T) {
	raise := func(s ntstatus.Status) func() { return func() { kernel.RaiseStatus(s) } }
	quiet := func(fn func()) func() {
		return func() { seh.Try(fn, seh.Handle, func(*seh.Exception) {}) }
	}
	for name, c := range map[string]struct {
		fn   func()
		want ntstatus.Status
	}{
		"in a handler": {func() {
			seh.Try(raise(ntstatus.NoMemory), seh.Handle, func(*seh.Exception) { kernel.RaiseStatus(ntstatus.Pending) })
		}, ntstatus.Pending},
		"in a finally block": {func() {
			seh.Finally(raise(ntstatus.NoMemory), func(bool) { kernel.RaiseStatus(ntstatus.Pending) })
		}, ntstatus.Pending},
		"a fault in a finally block": {func() {
			seh.Finally(raise(ntstatus.NoMemory), func(bool) { undefined() })
		}, ntstatus.IllegalInstr},
		"handled in a finally block": {func() {
			seh.Finally(raise(ntstatus.NoMemory), func(bool) { quiet(undefined)() })
		}, ntstatus.NoMemory},
		"in a filter": {func() {
			seh.Try(raise(ntstatus.NoMemory), func(*seh.Exception) seh.Disposition {
				undefined()
				return seh.ExecuteHandler
			}, func(*seh.Exception) { t.Error("handled by the filter's own block") })
		}, ntstatus.IllegalInstr},
		"handled in a filter": {func() {
			seh.Try(raise(ntstatus.NoMemory), func(*seh.Exception) seh.Disposition {
				quiet(undefined)()
				return seh.ContinueSearch
			}, nil)
		}, ntstatus.NoMemory},
		"after one that Go code recovered from": {func() {
			func() {
				defer func() { recover() }()
				undefined()
			}()
			zero = 0
			zero = few[len(few)+zero]
		}, ntstatus.ArrayBounds},
	} {
		var got ntstatus.Status
		seh.Try(c.fn, seh.Handle, func(x *seh.Exception) { got = x.Code() })
		if got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if kernel.Handlers() != nil {
			t.Fatalf("%s: a block is left over", name)
		}
	}
}

// Execution goes on after a continuable exception only.
func TestContinueExecution(t *testing.T) {
	resume := func(*seh.Exception) seh.Disposition { return seh.ContinueExecution }
	after := false
	seh.Try(func() {
		seh.Raise(&kernel.ExceptionRecord{Code: ntstatus.Pending})
		after = true
	}, resume, func(*seh.Exception) { t.Error("the handler ran") })
	if !after {
		t.Error("execution did not go on")
	}
	for name, fn := range map[string]func(){"raised": func() { kernel.RaiseStatus(ntstatus.Pending) }, "fault": undefined} {
		var got *seh.Exception
		first := true
		seh.Try(fn, func(x *seh.Exception) seh.Disposition {
			if first {
				first = false
				return seh.ContinueExecution
			}
			return seh.ExecuteHandler
		}, func(x *seh.Exception) { got = x })
		if got == nil || got.Code() != ntstatus.Noncontinuable || got.Record.Record == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// The end of a goroutine and of a system thread runs finally blocks, and no
// filter.
func TestThreadEnd(t *testing.T) {
	for name, end := range map[string]func(){"goroutine": runtime.Goexit, "thread": func() { thread.Exit(ntstatus.Success) }} {
		ran := make(chan bool, 1)
		body := func() {
			seh.Try(func() {
				seh.Finally(end, func(abnormal bool) { ran <- abnormal })
			}, func(*seh.Exception) seh.Disposition { t.Error("the filter ran"); return seh.ExecuteHandler }, nil)
		}
		if name == "goroutine" {
			go body()
		} else {
			th, _ := thread.Start("ends", body)
			defer th.Dereference()
		}
		if !<-ran {
			t.Errorf("%s: the block was told that the body returned", name)
		}
	}
}

// Many threads fault and handle at once, the collector running.
func TestStress(t *testing.T) {
	var threads []*kit.Thread
	for range 8 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			for i := range 300 {
				f := faults[i%len(faults)]
				got := ntstatus.Pending
				seh.Try(func() {
					grow(i % 50)
					f.fn()
				}, seh.Handle, func(x *seh.Exception) { got = x.Code() })
				if got != f.status {
					return got
				}
			}
			return ntstatus.Success
		}))
	}
	for range 10 {
		runtime.GC()
	}
	for _, th := range threads {
		if s := th.Join(t); s != ntstatus.Success {
			t.Error(s)
		}
	}
}

// grow makes the stack move.
func grow(n int) int {
	var b [256]byte
	if n == 0 {
		return 0
	}
	b[n] = 1
	return grow(n-1) + int(b[n])
}

// rule: seh-probe
func TestProbe(t *testing.T) {
	good := make([]byte, 2*arch.PageSize)
	at := func(p uintptr) unsafe.Pointer { return unsafe.Pointer(p) }
	buffer := uintptr(unsafe.Pointer(&good[0]))
	for name, c := range map[string]struct {
		p                 unsafe.Pointer
		length, alignment uintptr
		read, write       ntstatus.Status
	}{
		"good":              {at(buffer), uintptr(len(good)), 1, ntstatus.Pending, ntstatus.Pending},
		"aligned":           {at((buffer + 7) &^ 7), 8, 8, ntstatus.Pending, ntstatus.Pending},
		"misaligned":        {at(buffer&^7 + 4), 8, 8, ntstatus.Misalignment, ntstatus.Misalignment},
		"empty, anywhere":   {at(arch.KernelBase + 1), 0, 8, ntstatus.Pending, ntstatus.Pending},
		"system space":      {at(arch.KernelBase), 1, 1, ntstatus.AccessViolation, ntstatus.AccessViolation},
		"across the end":    {at(mm.UserProbe - 8), 9, 1, ntstatus.AccessViolation, ntstatus.AccessViolation},
		"around the top":    {at(buffer), ^uintptr(0), 1, ntstatus.AccessViolation, ntstatus.AccessViolation},
		"nothing there":     {nil, 8, 1, ntstatus.Pending, ntstatus.AccessViolation},
		"cannot be written": {at(entry(undefined)), 8, 1, ntstatus.Pending, ntstatus.AccessViolation},
	} {
		for i, probe := range []func(unsafe.Pointer, uintptr, uintptr){seh.ProbeForRead, seh.ProbeForWrite} {
			want, got := []ntstatus.Status{c.read, c.write}[i], ntstatus.Pending
			seh.Try(func() { probe(c.p, c.length, c.alignment) }, seh.Handle, func(x *seh.Exception) { got = x.Code() })
			if got != want {
				t.Errorf("%s, probe %d: %v, want %v", name, i, got, want)
			}
		}
	}
	seh.ProbeForRead(at(mm.UserProbe-8), 8, 1)
	good[0] = 42
	if seh.ProbeForWrite(at(buffer), 1, 1); good[0] != 42 {
		t.Error("the probe changed the buffer")
	}
}
