// Package disasm shows machine instructions as text, for the stop screen: it
// allocates nothing, so the disassemblers of golang.org/x/arch, which debuggers on
// the host use, do not fit. Of x86-64 it knows the instructions that access memory,
// transfer control, or trap, which are those that stop a machine, and of ARM64 all
// but those of floating point and vectors; of any other it says so and leaves the
// bytes to the reader. The text is that of x/arch: Intel's syntax, and GNU's for
// ARM64. Both architectures are in every image, so that the host's tests see both.
package disasm

import "unsafe"

// Line is the text of an instruction.
type Line struct {
	bytes [96]byte
	n     int
}

// String returns the text, valid until the line changes.
func (l *Line) String() string { return unsafe.String(&l.bytes[0], l.n) }

// Reset empties the line.
func (l *Line) Reset() { l.n = 0 }

func (l *Line) text(s string) { l.n += copy(l.bytes[l.n:], s) }

func (l *Line) byte(c byte) {
	if l.n < len(l.bytes) {
		l.bytes[l.n] = c
		l.n++
	}
}

// hex adds v in hexadecimal, with 0x.
func (l *Line) hex(v uint64) {
	l.text("0x")
	digits := 1
	for digits < 16 && v>>(4*digits) != 0 {
		digits++
	}
	for i := digits - 1; i >= 0; i-- {
		l.byte("0123456789abcdef"[v>>(4*i)&15])
	}
}

// signed adds v in hexadecimal with its sign; a plus only if asked for.
func (l *Line) signed(v int64, plus bool) {
	switch {
	case v < 0:
		l.byte('-')
		v = -v
	case plus:
		l.byte('+')
	}
	l.hex(uint64(v))
}

func (l *Line) decimal(v uint64) {
	if v >= 10 {
		l.decimal(v / 10)
	}
	l.byte(byte('0' + v%10))
}
