package paging

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/kernel"
	"irqlab/mm"
	"irqlab/pool"
)

// startPool makes package pool's paged pool out of this package's pages.
func startPool() {
	pool.SetPaged(allocate, free, enterPool)
}

// enterPool runs fn in kernel context with the allocator to itself. It is at
// APC_LEVEL and may wait.
func enterPool(fn func(unsafe.Pointer), arg unsafe.Pointer) {
	a := kernel.Args{P: *(*unsafe.Pointer)(unsafe.Pointer(&fn)), Q: arg}
	kernel.EnterBlocking(inPool, &a)
}

func inPool(a *kernel.Args) {
	old := heapGate.acquire()
	(*(*func(unsafe.Pointer))(unsafe.Pointer(&a.P)))(a.Q)
	heapGate.release(old)
}

// allocate returns addresses for so many pages. They get memory when they are
// touched.
func allocate(pages int) (va uintptr, ok bool) {
	old := pagerGate.acquire()
	if va, ok = mm.MapPaged(pages); ok {
		mark(va, pages, true)
		stats.Allocated += pages
	}
	pagerGate.release(old)
	return va, ok
}

// free gives pages back, wherever they are.
func free(va uintptr, pages int) {
	old := pagerGate.acquire()
	for done := 0; done < pages; {
		n := min(pages-done, len(batch))
		for i := range n {
			batch[i] = va + uintptr(done+i)*arch.PageSize
		}
		setPresent(-mm.UnmapPresent(batch[:n]))
		for _, page := range batch[:n] {
			drop(page)
		}
		done += n
	}
	mark(va, pages, false)
	stats.Allocated -= pages
	mm.UnmapPaged(va, pages)
	pagerGate.release(old)
}

// drop gives up what a page that is not present takes.
func drop(va uintptr) {
	switch s, where := mm.PagedState(va); s {
	case mm.PageStandby:
		mm.FreePage(where)
		stats.Resident--
	case mm.PageAway:
		file.release(int(where / arch.PageSize))
		stats.Away--
	}
}

func mark(va uintptr, pages int, on bool) {
	for i := mm.PagedIndex(va); pages > 0; i, pages = i+1, pages-1 {
		if on {
			alive[i/64] |= 1 << (i % 64)
		} else {
			alive[i/64] &^= 1 << (i % 64)
		}
	}
}
