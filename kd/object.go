package kd

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

// errNoObjects is for images without an object manager.
var errNoObjects = errors.New("this image has no handles and no named objects: it does not use package ob")

// handles is !handle.
func (d *Debugger) handles(v *invocation) error {
	words := v.fields()
	if len(words) > 1 {
		return errUsage
	}
	d.booted()
	if !d.has("ob.table") {
		return errNoObjects
	}
	var want uint64
	if len(words) == 1 {
		want = d.eval(words[0])
	}
	shown := 0
	d.eachHandle(func(handle uint64, e value) {
		if want != 0 && handle != want {
			return
		}
		o := e.field("object").deref()
		d.printf("%#x: object %#x, %s, access %#x%s, %s, %s\n", handle, bodyOf(o), d.objectType(o), e.field("access").uint(),
			handleFlags(e.field("flags").uint()), count(o.field("HandleCount").int(), "handle"), count(o.field("PointerCount").int(), "reference"))
		shown++
	})
	if shown == 0 {
		if want != 0 {
			return fmt.Errorf("handle %#x is not open", want)
		}
		d.printf("no handle is open\n")
	}
	return nil
}

// bodyOf returns the address of the body behind an object's header.
func bodyOf(header value) uint64 { return header.addr + uint64(header.size()) }

// What is remembered of a handle (OBJ_* of the public headers).
const (
	protectClose = 0x001
	inherit      = 0x002
	kernelHandle = 0x200

	kernelForm = 0xFFFFFFFF80000000 // of a handle that only the kernel may use
)

func handleFlags(f uint64) string {
	s := ""
	if f&protectClose != 0 {
		s += ", protected"
	}
	if f&inherit != 0 {
		s += ", inherited"
	}
	return s
}

// eachHandle calls f for every open handle.
func (d *Debugger) eachHandle(f func(handle uint64, e value)) {
	t := d.variable("ob.table")
	chunks := t.field("chunks")
	per := uint64(chunks.elem(0).deref().len())
	for n := uint64(1); n < t.field("used").uint(); n++ {
		chunk := chunks.elem(int(n / per))
		if !chunk.bool() {
			continue
		}
		e := chunk.deref().elem(int(n % per))
		if !e.field("object").bool() {
			continue
		}
		handle := n * 4
		if e.field("flags").uint()&kernelHandle != 0 {
			handle |= kernelForm
		}
		f(handle, e)
	}
}

// objectType names the type of the object with the given header, or returns "" if
// it has none.
func (d *Debugger) objectType(header value) string {
	index := int(header.field("TypeIndex").uint())
	if d.has("ob.types") {
		if types := d.variable("ob.types"); index < types.len() {
			return types.elem(index).field("Type.Name").str()
		}
		return ""
	}
	if t, ok := strings.CutPrefix(header.field("TypeIndex").constantName(), "Object"); ok {
		return t
	}
	return ""
}

// objectCommand is !object.
func (d *Debugger) objectCommand(v *invocation) error {
	d.booted()
	switch {
	case v.args == "":
		return d.objectTypes()
	case v.args[0] == '\\':
		return d.namedObject(v.args)
	}
	return d.describeObject(d.eval(v.args))
}

// objectTypes counts the objects of each type. Threads are in a table of their
// own.
func (d *Debugger) objectTypes() error {
	if !d.has("ob.types") {
		return errNoObjects
	}
	types := d.variable("ob.types")
	d.printf("%-10s %8s\n", "TYPE", "OBJECTS")
	for n := range types.len() {
		t := types.elem(n).field("Type")
		name := t.field("Name").str()
		if name == "" {
			continue
		}
		objects := len(d.list(t.field("objects")))
		if name == "Thread" {
			objects = 0
			for _, t := range d.allThreads() {
				if !t.idle {
					objects++
				}
			}
		}
		d.printf("%-10s %8d\n", name, objects)
	}
	return nil
}

// infoOf returns what lies in front of an object's header: its name and where it
// has it. Threads have none.
func (d *Debugger) infoOf(header value) (value, bool) {
	if !d.has("ob.root") || !header.field("InfoMask").bool() {
		return value{}, false
	}
	i := d.at(0, "ob.info")
	i.addr = header.addr - uint64(i.size())
	return i, true
}

// ownName returns an object's own name.
func (d *Debugger) ownName(info value) string {
	const longest = 1 << 15 // characters of a UNICODE_STRING
	n := int(info.field("length").uint())
	if n == 0 || n > longest {
		return ""
	}
	b := d.bytes(info.field("name").uint(), 2*n)
	text := make([]uint16, n)
	for i := range text {
		text[i] = uint16(little(b[2*i : 2*i+2]))
	}
	return printable(string(utf16.Decode(text)))
}

// fullName returns an object's name with its directories', or "".
func (d *Debugger) fullName(info value) string {
	if info.addr == d.variable("ob.root").field("info").addr {
		return `\`
	}
	name := ""
	const deepest = 64
	for range deepest {
		directory := info.field("directory").uint()
		if directory == 0 {
			return name
		}
		name = `\` + d.ownName(info) + name
		ok := false
		if info, ok = d.infoOf(d.header(directory)); !ok {
			break // it is damaged
		}
	}
	return name
}

// namedObject describes the object of a full name, and lists it if it is a
// directory.
func (d *Debugger) namedObject(name string) error {
	if !d.has("ob.root") {
		return errNoObjects
	}
	header := d.variable("ob.root").field("ObjectHeader")
	for part := range strings.SplitSeq(strings.Trim(name, `\`), `\`) {
		if part == "" {
			break
		}
		next, ok := d.lookIn(header, part)
		if !ok {
			return fmt.Errorf("there is no object %s", shorten(name, 80))
		}
		header = next
	}
	if err := d.describeObject(bodyOf(header)); err != nil {
		return err
	}
	for _, child := range d.children(header) {
		name := "?"
		if info, ok := d.infoOf(child); ok {
			name = d.ownName(info)
		}
		d.printf("    %s %-10s %s\n", address(bodyOf(child)), d.objectType(child), name)
	}
	return nil
}

// children returns the headers of the objects in a directory.
func (d *Debugger) children(header value) []value {
	if d.objectType(header) != "Directory" {
		return nil
	}
	var all []value
	for _, e := range d.list(d.at(bodyOf(header), "ob.directory").field("entries")) {
		info := d.container(e, "ob.info", "entry")
		all = append(all, d.at(info.addr+uint64(info.size()), "kernel.ObjectHeader"))
	}
	return all
}

func (d *Debugger) lookIn(header value, name string) (value, bool) {
	for _, child := range d.children(header) {
		if info, ok := d.infoOf(child); ok && strings.EqualFold(d.ownName(info), name) {
			return child, true
		}
	}
	return value{}, false
}

// describeObject describes what has its body at an address: an object with
// references if the header in front of it makes sense, a dispatcher object if the
// body does.
func (d *Debugger) describeObject(body uint64) error {
	h := d.header(body)
	typ, counted := "", false
	guard(func() {
		typ = d.objectType(h)
		counted = typ != "" && h.field("PointerCount").int() > 0 && h.field("HandleCount").int() >= 0
	})
	o := d.at(body, "kernel.Header")
	dispatcher := ""
	if d.linked(o.field("WaitList")) {
		dispatcher = typeNames[o.field("Type").uint()]
	}
	switch typ {
	case "Directory", "Type":
		dispatcher = ""
	}
	if !counted && dispatcher == "" {
		return fmt.Errorf("no object at %s", address(body))
	}
	if counted {
		d.printf("Object: %s  Type: %s\n", address(body), typ)
		d.printf("    ObjectHeader: %s\n", address(h.addr))
		d.printf("    HandleCount: %d  PointerCount: %d\n", h.field("HandleCount").int(), h.field("PointerCount").int())
		if info, ok := d.infoOf(h); ok {
			if name := d.fullName(info); name != "" {
				d.printf("    Name: %s\n", name)
			}
		}
		if d.has("ob.table") {
			d.eachHandle(func(handle uint64, e value) {
				if e.field("object").uint() == h.addr {
					d.printf("    Handle %#x, access %#x\n", handle, e.field("access").uint())
				}
			})
		}
	}
	if dispatcher != "" {
		d.printf("Dispatcher object: %s  Type: %s, state %d, %s\n", address(body), dispatcher, o.field("SignalState").int(),
			count(int64(len(d.list(o.field("WaitList")))), "waiting thread"))
	}
	return nil
}
