package kd

import (
	"slices"
	"strings"

	"irqlab/dump"
)

// formats are the display commands' units.
var formats = map[byte]struct {
	size, perLine, count int
}{
	'b': {1, 16, 128},
	'd': {4, 4, 32},
	'q': {8, 2, 16},
	'p': {8, 1, 16},
	'a': {1, 32, 256},
}

// display is db, dd, dq, da and dps.
func (d *Debugger) display(v *invocation) error {
	kind := v.name[1]
	f := formats[kind]
	text, n := d.extent(v.args, f.count)
	addr := d.next.display
	switch {
	case text != "":
		addr = d.eval(text)
	case !d.next.haveBytes:
		addr = d.registers(d.cpu)[d.image.machine.pc]
	}
	d.next.haveBytes = true
	if kind == 'a' {
		d.text(addr, n)
		return nil
	}
	for n > 0 && v.ctx.Err() == nil {
		row := min(n, f.perLine)
		b, ok := d.readable(addr, row*f.size)
		d.printf("%s ", address(addr))
		d.row(kind, b, ok, f.size, f.perLine)
		addr += uint64(row * f.size)
		n -= row
		d.next.display = addr
	}
	return nil
}

// readable reads n bytes and says which of them it could.
func (d *Debugger) readable(addr uint64, n int) (b []byte, ok []bool) {
	b, ok = make([]byte, n), make([]bool, n)
	if d.memory.read(addr, b) == nil {
		for i := range ok {
			ok[i] = true
		}
		return b, ok
	}
	for i := 0; i < n; { // what is missing is missing by the page
		m := min(n-i, int(dump.PageSize-(addr+uint64(i))%dump.PageSize))
		can := d.memory.read(addr+uint64(i), b[i:i+m]) == nil
		for j := range m {
			ok[i+j] = can
		}
		i += m
	}
	return b, ok
}

// row prints one line of units. Question marks stand for what cannot be read.
func (d *Debugger) row(kind byte, b []byte, ok []bool, size, perLine int) {
	for i := 0; i < len(b); i += size {
		can := true
		for _, o := range ok[i : i+size] {
			can = can && o
		}
		separator := " "
		if kind == 'b' && i == 8 {
			separator = "-"
		}
		d.printf("%s%s", separator, unit(little(b[i:i+size]), size, can))
		if name := d.image.Name(little(b[i : i+size])); kind == 'p' && can && name != "" {
			d.printf(" %s", name)
		}
	}
	if kind == 'b' {
		d.printf("%*s  ", 3*(perLine-len(b)), "")
		for i, c := range b {
			if !ok[i] || c < ' ' || c > '~' {
				c = '.'
			}
			d.printf("%c", c)
		}
	}
	d.printf("\n")
}

// unit writes a word of the given size.
func unit(v uint64, size int, can bool) string {
	s := hex(v, 2*size)
	if !can {
		s = strings.Repeat("?", 2*size)
	}
	if size == 8 {
		s = s[:8] + "`" + s[8:]
	}
	return s
}

func hex(v uint64, digits int) string {
	const set = "0123456789abcdef"
	b := make([]byte, digits)
	for i := range b {
		b[i] = set[v>>(4*(digits-1-i))&15]
	}
	return string(b)
}

// text shows bytes as text up to a NUL.
func (d *Debugger) text(addr uint64, n int) {
	for n > 0 {
		row := min(n, formats['a'].perLine)
		b, ok := d.readable(addr, row)
		if !ok[0] {
			fail(&memoryError{addr: addr})
		}
		if hole := slices.Index(ok, false); hole >= 0 {
			b = b[:hole]
		}
		end := strings.IndexByte(string(b), 0)
		if end >= 0 {
			b = b[:end]
		}
		var s strings.Builder
		for _, c := range b {
			if c < ' ' || c > '~' {
				c = '.'
			}
			s.WriteByte(c)
		}
		d.printf("%s  \"%s\"\n", address(addr), s.String())
		addr += uint64(row)
		n -= row
		d.next.display = addr
		if end >= 0 || slices.Contains(ok, false) {
			return
		}
	}
}
