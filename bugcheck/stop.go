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
	Frames     [arch.MaxCPUs]*arch.Frame // nil where the processor did not answer
	Trace      Trace
}

// LastStop describes the stop in progress, if Stopping.
var LastStop Record

// owner is the processor that stops the machine, plus one.
var owner uint32

// frozen counts the processors that have answered.
var frozen uint32

// Stopping reports whether the machine is being stopped, so that a
// non-maskable interrupt means Freeze.
func Stopping() bool { return atomic.LoadUint32(&owner) != 0 }

// request carries the arguments of a stop to the kernel stack.
type request struct {
	code  Code
	p     [4]uintptr
	frame *arch.Frame
	text  string // what happened, if the code alone does not say
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
	// A goroutine's stack may have no room, and cannot grow here.
	arch.Gate(stop, unsafe.Pointer(&r))
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
	arch.Gate(stop, unsafe.Pointer(&r))
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
	r := request{code, [4]uintptr{p1, p2, p3, p4}, f, text}
	stop(unsafe.Pointer(&r))
}

// Freeze keeps a processor where f found it until the machine is gone. Entry
// calls it for the non-maskable interrupt of a stop.
func Freeze(f *arch.Frame) {
	arch.DisableInterrupts()
	LastStop.Frames[arch.ThisCPU().ID] = f
	atomic.AddUint32(&frozen, 1)
	halt()
}

func halt() {
	for {
		arch.Pause()
	}
}

// freezeTime is how long to wait for the other processors, in fractions of a
// second of the counter: one that masks the request is left behind.
const freezeTime = 50

func stop(arg unsafe.Pointer) {
	r := (*request)(arg)
	irql := arch.ReadIRQL()
	enabled := arch.DisableInterrupts()
	arch.WriteIRQL(15)
	me := arch.ThisCPU().ID
	if !atomic.CompareAndSwapUint32(&owner, 0, me+1) {
		if atomic.LoadUint32(&owner) == me+1 {
			again(r)
		}
		// Another processor was first and its request is on the way, but
		// interrupts may stay disabled here for ever: answer now.
		Freeze(r.frame)
	}
	LastStop.Code, LastStop.CPU, LastStop.Parameters = r.code, me, r.p
	LastStop.Frames[me] = r.frame
	freezeOthers(me)

	t := &LastStop.Trace
	if r.frame != nil {
		t.FromFrame(r.frame)
		irql = r.frame.IRQL()
		enabled = r.frame.InterruptsEnabled()
	} else {
		t.FromHere()
	}
	screen(r, irql, enabled)
	board.Exit(ExitStatus)
	halt()
}

func freezeOthers(me uint32) {
	n := atomic.LoadUint32(&arch.NumCPUs)
	for cpu := uint32(0); cpu < n; cpu++ {
		if cpu != me {
			board.SendNMI(cpu)
		}
	}
	start := arch.Counter()
	for atomic.LoadUint32(&frozen) < n-1 && arch.Counter()-start < board.CounterHz()/freezeTime {
		arch.Pause()
	}
}

// again ends a stop that came while this processor was stopping the machine:
// the screen is as good as it gets.
func again(r *request) {
	text("\n*** STOP ")
	hex(uintptr(r.code), 8)
	text(" while stopping")
	if r.frame != nil {
		text(", at ")
		hex(r.frame.PC(), 16)
	}
	epitaph()
	board.Exit(ExitStatus)
	halt()
}

// screen prints what is known. The order is that of importance: whatever comes
// later is more likely to fail.
func screen(r *request, irql uintptr, enabled bool) {
	d := Describe(r.code)
	text("\n*** STOP ")
	hex(uintptr(r.code), 8)
	for i, p := range &r.p {
		if i == 0 {
			text(" (")
		} else {
			text(", ")
		}
		hex(p, 16)
	}
	text(")\n")
	if d.Name != "" {
		text("*** ")
		text(d.Name)
		text(": ")
		text(d.Meaning)
		text("\n")
	}
	if r.text != "" {
		text("*** ")
		text(r.text)
		text("\n")
	} else if what, function := LastStop.Trace.Misuse(); what != "" && kernelCode(r) {
		text("*** ")
		text(what)
		text(" (")
		text(function)
		text(")\n")
	}
	for i := range d.Parameters {
		if d.Parameters[i] != "" {
			text("    parameter ")
			decimal(uintptr(i + 1))
			text(": ")
			text(d.Parameters[i])
			text(" = ")
			short(r.p[i])
			symbolic(r.p[i])
			text("\n")
		}
	}
	text("CPU ")
	decimal(uintptr(LastStop.CPU))
	text("  IRQL ")
	decimal(irql)
	if !enabled {
		text("  interrupts disabled")
	}
	if Thread != nil {
		if id, name := Thread(); id != 0 {
			text("  thread ")
			decimal(uintptr(id))
			if name != nil && name[0] != 0 {
				text(" ")
				for _, c := range name {
					if c == 0 {
						break
					}
					board.PutByte(c)
				}
			}
		}
	}
	text("\n")
	if r.frame != nil {
		registers(r.frame)
	}
	trace(&LastStop.Trace)
	epitaph()
}

func epitaph() {
	text("\nirqlab: exit ")
	decimal(ExitStatus)
	text("\n")
}

// kernelCode reports whether resident code was running, so that functions of
// the Go runtime in the trace are misuse.
func kernelCode(r *request) bool { return r.frame != nil && r.frame.FromKernel() }

// trace prints a line per function, inlined ones without an address.
func trace(t *Trace) {
	line := uintptr(0)
	internal := !t.Exact
	for i := 0; i < t.N; i++ {
		var p positions
		if !p.find(t.site(i)) {
			row(line, t.PCs[i])
			text("?\n")
			line++
			continue
		}
		var at Position
		for p.next(&at) {
			// The functions of this package that lead to the stop.
			if internal = internal && hasPrefix(at.Function, "irqlab/bugcheck."); internal {
				continue
			}
			if at.Inlined {
				row(line, 0)
			} else {
				row(line, t.PCs[i])
			}
			line++
			text(at.Function)
			if !at.Inlined {
				text("+")
				short(at.Offset + t.PCs[i] - t.site(i))
			}
			text(" (")
			text(tail(at.File))
			text(":")
			decimal(uintptr(max(at.Line, 0)))
			text(")\n")
		}
	}
	if t.More {
		text("    ...\n")
	}
}

func row(line, pc uintptr) {
	if line < 10 {
		text(" ")
	}
	decimal(line)
	text(" ")
	if pc == 0 {
		text("inlined         ")
	} else {
		for shift := 60; shift >= 0; shift -= 4 {
			board.PutByte("0123456789abcdef"[pc>>shift&15])
		}
	}
	text(" ")
}

// symbolic adds the function that v is in, if any.
func symbolic(v uintptr) {
	var p positions
	if !p.find(v) {
		return
	}
	var at Position
	for p.next(&at) {
		if !at.Inlined {
			text(" ")
			text(at.Function)
			text("+")
			short(at.Offset)
		}
	}
}

// tail returns the last two elements of a path: enough to know a file by.
func tail(path string) string {
	slashes := 0
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			if slashes++; slashes == 2 {
				return path[i+1:]
			}
		}
	}
	return path
}

func text(s string) {
	for i := 0; i < len(s); i++ {
		board.PutByte(s[i])
	}
}

func hex(v uintptr, digits int) {
	text("0x")
	for i := digits - 1; i >= 0; i-- {
		board.PutByte("0123456789ABCDEF"[v>>(4*i)&15])
	}
}

// short prints v in hexadecimal without leading zeros.
func short(v uintptr) {
	digits := 1
	for digits < 16 && v>>(4*digits) != 0 {
		digits++
	}
	hex(v, digits)
}

func decimal(v uintptr) {
	if v >= 10 {
		decimal(v / 10)
	}
	board.PutByte(byte('0' + v%10))
}

func pointer(va uintptr) unsafe.Pointer { return unsafe.Pointer(va) }
