package mm

import (
	"irqlab/arch"
)

// protectImage replaces the boot tables' permissions: text read-execute,
// read-only data read-only, all other RAM and every device no-execute, page 0
// unmapped.
//
// On ARM64 the manual wants an entry invalid between a block and the table that
// replaces it (Arm ARM D8.16, break-before-make). Here that entry maps the code
// which runs, and old and new agree in output address and memory type; the
// processors that QEMU models accept it.
func protectImage() {
	text, etext, rodata, erodata, _, end := arch.ImageBounds()
	for va := text; va < end; va += arch.PageSize {
		p := arch.ProtWrite
		switch {
		case va < etext:
			p = arch.ProtExec
		case rodata <= va && va < erodata:
			p = 0
		}
		ProtectKernel(va, va+arch.PageSize, p)
	}
	if e := page(0, false); e != nil {
		store(e, 0)
	}
	forbidExecution(tableAt(arch.RootTable()), levels, 0, text, end)
	arch.FlushTLB()
}

// forbidExecution makes all leaves below t read-write and no-execute, but those
// of the image. t is of the given level and covers addresses from va on.
func forbidExecution(t *table, level int, va, image, end uintptr) {
	for i := range t {
		e := &t[i]
		at := va + uintptr(i)*reach(level)
		switch {
		case !e.Present():
		case level > 1 && !e.Leaf():
			forbidExecution(tableAt(e.Address()), level-1, at, image, end)
		case at+reach(level) <= image || at >= end:
			store(e, withPerm(*e, arch.ProtWrite))
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
