package kd

import (
	"debug/dwarf"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// displayType is the command dt.
func (d *Debugger) displayType(v *invocation) error {
	rest, deep := strings.CutPrefix(v.args, "-r ")
	name, where, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if name == "" {
		return errUsage
	}
	// The name of a pointer's type begins with a star, as patterns may.
	if _, err := d.image.Type(name); err != nil && strings.ContainsAny(name, "*?") {
		names := d.image.typeNames(name)
		for _, n := range names {
			d.printf("  %s\n", n)
		}
		if len(names) == 0 {
			return fmt.Errorf("no type fits %q", name)
		}
		return nil
	}
	where = strings.TrimSpace(where)
	o, exists, err := d.object(name, where)
	if err != nil {
		return err
	}
	if _, text := o.text(); text && exists {
		d.printf("%s\n", d.content(o, exists))
		return nil
	}
	switch underlying(o.typ).(type) {
	case *dwarf.StructType:
		d.printf("%s, %#x bytes\n", typeText(o.typ), o.size())
		d.fields(o, o.addr, exists, deep, 1)
	case *dwarf.ArrayType:
		d.printf("%s, %#x bytes\n", typeText(o.typ), o.size())
		d.elements(o, o.addr, exists, deep, 1)
	default:
		d.printf("%s: %s\n", typeText(o.typ), d.content(o, exists))
	}
	return nil
}

// typeText names a type.
func typeText(t dwarf.Type) string {
	if t == nil {
		return "what is not there"
	}
	s := t.String()
	if strings.HasPrefix(s, "struct struct {") {
		return "struct {...}" // one without a name is named by all that is in it
	}
	return s
}

// object returns the object that dt shows: of a type, at an address if one is
// given, or a variable, or what of these follows: fields behind dots, and elements
// by their decimal numbers in brackets. It reports whether there is an object, not
// a type only.
func (d *Debugger) object(name, where string) (o value, exists bool, err error) {
	var path []string // innermost first
	for base := name; ; {
		if o, exists = d.typed(base, where); o.typ != nil {
			for _, step := range slices.Backward(path) {
				o = o.step(step)
			}
			return o, exists, nil
		}
		n := strings.LastIndexAny(base, ".[")
		if n <= strings.LastIndexByte(base, '/') {
			_, err = d.image.Type(name)
			return o, false, err
		}
		base, path = base[:n], append(path, base[n:])
	}
}

// step returns the .field or the [element] of an object.
func (v value) step(what string) value {
	if field, ok := strings.CutPrefix(what, "."); ok {
		return v.field(field)
	}
	n, err := strconv.Atoi(strings.TrimSuffix(what[1:], "]"))
	if _, array := underlying(v.typ).(*dwarf.ArrayType); err != nil || !array && !v.hasField("array") {
		failf("%s has no element %s", typeText(v.typ), what)
	}
	if n < 0 || n >= v.len() {
		failf("%s has %d elements", typeText(v.typ), v.len())
	}
	return v.elem(n)
}

// typed returns the object that dt shows with a name without fields, or one
// without a type.
func (d *Debugger) typed(name, where string) (o value, exists bool) {
	if t, err := d.image.Type(name); err == nil {
		o = value{d: d, typ: t}
		if where != "" {
			o.addr = d.eval(where)
		}
		return o, where != ""
	}
	if name = strings.TrimPrefix(name, "irqlab/"); where == "" && d.has(name) {
		return d.variable(name), true
	}
	if where == "" && d.image.index != nil {
		if _, ok := d.image.index.variables[name]; ok { // the program's
			return d.global(name), true
		}
	}
	return o, false
}

// fields prints the fields of a structure.
func (d *Debugger) fields(v value, base uint64, content, deep bool, depth int) {
	for _, f := range underlying(v.typ).(*dwarf.StructType).Field {
		if f.Name == "_" {
			continue
		}
		d.part(f.Name, value{d, f.Type, v.addr + uint64(f.ByteOffset)}, base, content, deep, depth)
	}
}

// elements prints the elements of an array, as far as they are of use.
func (d *Debugger) elements(v value, base uint64, content, deep bool, depth int) {
	for n := range min(v.len(), maxElements) {
		d.part(fmt.Sprintf("[%d]", n), v.elem(n), base, content, deep, depth)
	}
	if more := v.len() - maxElements; more > 0 {
		d.printf("%*s... and %d more\n", 3*depth, "", more)
	}
}

// part prints a field or an element, and what it is made of.
func (d *Debugger) part(name string, v value, base uint64, content, deep bool, depth int) {
	d.printf("%*s+0x%03x %-16s : %s\n", 3*depth, "", v.addr-base, name, d.content(v, content))
	if !deep || depth == maxDepth {
		return
	}
	switch t := underlying(v.typ).(type) {
	case *dwarf.StructType:
		if t.StructName != "string" {
			d.fields(v, base, content, deep, depth+1)
		}
	case *dwarf.ArrayType:
		if _, ok := underlying(t.Type).(*dwarf.StructType); ok {
			d.elements(v, base, content, deep, depth+1)
		}
	}
}

// Bounds of what dt shows.
const (
	maxDepth    = 6
	maxElements = 32
	maxInLine   = 8  // elements of an array in the line of its field
	maxText     = 64 // bytes of an array that may be a text
)

// content describes a field: its type, or what it holds.
func (d *Debugger) content(v value, show bool) string {
	if !show {
		return typeText(v.typ)
	}
	var s string
	if err := guard(func() { s = d.known(v) }); err != nil {
		return "?? " + err.Error()
	}
	return s
}

func (d *Debugger) known(v value) string {
	switch t := underlying(v.typ).(type) {
	case *dwarf.StructType:
		switch {
		case t.StructName == "string":
			return fmt.Sprintf("%q", shorten(v.str(), 200))
		case fieldOf(t, "Flink") != nil && t.ByteSize == 16:
			return fmt.Sprintf("%s [ %s - %s ]", v.typ, address(v.field("Flink").uint()), address(v.field("Blink").uint()))
		case fieldOf(t, "array") != nil && fieldOf(t, "cap") != nil:
			return fmt.Sprintf("%s %s, len %d", v.typ, address(v.field("array").uint()), v.field("len").uint())
		}
		return typeText(v.typ)
	case *dwarf.ArrayType:
		if s, ok := v.text(); ok {
			return fmt.Sprintf("%s %q", v.typ, s)
		}
		if _, ok := underlying(t.Type).(*dwarf.StructType); ok {
			return typeText(v.typ)
		}
		return fmt.Sprintf("%s %s", v.typ, d.inLine(v))
	case *dwarf.FloatType:
		if v.size() == 4 {
			return fmt.Sprint(math.Float32frombits(uint32(v.uint())))
		}
		return fmt.Sprint(math.Float64frombits(v.uint()))
	case *dwarf.PtrType, *dwarf.FuncType:
		return d.pointer(v.uint())
	case *dwarf.BoolType:
		return fmt.Sprint(v.bool())
	case *dwarf.IntType:
		return d.number(v, v.int())
	case *dwarf.UintType, *dwarf.UcharType, *dwarf.CharType:
		const small = 1 << 16 // no address
		if n := v.uint(); v.size() < 8 || n < small {
			return d.number(v, int64(n))
		}
		return d.pointer(v.uint())
	}
	return v.typ.String()
}

// text returns the text that an array of bytes seems to be.
func (v value) text() (s string, ok bool) {
	t, ok := underlying(v.typ).(*dwarf.ArrayType)
	if !ok || t.Count > maxText {
		return "", false
	}
	if e, ok := underlying(t.Type).(*dwarf.UintType); !ok || e.Size() != 1 {
		return "", false
	}
	err := guard(func() { s = v.str() })
	return s, err == nil && s != "" && strings.IndexByte(s, '?') < 0 && utf8.ValidString(s)
}

// inLine lists the first elements of an array.
func (d *Debugger) inLine(v value) string {
	var parts []string
	for n := range min(v.len(), maxInLine) {
		parts = append(parts, d.known(v.elem(n)))
	}
	if v.len() > maxInLine {
		parts = append(parts, "...")
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

func (d *Debugger) number(v value, n int64) string {
	s := fmt.Sprintf("%d", n)
	if n > 9 {
		s = fmt.Sprintf("0x%x (%d)", n, n)
	}
	if name := v.constantName(); name != "" {
		s += " " + name
	}
	return s
}

func (d *Debugger) pointer(p uint64) string {
	if p == 0 {
		return "(null)"
	}
	if name := d.image.Name(p); name != "" {
		return address(p) + " " + name
	}
	// A func value points to a word with its code's address.
	if code, ok := d.memory.word(p); ok && d.image.inText(code) {
		if s, ok := d.image.Nearest(code); ok && s.Addr == code {
			return address(p) + " -> " + s.Name
		}
	}
	return address(p)
}
