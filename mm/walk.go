package mm

import (
	"irqlab/arch"
	"irqlab/board"
)

// What follows is for the crash dump: it reads the translation tables without
// the lock, when nothing else runs any more. The tables may be damaged: it
// follows an entry only into RAM.

// Run is a range of mapped memory.
type Run struct {
	Lo, Hi uintptr
	PA     uintptr // of Lo
}

// NextRun finds the first memory mapped in [va, hi), up to where the mapping
// ends; with contiguous set only as far as the physical addresses go on. Devices
// are left out. It reports false when there is none.
func NextRun(va, hi uintptr, contiguous bool) (r Run, ok bool) {
	for va < hi {
		pa, size, mapped := translate(va)
		if !mapped {
			if ok {
				return r, true
			}
		} else {
			if !ok {
				r, ok = Run{va, va, pa}, true
			} else if contiguous && pa != r.PA+(va-r.Lo) {
				return r, true
			}
		}
		end := (va | (size - 1)) + 1
		if end <= va { // the top of the address space
			end = hi
		}
		va = min(end, hi)
		if mapped {
			r.Hi = va
		}
	}
	return r, ok
}

// translate returns the physical address behind va, and the size of the page,
// or of the hole that va is in.
func translate(va uintptr) (pa, size uintptr, ok bool) {
	if !arch.Translated(va) {
		return 0, reach(levels), false
	}
	at := arch.RootTable()
	for level := levels; ; level-- {
		size = reach(level)
		if !InRAM(at, arch.PageSize) {
			return 0, size, false
		}
		e := *tableAt(at).entry(va, level)
		switch {
		case !e.Present():
			return 0, size, false
		case level == 1 || e.Leaf():
			pa = e.Address() + va%size
			return pa, size, e.Prot()&arch.ProtDevice == 0 && InRAM(pa&^(arch.PageSize-1), arch.PageSize)
		}
		at = e.Address()
	}
}

// RAM returns the i-th range of RAM: the image, what was used for booting, then
// the ranges that the board offers. A range may be empty.
func RAM(i int) (lo, hi uintptr, ok bool) {
	switch i {
	case 0:
		text, _, _, _, _, end := arch.ImageBounds()
		return text &^ (arch.PageSize - 1), pageUp(end), true
	case 1:
		lo, hi = board.BootMemory()
		return lo, hi, true
	}
	base, size, ok := board.Memory(i - 2)
	return pageUp(base), (base + size) &^ (arch.PageSize - 1), ok
}

// InRAM reports whether [pa, pa+n) is RAM.
func InRAM(pa, n uintptr) bool {
	for i := 0; ; i++ {
		lo, hi, ok := RAM(i)
		if !ok {
			return false
		}
		if lo <= pa && pa+n <= hi {
			return true
		}
	}
}

// Layout of the address space, for those who walk all of it.
const (
	AreaFloor   = areaFloor
	AreaCeiling = areaCeiling
	KernelEnd   = deviceBase
)
