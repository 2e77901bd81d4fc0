package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"irqlab/ntstatus"
	"irqlab/ob"
)

// all calls fill with ever larger buffers until everything fits.
func all[T any](fill func([]T) int) []T {
	for n := 64; ; {
		buf := make([]T, n)
		if n = fill(buf); n <= len(buf) {
			return buf[:n]
		}
		n += 16 // they may become more
	}
}

func (sh *shell) handles(args []string) error {
	found := all(ob.Handles)
	switch len(args) {
	case 0:
	case 1:
		n, err := number(args[0])
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(h ob.HandleInfo) bool { return uint64(h.Handle) != n })
		if len(found) == 0 {
			return usagef("%#x is not an open handle; without a number, !handle lists them", n)
		}
	default:
		return errUsage
	}
	if len(found) == 0 {
		fmt.Fprintln(sh.console, "no handle is open")
		return nil
	}
	for _, h := range found {
		fmt.Fprintf(sh.console, "%#x: object %#x, %s, access %#x%s, %s, %s\n", uintptr(h.Handle), h.Object,
			ob.Describe(h.Type).Name, h.Access, flags(h.Flags), count(int(h.Handles), "handle"), count(int(h.Pointers), "reference"))
	}
	return nil
}

func flags(f uint32) string {
	var s string
	if f&ob.ProtectClose != 0 {
		s += ", protected"
	}
	if f&ob.Inherit != 0 {
		s += ", inherited"
	}
	return s
}

// typeNamed returns the type of that name, without regard to case.
func typeNamed(name string) *ob.Type {
	for t := ob.Thread; t < ob.Types; t++ {
		if d := ob.Describe(t); strings.EqualFold(d.Name, name) {
			return d
		}
	}
	return nil
}

// objectNames are what can be asked about without looking.
func objectNames() []string {
	names := []string{`\`, `\BaseNamedObjects`, `\ObjectTypes`}
	for t := ob.Thread; t < ob.Types; t++ {
		names = append(names, ob.Describe(t).Name)
	}
	return names
}

func (sh *shell) objects(args []string) error {
	if len(args) == 0 {
		sh.objectTypes()
		return nil
	}
	name := strings.Join(args, " ") // which names may have in them
	if strings.HasPrefix(name, `\`) {
		return sh.named(name)
	}
	t := typeNamed(name)
	switch {
	case t == nil:
		return usagef("%q is no type of object; names begin with \\, and !object alone lists the types", shorten(name, 40))
	case t.Index() == ob.Thread:
		return sh.ps(nil)
	}
	found := all(t.Objects)
	if len(found) == 0 {
		fmt.Fprintf(sh.console, "there is no object of type %s\n", t.Name)
	}
	for i := range found {
		sh.object(&found[i])
	}
	return nil
}

func (sh *shell) objectTypes() {
	fmt.Fprintf(sh.console, "%-10s %8s %8s %8s %8s %10s\n", "TYPE", "OBJECTS", "PEAK", "HANDLES", "PEAK", "REFERENCES")
	for t := ob.Thread; t < ob.Types; t++ {
		d := ob.Describe(t)
		c := d.Count()
		fmt.Fprintf(sh.console, "%-10s %8d %8d %8d %8d %10d\n", d.Name, c.Objects, c.PeakObjects, c.Handles, c.PeakHandles, c.References)
	}
}

// named describes the object of a full name, and lists it if it is a directory.
func (sh *shell) named(name string) error {
	var self ob.ObjectInfo
	s := ntstatus.Success
	in := all(func(buf []ob.ObjectInfo) (n int) {
		n, s = ob.Look(utf16.Encode([]rune(name)), &self, buf)
		return n
	})
	if s != ntstatus.Success {
		return usagef("%s: %v", shorten(name, 40), s)
	}
	sh.object(&self)
	slices.SortFunc(in, func(a, b ob.ObjectInfo) int {
		return cmp.Compare(strings.ToLower(text(&a)), strings.ToLower(text(&b)))
	})
	for i := range in {
		fmt.Fprint(sh.console, "  ")
		sh.object(&in[i])
	}
	return nil
}

// text returns the object's own name.
func text(o *ob.ObjectInfo) string {
	s := string(utf16.Decode(o.Name[:min(o.Length, len(o.Name))]))
	if o.Length > len(o.Name) {
		s += "..."
	}
	return s
}

func (sh *shell) object(o *ob.ObjectInfo) {
	d := ob.Describe(o.Type)
	line := fmt.Sprintf("%#x: %s", o.Object, d.Name)
	if o.Length > 0 {
		line += fmt.Sprintf(" %q", text(o))
	}
	line += fmt.Sprintf(", %s, %s", count(int(o.Handles), "handle"), count(int(o.Pointers), "reference"))
	if o.Permanent {
		line += ", permanent"
	}
	if o.Exclusive {
		line += ", exclusive"
	}
	if o.Type == ob.Directory {
		line += fmt.Sprintf(", %s", count(o.Children, "object"))
	}
	fmt.Fprintln(sh.console, line)
}
