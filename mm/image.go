package mm

import (
	"irqlab/arch"
)

// image is where the permissions of the identity map change: page aligned.
type image struct {
	text, etext, rodata, erodata uintptr
}

// protectImage replaces the boot tables' permissions: text read-execute,
// read-only data read-only, all other RAM and every device no-execute, page 0
// unmapped.
//
// On ARM64 the manual wants an entry invalid between a block and the table that
// replaces it (Arm ARM D8.16, break-before-make). Here that entry maps the code
// which runs, and old and new agree in output address and memory type; the
// processors that QEMU models accept it.
func protectImage() {
	text, etext, rodata, erodata, _, _ := arch.ImageBounds()
	m := image{text, pageUp(etext), rodata, pageUp(erodata)}
	m.protect(tableAt(arch.RootTable()), levels, 0)
	if e, _ := lookup(0); e.Present() {
		if e = page(0, false); e != nil {
			store(e, 0)
		}
	}
	arch.FlushTLB()
}

func pageUp(va uintptr) uintptr { return (va + arch.PageSize - 1) &^ (arch.PageSize - 1) }

// perm returns the permission bits of the page at va.
func (m *image) perm(va uintptr) arch.PTE {
	p := arch.ProtWrite
	switch {
	case m.text <= va && va < m.etext:
		p = arch.ProtExec
	case m.rodata <= va && va < m.erodata:
		p = 0
	}
	return arch.MakePTE(0, p) & arch.PermBits
}

// uniform reports whether all pages of [lo, hi) have the permissions of the
// first.
func (m *image) uniform(lo, hi uintptr) bool {
	inside := func(edge uintptr) bool { return lo < edge && edge < hi }
	return !(inside(m.text) || inside(m.etext) || inside(m.rodata) || inside(m.erodata))
}

// protect gives the leaves below t their permissions, and splits those that
// have none in common. t is of the given level and covers addresses from va on.
func (m *image) protect(t *table, level int, va uintptr) {
	step := reach(level)
	uniform := m.uniform(va, va+entries*step)
	perm := m.perm(va)
	for i := range t {
		e := &t[i]
		if !e.Present() {
			continue
		}
		at := va + uintptr(i)*step
		if level > 1 && !e.Leaf() {
			m.protect(tableAt(e.Address()), level-1, at)
			continue
		}
		if !uniform {
			perm = m.perm(at)
			if level > 1 && !m.uniform(at, at+step) {
				pa := phys.zeroed(false)
				if pa == 0 {
					continue // what cannot be protected stays as it is
				}
				stats.Tables++
				split(tableAt(pa), *e, level)
				store(e, arch.MakeTable(pa))
				m.protect(tableAt(pa), level-1, at)
				continue
			}
		}
		if v := *e&^arch.PermBits | perm; v != *e {
			store(e, v)
		}
	}
}

// ProtectKernel sets the permissions of pages of the identity map, splitting
// larger leaves. For boot: other processors are not told.
func ProtectKernel(lo, hi uintptr, p arch.Prot) {
	for va := lo; va < hi; va += arch.PageSize {
		on := acquire()
		e := page(va, false)
		if e != nil && e.Present() {
			store(e, withPerm(*e, p))
			arch.FlushPage(va)
		}
		release(on)
	}
}

// identityEnd returns how far [lo, hi) is mapped at its physical address.
func identityEnd(lo, hi uintptr) uintptr {
	for va := lo; va < hi; {
		e, level := lookup(va)
		if !e.Present() {
			return va
		}
		va = next(va, level)
	}
	return hi
}
