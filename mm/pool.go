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
	pagedBase   = specialBase + poolPages*arch.PageSize
	deviceBase  = pagedBase + pagedPages*arch.PageSize
)

// runs hands out addresses for runs of pages.
type runs struct {
	base uintptr
	used []uint64 // a bit for each page
	next int      // page to search from
}

var (
	poolUsed, specialUsed [poolPages / 64]uint64

	pool    = runs{base: poolBase}
	special = runs{base: specialBase}
)

// initRuns gives the ranges their bits.
func initRuns() {
	pool.used, special.used, paged.used = poolUsed[:], specialUsed[:], pagedUsed[:]
}

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
	on := acquire()
	at := r.search(pages)
	if at < 0 || phys.free <= floorPages+uintptr(pages) {
		release(on)
		return 0, false
	}
	r.take(at, pages)
	va = r.base + uintptr(at)*arch.PageSize
	for mapped := 0; ; {
		n := min(pages-mapped, batchPages)
		ok = mapRAM(va+uintptr(mapped)*arch.PageSize, uintptr(n)*arch.PageSize)
		if mapped += n; !ok || mapped == pages {
			break
		}
		release(on) // lets interrupts in: clearing pages takes its time
		on = acquire()
	}
	release(on)
	if !ok {
		r.free(va, pages)
		return 0, false
	}
	return va, true
}

// search returns the first of so many free pages and one behind them, or -1. Page
// 0 is never used: every run has an unmapped page in front.
func (r *runs) search(pages int) int {
	all := len(r.used) * 64
	if pages <= 0 || pages >= all-1 {
		return -1
	}
	at := r.find(max(r.next, 1), all, pages+1)
	if at < 0 {
		at = r.find(1, min(all, r.next+pages+1), pages+1)
	}
	return at
}

func (r *runs) take(at, pages int) {
	r.mark(at, pages+1, true)
	r.next = at + pages + 1
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
func InPool(va uintptr) bool { return poolBase <= va && va < pagedBase }

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
