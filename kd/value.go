package kd

import (
	"debug/dwarf"
	"fmt"
	"strconv"
	"strings"
)

// value is an object in the machine's memory. Its methods fail the command if
// memory cannot be read, or if the type is not what the command takes it for.
type value struct {
	d    *Debugger
	typ  dwarf.Type
	addr uint64
}

// has reports whether the image has a package-level variable.
func (d *Debugger) has(name string) bool {
	if d.image.index == nil {
		return false
	}
	_, ok := d.image.index.variables["irqlab/"+name]
	return ok
}

// variable returns a package-level variable of the kernel, named without
// "irqlab/".
func (d *Debugger) variable(name string) value { return d.global("irqlab/" + name) }

// global returns a package-level variable.
func (d *Debugger) global(name string) value {
	if d.image.dwarf == nil {
		failf("%s has no type information: it was linked without DWARF", d.image.Path)
	}
	v, ok := d.image.index.variables[name]
	if !ok {
		failf("no variable %s in this image", name)
	}
	t, err := d.image.dwarf.Type(v.typ)
	if err != nil {
		fail(err)
	}
	return value{d, t, v.addr}
}

// at returns the object of a type at an address.
func (d *Debugger) at(addr uint64, typ string) value {
	t, err := d.image.Type(typ)
	if err != nil {
		fail(err)
	}
	return value{d, t, addr}
}

// underlying strips names off a type.
func underlying(t dwarf.Type) dwarf.Type {
	for {
		def, ok := t.(*dwarf.TypedefType)
		if !ok {
			return t
		}
		t = def.Type
	}
}

func fieldOf(t dwarf.Type, name string) *dwarf.StructField {
	s, ok := underlying(t).(*dwarf.StructType)
	if !ok {
		return nil
	}
	for _, f := range s.Field {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// field returns a field, or one of a field, with dots between the names.
func (v value) field(path string) value {
	for name := range strings.SplitSeq(path, ".") {
		f := fieldOf(v.typ, name)
		if f == nil {
			failf("%s has no field %s in this image", typeText(v.typ), name)
		}
		v = value{v.d, f.Type, v.addr + uint64(f.ByteOffset)}
	}
	return v
}

// hasField reports whether there is such a field.
func (v value) hasField(name string) bool { return fieldOf(v.typ, name) != nil }

func (v value) size() int { return int(v.typ.Size()) }

func (v value) bytes() []byte { return v.d.bytes(v.addr, v.size()) }

// uint returns a number, a pointer or a boolean.
func (v value) uint() uint64 {
	n := v.size()
	if n < 1 || n > 8 {
		failf("%s is not a number", v.typ)
	}
	return little(v.bytes())
}

func (v value) int() int64 {
	shift := 64 - 8*v.size()
	return int64(v.uint()<<shift) >> shift
}

func (v value) bool() bool { return v.uint() != 0 }

// deref returns what a pointer points to.
func (v value) deref() value {
	p, ok := underlying(v.typ).(*dwarf.PtrType)
	if !ok {
		failf("%s is not a pointer", v.typ)
	}
	return value{v.d, p.Type, v.uint()}
}

// len returns the number of elements of an array or a slice.
func (v value) len() int {
	if a, ok := underlying(v.typ).(*dwarf.ArrayType); ok {
		return int(a.Count)
	}
	return int(v.field("len").uint())
}

// elem returns an element of an array or a slice.
func (v value) elem(n int) value {
	if a, ok := underlying(v.typ).(*dwarf.ArrayType); ok {
		return value{v.d, a.Type, v.addr + uint64(n)*uint64(a.Type.Size())}
	}
	e := v.field("array").deref()
	e.addr += uint64(n) * uint64(e.size())
	return e
}

// maxString bounds the strings that are read: a longer one is not one.
const maxString = 1 << 16

// str returns a Go string, or the text of a byte array up to its first NUL.
func (v value) str() string {
	if a, ok := underlying(v.typ).(*dwarf.ArrayType); ok && a.Type.Size() == 1 {
		s, _, _ := strings.Cut(string(v.bytes()), "\x00")
		return printable(s)
	}
	n := v.field("len").uint()
	if n > maxString {
		failf("a string of %d bytes at %s", n, address(v.addr))
	}
	return printable(string(v.d.bytes(v.field("str").uint(), int(n))))
}

// printable replaces what a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) && r != '\n' && r != '\t' {
			return '?'
		}
		return r
	}, s)
}

// container returns the object of a type whose field is at addr.
func (d *Debugger) container(addr uint64, typ, field string) value {
	v := d.at(0, typ)
	return value{d, v.typ, addr - v.field(field).addr}
}

// maxList bounds a walk along a list: a longer one is a cycle.
const maxList = 1 << 16

// list returns the addresses of the entries behind a list's head. A list that
// was never initialized is empty.
func (d *Debugger) list(head value) []uint64 {
	link := head.field("Flink")
	var all []uint64
	for e := link.uint(); e != head.addr && e != 0; e = d.at(e, "list.Entry").field("Flink").uint() {
		if all = append(all, e); len(all) > maxList {
			failf("the list at %s does not end", address(head.addr))
		}
	}
	return all
}

// linked reports whether memory looks like the head of a list.
func (d *Debugger) linked(head value) bool {
	ok := false
	guard(func() {
		first := d.at(head.field("Flink").uint(), "list.Entry")
		ok = head.addr%8 == 0 && first.field("Blink").uint() == head.addr
	})
	return ok
}

// constantName returns the name of a constant of v's type that has v's value. The
// constants of basic types are those of unrelated packages.
func (v value) constantName() string {
	name := v.typ.Common().Name
	if !strings.Contains(name, ".") {
		return ""
	}
	// The names of the type's own package are the ones that say what a value is.
	home := name[:strings.LastIndexByte(name, '.')+1]
	x := v.d.image.index
	other := ""
	for _, c := range x.constants[x.types[name]] {
		if c.value != v.int() {
			continue
		}
		own, ok := strings.CutPrefix(c.name, home)
		if ok {
			return own
		}
		other = c.name[strings.LastIndexByte(c.name, '.')+1:]
	}
	return other
}

// constants returns the constants of a type.
func (d *Debugger) constants(typ string) []constant {
	t, err := d.image.Type(typ)
	if err != nil {
		fail(err)
	}
	return d.image.index.constants[d.image.index.types[t.Common().Name]]
}

// constant returns the value of a constant of the kernel.
func (d *Debugger) constant(typ, name string) int64 {
	for _, c := range d.constants(typ) {
		if c.name == "irqlab/"+name {
			return c.value
		}
	}
	failf("no constant %s in this image", name)
	panic("unreachable")
}

// code returns the address of the code of a Go func value.
func (d *Debugger) code(closure uint64) uint64 {
	if closure == 0 {
		return 0
	}
	if w, ok := d.memory.word(closure); ok {
		return w
	}
	return closure
}

// function names the function at pc.
func (d *Debugger) function(pc uint64) string {
	if pc == 0 {
		return "none"
	}
	if name := d.image.Name(pc); name != "" {
		return name
	}
	return fmt.Sprintf("%#x", pc)
}
