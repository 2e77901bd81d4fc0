package kd

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// pte is !pte: the entries that translate an address, from the root down. What
// the bits mean is read from package arch's constants.
func (d *Debugger) pte(v *invocation) error {
	if v.args == "" {
		return errUsage
	}
	va := d.eval(v.args)
	if !d.image.machine.canonical(va) {
		return fmt.Errorf("%s is no virtual address: the bits above the lower 48 are wrong", address(va))
	}
	table := d.rootTable()
	if table == 0 {
		d.printf("translation is off: virtual addresses are physical ones\n")
		return nil
	}
	b := d.pteBits()
	d.printf("VA %s\n", address(va))
	for shift := 39; ; shift -= 9 {
		at := table + va>>shift&511*8
		e := d.word(at)
		d.printf("  level %d at %s contains %s%s\n", (shift-12)/9+1, address(at), address(e), b.describe(e, shift == 12))
		switch {
		case e&b.present == 0:
			d.printf("  not present%s\n", d.pageState(va, e, shift == 12, b))
			return nil
		case shift == 12 || b.leaf(e):
			pa := e&b.address&^(1<<shift-1) | va&(1<<shift-1)
			d.printf("  physical address %s, page of %#x bytes\n", address(pa), uint64(1)<<shift)
			return nil
		}
		table = e & b.address
	}
}

// pageState says where a page of paged pool is that is not mapped. Package mm keeps
// that in the bits of its entry that the hardware ignores: see mm.PageState.
func (d *Debugger) pageState(va, e uint64, last bool, b pteBits) string {
	if !last || !d.has("mm.paged") {
		return ""
	}
	const pageSize, perWord, stateShift, stateMask = 4096, 64, 1, 7
	base := d.variable("mm.paged").field("base").uint()
	if va < base || va >= base+uint64(d.variable("mm.pagedUsed").len())*perWord*pageSize {
		return ""
	}
	where := e & b.address
	for _, c := range d.constants("mm.PageState") {
		if uint64(c.value) != e>>stateShift&stateMask {
			continue
		}
		switch strings.TrimPrefix(c.name, "irqlab/mm.Page") {
		case "None":
			return ": a page of paged pool that nobody has allocated"
		case "Zero":
			return ": a page of paged pool that was never touched"
		case "Standby":
			return fmt.Sprintf(": paged pool, on standby at physical address %s", address(where))
		case "Away":
			return fmt.Sprintf(": paged pool, at place %#x of the page file", where/pageSize)
		}
	}
	return ""
}

// rootTable returns the physical address of the top-level table. Package mm maps
// RAM at its physical addresses.
func (d *Debugger) rootTable() uint64 {
	regs := d.registers(d.cpu)
	if d.image.machine.arch == AMD64 {
		const pagingOn = 1 << 31 // CR0.PG
		if cr0, ok := regs["cr0"]; ok && cr0&pagingOn == 0 {
			return 0
		}
		return regs["cr3"] &^ 0xfff
	}
	const base = 0x0000_ffff_ffff_fffe // TTBR0_EL1.BADDR (Arm ARM DDI 0487, D19.2.152)
	return regs["ttbr0_el1"] & base
}

// pteBits are the constants of package arch that describe an entry.
type pteBits struct {
	present, address uint64
	large, table     uint64 // one of them is 0
	flags            []constant
}

func (d *Debugger) pteBits() pteBits {
	var b pteBits
	for _, c := range d.constants("arch.PTE") {
		name := strings.TrimPrefix(c.name, "irqlab/arch.")
		v := uint64(c.value)
		switch name {
		case "ptePresent", "pteValid":
			b.present = v
		case "pteAddress":
			b.address = v
		case "pteLarge":
			b.large = v
		case "pteTable":
			b.table = v
		}
		if name, ok := strings.CutPrefix(name, "pte"); ok && bits.OnesCount64(v) <= 2 {
			b.flags = append(b.flags, constant{strings.ToLower(name), c.value})
		}
	}
	if b.present == 0 || b.address == 0 {
		failf("package arch of this image does not describe its page table entries")
	}
	slices.SortFunc(b.flags, func(x, y constant) int {
		return bits.TrailingZeros64(uint64(x.value)) - bits.TrailingZeros64(uint64(y.value))
	})
	return b
}

func (b *pteBits) leaf(e uint64) bool {
	if b.large != 0 {
		return e&b.large != 0
	}
	return e&b.table == 0
}

// describe names the bits of an entry. Without a translation the hardware gives
// none of them a meaning, and the last level has pages where others have tables.
func (b *pteBits) describe(e uint64, last bool) string {
	if e&b.present == 0 {
		return ""
	}
	var names []string
	for _, f := range b.flags {
		v, name := uint64(f.value), f.name
		if e&v != v {
			continue
		}
		if last && v == b.table {
			name = "page"
		}
		names = append(names, name)
	}
	return "  " + strings.Join(names, " ")
}
