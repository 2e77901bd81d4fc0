package mm

import (
	"math/bits"

	"irqlab/arch"
)

// Addresses of the pools follow the stacks'. Every run of pages is followed by
// an unmapped one, and a run's addresses are handed out again only after all
// others were, so an overrun or a use after free faults for a long time.
const (
	poolPages   = 1 << 18 // 1 GiB
	specialBase = poolBase + poolPages*arch.PageSize
	deviceBase  = specialBase + poolPages*arch.PageSize
)

// runs hands out addresses for runs of pages.
type runs struct {
	base uintptr
	used [poolPages / 64]uint64
	next int // page to search from
}

var (
	pool    = runs{base: poolBase}
	special = runs{base: specialBase}
)

// MapPool returns pages of cleared memory at adjacent addresses.
//
// IRQL: <= DISPATCH_LEVEL
func MapPool(pages int) (va uintptr, ok bool) { return pool.alloc(pages) }

// UnmapPool frees what MapPool returned.
//
// IRQL: <= DISPATCH_LEVEL
func UnmapPool(va uintptr, pages int) { pool.free(va, pages) }

// MapSpecial is MapPool for special pool: what faults at its addresses is known by
// them. The page before the first is unmapped too.
//
// IRQL: <= DISPATCH_LEVEL
func MapSpecial(pages int) (va uintptr, ok bool) { return special.alloc(pages) }

// UnmapSpecial frees what MapSpecial returned.
//
// IRQL: <= DISPATCH_LEVEL
func UnmapSpecial(va uintptr, pages int) { special.free(va, pages) }

// InSpecial reports whether va is an address of special pool.
//
// IRQL: any
func InSpecial(va uintptr) bool { return specialBase <= va && va < specialBase+poolPages*arch.PageSize }

func (r *runs) alloc(pages int) (va uintptr, ok bool) {
	if pages <= 0 || pages >= poolPages-1 {
		return 0, false
	}
	on := acquire()
	at := r.find(max(r.next, 1), poolPages, pages+1)
	if at < 0 {
		at = r.find(1, min(poolPages, r.next+pages+1), pages+1)
	}
	if at >= 0 {
		va = r.base + uintptr(at)*arch.PageSize
		if phys.free > floorPages+uintptr(pages) {
			ok = mapRAM(va, uintptr(pages)*arch.PageSize)
		}
		if ok {
			r.mark(at, pages+1, true)
			r.next = at + pages + 1
		}
	}
	release(on)
	return va, ok
}

func (r *runs) free(va uintptr, pages int) {
	purge(va, va+uintptr(pages)*arch.PageSize)
	on := acquire()
	r.mark(int(va-r.base)/arch.PageSize, pages+1, false)
	release(on)
}

// find returns the first of n free pages in a row in [from, to), or -1.
func (r *runs) find(from, to, n int) int {
	run := 0
	for i := from; i < to; i++ {
		w := r.used[i/64] >> (i % 64)
		if w&1 != 0 {
			run = 0
			i += bits.TrailingZeros64(^w) - 1
			continue
		}
		if run++; run == n {
			return i + 1 - n
		}
	}
	return -1
}

func (r *runs) mark(at, n int, used bool) {
	for i := at; i < at+n; i++ {
		if used {
			r.used[i/64] |= 1 << (i % 64)
		} else {
			r.used[i/64] &^= 1 << (i % 64)
		}
	}
}

// InPool reports whether va is an address of the nonpaged pool.
//
// IRQL: any
func InPool(va uintptr) bool { return poolBase <= va && va < deviceBase }

// Physical returns the physical address behind va, as devices need it.
//
// IRQL: any
func Physical(va uintptr) (pa uintptr, ok bool) {
	on := acquire()
	e, level := lookup(va)
	if e.Present() {
		pa, ok = e.Address()+va%reach(level), true
	}
	release(on)
	return pa, ok
}

// devices is the first address not yet given to a device.
var devices uintptr = deviceBase

// MapDevice maps device registers that the boot identity map leaves out and
// returns their address. There is no way back: drivers live as long as the
// machine.
//
// IRQL: <= DISPATCH_LEVEL
func MapDevice(pa, n uintptr) (va uintptr, ok bool) {
	offset := pa % arch.PageSize
	pa -= offset
	n = (n + offset + arch.PageSize - 1) &^ (arch.PageSize - 1)
	on := acquire()
	va, ok = devices, true
	devices += n + arch.PageSize
	for o := uintptr(0); ok && o < n; o += arch.PageSize {
		e := page(va+o, false)
		if ok = e != nil; ok {
			store(e, arch.MakePTE(pa+o, arch.ProtWrite|arch.ProtDevice))
			arch.FlushPage(va + o)
		}
	}
	release(on)
	return va + offset, ok
}
