package kd

import (
	"fmt"
	"slices"
	"strconv"
)

// heap is one of the pools.
type heap struct {
	name string
	value
}

// heaps returns the pools of this image: nonpaged pool, and paged pool if it has it.
func (d *Debugger) heaps() []heap {
	d.booted()
	all := []heap{{"nonpaged", d.variable("pool.main")}}
	if d.has("pool.paged") {
		all = append(all, heap{"paged", d.variable("pool.paged").field("heap")})
	}
	return all
}

// poolUsed is !poolused: the shell's pool.
func (d *Debugger) poolUsed(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	for _, h := range d.heaps() {
		slots := h.field("tags.slots")
		tags := []value{}
		for n := range slots.len() {
			tags = append(tags, slots.elem(n))
		}
		tags = slices.DeleteFunc(append(tags, h.field("tags.overflow")), func(s value) bool { return !s.field("Tag").bool() })
		if len(tags) == 0 {
			continue // nobody has ever used it
		}
		slices.SortStableFunc(tags, func(a, b value) int { return int(b.field("Bytes").int() - a.field("Bytes").int()) })
		d.printf("%-5s %10s %10s %8s %10s %10s\n", "TAG", "ALLOCS", "FREES", "DIFF", "BYTES", "PEAK")
		for _, s := range tags {
			allocs, frees := s.field("Allocs").uint(), s.field("Frees").uint()
			d.printf("%-5s %10d %10d %8d %10d %10d\n", tagText(s.field("Tag")), allocs, frees, allocs-frees, s.field("Bytes").uint(), s.field("Peak").uint())
		}
		d.printf("%s pool: %s\n", h.name, count(h.field("pages").int(), "page"))
	}
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
	pool, s, ok := d.poolSpan(page)
	if !ok {
		return fmt.Errorf("%s is not in the pool", address(addr))
	}
	if size := s.field("size").uint(); size != 0 {
		first := s.field("first").uint()
		d.printf("Pool page %s, %s pool: part of one allocation\n", address(page), pool)
		d.printf("*%s size: %#x  (Allocated)  %s\n", address(first), size, tagText(s.field("tag")))
		return nil
	}
	d.printf("Pool page %s, %s pool\n", address(page), pool)
	const unit = 16 // of pool.header's sizes
	for at := page; at < page+pageSize; {
		b := d.at(at, "pool.header")
		if _, ok := d.memory.word(at); !ok {
			return fmt.Errorf("%s cannot be read: !pte says where the page is", address(at))
		}
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
func (d *Debugger) poolSpan(page uint64) (pool string, span value, ok bool) {
	if page == 0 { // a slot that is free
		return "", value{}, false
	}
	for _, h := range d.heaps() {
		slots := h.field("spans.slots")
		for n := range slots.len() {
			if s := slots.elem(n); s.field("page").uint() == page {
				return h.name, s, true
			}
		}
	}
	return "", value{}, false
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
	if d.has("paging.stats") {
		s, locked := d.variable("paging.stats"), int64(0)
		if d.has("paging.locked") { // the program locks pages
			locked = d.variable("paging.locked").int()
		}
		d.printf("paged pool         %8d pages, %d of them in memory, %d in the page file, %d locked\n", s.field("Allocated").int(),
			s.field("Resident").int(), s.field("Away").int(), locked)
		d.printf("paged out and in   %8d written, %d read, %d found on standby\n", s.field("Written").uint(), s.field("Read").uint(), s.field("Soft").uint())
	}
	d.printf("Go runtime         %8d areas\n", d.variable("mm.space").field("n").uint())
	d.printf("page faults        %8d, of which %d at DISPATCH_LEVEL or above\n", stats.field("Faults").uint(), stats.field("Raised").uint())
	return nil
}
