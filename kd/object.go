package kd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// handles is !handle.
func (d *Debugger) handles(v *invocation) error {
	words := v.fields()
	if len(words) > 1 {
		return errUsage
	}
	d.booted()
	if !d.has("ob.table") {
		return fmt.Errorf("this image has no handles: it does not use package ob")
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
		d.printf("%#x: object %#x, %s, access %#x, %s, %s\n", handle, o.addr+uint64(o.size()), d.objectType(o),
			e.field("access").uint(), count(o.field("HandleCount").int(), "handle"), count(o.field("PointerCount").int(), "reference"))
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

// kernelHandle is the form of the system process's handles, see package ob.
const kernelHandle = 0xFFFFFFFF80000000

// eachHandle calls f for every open handle.
func (d *Debugger) eachHandle(f func(handle uint64, e value)) {
	t := d.variable("ob.table")
	chunks := t.field("chunks")
	for n := uint64(1); n < t.field("used").uint(); n++ {
		chunk := chunks.elem(0)
		per := uint64(chunk.deref().len())
		if chunk = chunks.elem(int(n / per)); !chunk.bool() {
			continue
		}
		if e := chunk.deref().elem(int(n % per)); e.field("object").bool() {
			f(kernelHandle|n*4, e)
		}
	}
}

// objectType names the type of the object with the given header, or returns "" if
// it has none.
func (d *Debugger) objectType(header value) string {
	index := int(header.field("TypeIndex").uint())
	if d.has("ob.types") {
		if types := d.variable("ob.types"); index < types.len() {
			return types.elem(index).field("Name").str()
		}
		return ""
	}
	if t, ok := strings.CutPrefix(header.field("TypeIndex").constantName(), "Object"); ok {
		return t
	}
	return ""
}

// objectCommand is !object. The address is a body's. What lies there is an object
// if its header makes sense.
func (d *Debugger) objectCommand(v *invocation) error {
	if v.args == "" {
		return errUsage
	}
	d.booted()
	body := d.eval(v.args)
	h := d.header(body)
	typ, counted := "", false
	guard(func() {
		typ = d.objectType(h)
		counted = typ != "" && h.field("PointerCount").int() > 0 && h.field("HandleCount").int() >= 0
	})
	o := d.at(body, "kernel.Header")
	dispatcher := typeNames[o.field("Type").uint()]
	if !counted && dispatcher == "" {
		return fmt.Errorf("no object at %s", address(body))
	}
	if counted {
		d.printf("Object: %s  Type: %s\n", address(body), typ)
		d.printf("    ObjectHeader: %s\n", address(h.addr))
		d.printf("    HandleCount: %d  PointerCount: %d\n", h.field("HandleCount").int(), h.field("PointerCount").int())
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

// apc is !apc.
func (d *Debugger) apc(v *invocation) error {
	threads := d.allThreads()
	switch words := v.fields(); len(words) {
	case 0:
	case 1:
		threads = []thread{d.findThread(words[0])}
	default:
		return errUsage
	}
	queued := 0
	for _, t := range threads {
		queues := t.field("APCs")
		for mode := range queues.len() {
			for _, e := range d.list(queues.elem(mode)) {
				if queued++; queued == 1 {
					d.printf("%6s %-16s %-6s %-17s %s\n", "THREAD", "NAME", "KIND", "KAPC", "ROUTINES")
				}
				d.describeAPC(t, d.container(e, "kernel.APC", "Entry"))
			}
		}
	}
	if queued == 0 {
		d.printf("no APC is queued\n")
	}
	return nil
}

func (d *Debugger) describeAPC(t thread, a value) {
	kind := "normal"
	switch {
	case a.field("NormalRoutine").uint() == 0:
		kind = "special"
	case a.field("Mode").bool():
		kind = "user"
	}
	d.printf("%6s %-16s %-7s %s kernel %s, normal %s\n", t.idText(), t.name(), kind, address(a.addr),
		d.function(d.code(a.field("KernelRoutine").uint())), d.function(d.code(a.field("NormalRoutine").uint())))
}

// irpFind is !irpfind.
func (d *Debugger) irpFind(v *invocation) error {
	d.printf("this kernel has no I/O manager: there are no IRPs\n")
	return nil
}

// poolUsed is !poolused: the shell's pool.
func (d *Debugger) poolUsed(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	d.booted()
	slots := d.variable("pool.main").field("tags.slots")
	var tags []value
	for n := range slots.len() {
		if s := slots.elem(n); s.field("Tag").bool() {
			tags = append(tags, s)
		}
	}
	slices.SortStableFunc(tags, func(a, b value) int { return int(b.field("Bytes").int() - a.field("Bytes").int()) })
	d.printf("%-5s %10s %10s %8s %10s %10s\n", "TAG", "ALLOCS", "FREES", "DIFF", "BYTES", "PEAK")
	for _, s := range tags {
		allocs, frees := s.field("Allocs").uint(), s.field("Frees").uint()
		d.printf("%-5s %10d %10d %8d %10d %10d\n", tagText(s.field("Tag")), allocs, frees, allocs-frees, s.field("Bytes").uint(), s.field("Peak").uint())
	}
	d.printf("pool: %s\n", count(d.variable("pool.main").field("pages").int(), "page"))
	return nil
}

// tagText writes a pool tag's characters.
func tagText(tag value) string { return printable(string(tag.bytes())) }

// pool is !pool: the blocks of the page that an address is in.
func (d *Debugger) pool(v *invocation) error {
	if v.args == "" {
		return errUsage
	}
	d.booted()
	const pageSize = 4096
	addr := d.eval(v.args)
	page := addr &^ (pageSize - 1)
	s, ok := d.poolSpan(page)
	if !ok {
		return fmt.Errorf("%s is not in the pool", address(addr))
	}
	if size := s.field("size").uint(); size != 0 {
		first := s.field("first").uint()
		d.printf("Pool page %s: part of one allocation\n", address(page))
		d.printf("*%s size: %#x  (Allocated)  %s\n", address(first), size, tagText(s.field("tag")))
		return nil
	}
	d.printf("Pool page %s\n", address(page))
	const unit = 16 // of pool.header's sizes
	for at := page; at < page+pageSize; {
		b := d.at(at, "pool.header")
		size := b.field("size").uint() * unit
		if size == 0 {
			return fmt.Errorf("the block at %s has no size: the page is corrupt, or free", address(at))
		}
		mark, state := ' ', "Free"
		if addr >= at && addr < at+size {
			mark = '*'
		}
		if b.field("kind").bool() {
			state = "Allocated"
		}
		d.printf("%c%s size: %4x previous size: %4x  (%s)  %s\n", mark, address(at), size, b.field("previous").uint()*unit, state, tagText(b.field("tag")))
		at += size
	}
	return nil
}

// poolSpan finds what a page of the pool is used for.
func (d *Debugger) poolSpan(page uint64) (value, bool) {
	slots := d.variable("pool.main").field("spans.slots")
	for n := range slots.len() {
		if s := slots.elem(n); s.field("page").uint() == page {
			return s, true
		}
	}
	return value{}, false
}

// vm is !vm.
func (d *Debugger) vm(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	d.booted()
	phys, stats := d.variable("mm.phys"), d.variable("mm.stats")
	kib := func(pages uint64) string { return strconv.FormatUint(pages*4, 10) + " KiB" }
	d.printf("physical memory    %8d pages, %s\n", phys.field("total").uint(), kib(phys.field("total").uint()))
	d.printf("available          %8d pages, %s\n", phys.field("free").uint(), kib(phys.field("free").uint()))
	d.printf("zeroed in reserve  %8d pages\n", phys.field("reserved").uint())
	d.printf("translation tables %8d pages\n", stats.field("Tables").uint())
	d.printf("nonpaged pool      %8d pages, %s\n", d.variable("pool.main").field("pages").uint(), kib(d.variable("pool.main").field("pages").uint()))
	d.printf("Go runtime         %8d areas\n", d.variable("mm.space").field("n").uint())
	d.printf("page faults        %8d, of which %d at DISPATCH_LEVEL or above\n", stats.field("Faults").uint(), stats.field("Raised").uint())
	return nil
}
