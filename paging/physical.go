package paging

import (
	"unsafe"

	"irqlab/kernel"
	"irqlab/mm"
)

// What package mm tells kernel context only, for Go code of a thread as well.

// Physical returns the physical address behind va (MmGetPhysicalAddress); without
// one, a touch would fault now (MmIsAddressValid).
//
// IRQL: any
func Physical(va uintptr) (pa uintptr, ok bool) {
	a := kernel.Args{A: va}
	kernel.Enter(physical, &a)
	return a.R, a.B != 0
}

func physical(a *kernel.Args) {
	pa, ok := mm.Physical(a.A)
	if a.R = pa; ok {
		a.B = 1
	}
}

// Memory returns the counts of all memory, in pages, at this moment.
//
// IRQL: any
func Memory() (s mm.Stats) {
	a := kernel.Args{P: unsafe.Pointer(&s)}
	kernel.Enter(count, &a)
	return s
}

func count(a *kernel.Args) { *(*mm.Stats)(a.P) = mm.ReadStats() }
