package kd

import (
	"debug/dwarf"
	"fmt"
	"strings"
)

// displayType is the command dt.
func (d *Debugger) displayType(v *invocation) error {
	rest, deep := strings.CutPrefix(v.args, "-r ")
	name, where, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if name == "" {
		return errUsage
	}
	if strings.ContainsAny(name, "*?") && !strings.HasPrefix(name, "*") || name == "*" {
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
	o, err := d.object(name, where)
	if err != nil {
		return err
	}
	if _, ok := underlying(o.typ).(*dwarf.StructType); !ok {
		d.printf("%s: %s\n", o.typ, d.content(o, where != ""))
		return nil
	}
	d.printf("%s, %#x bytes\n", o.typ, o.size())
	d.fields(o, o.addr, where != "", deep, 1)
	return nil
}

// object returns the object that dt shows: of a type, or the fields of it that
// follow a dot, or a variable.
func (d *Debugger) object(name, where string) (value, error) {
	var path string
	t, err := d.image.Type(name)
	for short := name; err != nil; {
		n := strings.LastIndexByte(short, '.')
		if n <= strings.LastIndexByte(short, '/') {
			break
		}
		short = short[:n]
		if t2, err2 := d.image.Type(short); err2 == nil {
			t, err, path = t2, nil, name[n+1:]
		}
	}
	if err != nil {
		for _, full := range []string{strings.TrimPrefix(name, "irqlab/")} {
			if d.has(full) {
				return d.variable(full), nil
			}
		}
		return value{}, err
	}
	o := value{d: d, typ: t}
	if where != "" {
		o.addr = d.eval(where)
	}
	if path != "" {
		o = o.field(path)
	}
	return o, nil
}

// fields prints the fields of a structure.
func (d *Debugger) fields(v value, base uint64, content, deep bool, depth int) {
	for _, f := range underlying(v.typ).(*dwarf.StructType).Field {
		if f.Name == "_" {
			continue
		}
		field := value{d, f.Type, v.addr + uint64(f.ByteOffset)}
		d.printf("%*s+0x%03x %-16s : %s\n", 3*depth, "", field.addr-base, f.Name, d.content(field, content))
		if s, ok := underlying(f.Type).(*dwarf.StructType); ok && deep && s.StructName != "string" && depth < maxDepth {
			d.fields(field, base, content, deep, depth+1)
		}
	}
}

const maxDepth = 6

// content describes a field: its type, or what it holds.
func (d *Debugger) content(v value, show bool) string {
	if !show {
		return v.typ.String()
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
		return v.typ.String()
	case *dwarf.ArrayType:
		if e := underlying(t.Type); e.Size() == 1 && t.Count <= 64 {
			if s := v.str(); s != "" && strings.IndexByte(s, '?') < 0 {
				return fmt.Sprintf("%s %q", v.typ, s)
			}
		}
		return v.typ.String()
	case *dwarf.PtrType, *dwarf.FuncType:
		return d.pointer(v.uint())
	case *dwarf.BoolType:
		return fmt.Sprint(v.bool())
	case *dwarf.IntType:
		return d.number(v, v.int())
	case *dwarf.UintType, *dwarf.UcharType, *dwarf.CharType:
		if v.size() == 8 {
			return d.pointer(v.uint())
		}
		return d.number(v, int64(v.uint()))
	}
	return v.typ.String()
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
