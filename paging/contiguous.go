package paging

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/kernel"
	"irqlab/mm"
	"irqlab/sync/spin"
)

// contiguous are the allocations of physically contiguous memory, by address: who
// frees one does not say how long it is.
var contiguous struct {
	lock spin.Lock
	runs [64]struct {
		pa    uintptr
		pages int
	}
}

// AllocContiguous returns the address of n bytes of cleared memory that are
// contiguous in RAM, below or at highest, or 0 (MmAllocateContiguousMemory). RAM is
// mapped at its physical addresses.
//
// IRQL: <= DISPATCH_LEVEL
func AllocContiguous(n, highest uintptr) uintptr {
	a := kernel.Args{A: (n + arch.PageSize - 1) / arch.PageSize, B: highest}
	kernel.Enter(allocContiguous, &a)
	return a.R
}

func allocContiguous(a *kernel.Args) {
	old := contiguous.lock.Acquire()
	a.R = findContiguous(a.A, a.B)
	contiguous.lock.Release(old)
}

func findContiguous(pages, highest uintptr) uintptr {
	for i := range contiguous.runs {
		r := &contiguous.runs[i]
		if r.pages != 0 {
			continue
		}
		pa, ok := mm.AllocContiguous(int(pages))
		if !ok {
			break
		}
		if pa+pages*arch.PageSize-1 > highest {
			freeRun(pa, int(pages))
			break
		}
		r.pa, r.pages = pa, int(pages)
		return pa
	}
	return 0
}

// FreeContiguous gives back what AllocContiguous returned. Another address is bug
// check BAD_POOL_CALLER.
//
// IRQL: <= DISPATCH_LEVEL
func FreeContiguous(p unsafe.Pointer) {
	a := kernel.Args{A: uintptr(p)}
	kernel.Enter(freeContiguous, &a)
	if a.R == 0 {
		bugcheck.Stop(bugcheck.BadPoolCaller, notAllocated, uintptr(p), 0, 0)
	}
}

// notAllocated is parameter 1 of bug check BAD_POOL_CALLER; parameter 2 is the
// address.
const notAllocated = 0x46

func freeContiguous(a *kernel.Args) {
	old := contiguous.lock.Acquire()
	for i := range contiguous.runs {
		if r := &contiguous.runs[i]; r.pages != 0 && r.pa == a.A {
			freeRun(r.pa, r.pages)
			r.pages, a.R = 0, 1
		}
	}
	contiguous.lock.Release(old)
}

func freeRun(pa uintptr, pages int) {
	for i := range pages {
		mm.FreePage(pa + uintptr(i)*arch.PageSize)
	}
}
