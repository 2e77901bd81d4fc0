package bugcheck

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
)

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
	explain(d, &r.p)
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
	for cpu := range arch.NumCPUs {
		if LastStop.Answered>>cpu&1 == 0 {
			text("CPU ")
			decimal(uintptr(cpu))
			text(" could not be frozen\n")
		}
	}
	if r.frame != nil {
		registers(r.frame)
		instruction(r.frame.Instruction())
	} else if r.call != 0 {
		instruction(r.call)
	}
	trace(&LastStop.Trace)
}

// explain says what the parameters mean.
func explain(d *Description, p *[4]uintptr) {
	for i := range p {
		meaning := d.Parameter(i, p[0])
		if meaning == "" {
			continue
		}
		text("    parameter ")
		decimal(uintptr(i + 1))
		text(": ")
		text(meaning)
		text(" = ")
		short(p[i])
		symbolic(p[i])
		if k := KindOf(d.Code, p[0]); i == 0 && k != nil {
			text(": ")
			text(k.Meaning)
		}
		text("\n")
	}
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
		if !p.find(t.Site(i)) {
			row(line, t.PCs[i])
			text("?\n")
			line++
			continue
		}
		var at Position
		for p.next(&at) {
			if internal = internal && leadsHere(at.Function); internal {
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
				short(at.Offset + t.PCs[i] - t.Site(i))
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

// leadsHere reports whether a function is one on the way from who stopped the
// machine to this package's own code.
func leadsHere(function string) bool {
	return hasPrefix(function, "irqlab/bugcheck.") || hasPrefix(function, "irqlab/arch.Gate")
}

// pointed stands for the number of a line that shows an instruction.
const pointed = ^uintptr(0)

// row begins a line of the trace.
func row(line, pc uintptr) {
	if line == pointed {
		text("=>")
	} else {
		if line < 10 {
			text(" ")
		}
		decimal(line)
	}
	text(" ")
	if pc == 0 {
		text("inlined         ")
	} else {
		digits(pc, 16)
	}
	text(" ")
}

// digits prints n digits of v as code has them: in lower case.
func digits(v uintptr, n int) {
	for i := n - 1; i >= 0; i-- {
		board.PutByte("0123456789abcdef"[v>>(4*i)&15])
	}
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

// Print, PrintHex and PrintDecimal write to the console, for others that the
// stop of the machine calls.
//
// IRQL: any
func Print(s string) { text(s) }

// PrintHex prints v with a number of hexadecimal digits.
//
// IRQL: any
func PrintHex(v uintptr, digits int) { hex(v, digits) }

// PrintDecimal prints v.
//
// IRQL: any
func PrintDecimal(v uintptr) { decimal(v) }

func pointer(va uintptr) unsafe.Pointer { return unsafe.Pointer(va) }
