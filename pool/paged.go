package pool

import (
	"unsafe"

	"irqlab/fault"
	"irqlab/irql"
)

// Paged pool is the same allocator on memory that the kernel may take away, its
// own headers included. So it is used where a thread can wait, and package paging,
// which has the memory, has the lock too.
var paged struct {
	heap  heap
	enter func(fn func(unsafe.Pointer), arg unsafe.Pointer)
}

// pagedPool is the POOL_TYPE that bug checks report.
const pagedPool = 1

// SetPaged gives paged pool its memory, and the function that runs another one in
// kernel context with the allocator to itself, for which it may wait. Once, at
// boot.
func SetPaged(mapPages func(int) (uintptr, bool), unmapPages func(uintptr, int), enter func(func(unsafe.Pointer), unsafe.Pointer)) {
	paged.heap.mapPages, paged.heap.unmapPages = mapPages, unmapPages
	paged.heap.checked, paged.heap.traced = main.checked, main.traced
	paged.enter = enter
}

// AllocPaged is Alloc of paged pool (ExAllocatePool2, POOL_FLAG_PAGED).
//
// IRQL: <= APC_LEVEL
func AllocPaged(size uintptr, tag Tag) unsafe.Pointer {
	r := allocatePaged(size, tag)
	if r.p != 0 && !r.fresh {
		clear(unsafe.Slice((*byte)(unsafe.Pointer(r.p)), size))
	}
	return unsafe.Pointer(r.p)
}

// AllocPagedUninitialized is AllocPaged without the clearing.
//
// IRQL: <= APC_LEVEL
func AllocPagedUninitialized(size uintptr, tag Tag) unsafe.Pointer {
	r := allocatePaged(size, tag)
	if r.p != 0 && paged.heap.checked {
		fill(r.p, size, freshByte)
	}
	return unsafe.Pointer(r.p)
}

func allocatePaged(size uintptr, tag Tag) request {
	checkRequest(size, tag, pagedPool, irql.APC)
	r := request{size: size, tag: tag}
	paged.enter(takePaged, hide(unsafe.Pointer(&r)))
	return r
}

// hide keeps the compiler from putting requests on the heap: nobody retains one.
func hide(r unsafe.Pointer) unsafe.Pointer {
	x := uintptr(r)
	//lint:ignore SA4016 the operation is what hides the pointer
	return unsafe.Pointer(x ^ 0)
}

func takePaged(arg unsafe.Pointer) {
	r := (*request)(arg)
	if fault.Now(fault.Pool) {
		return
	}
	r.p, r.fresh = paged.heap.alloc(r.size, r.tag, r.caller())
}

// releasePaged gives back what AllocPaged returned.
func releasePaged(r *request) {
	if level := irql.Current(); level > irql.APC {
		callerError(freeIRQL, uintptr(level), pagedPool, r.p)
	}
	paged.enter(freePaged, hide(unsafe.Pointer(r)))
}

func freePaged(arg unsafe.Pointer) {
	r := (*request)(arg)
	if r.check {
		runChecks(paged.heap.bounds(r.p))
	}
	paged.heap.free(r.p, r.tag)
}

// PagedStats returns the account of the nth tag of paged pool, and false behind
// the last. It may be stale.
//
// IRQL: any
func PagedStats(n int) (Stat, bool) { return paged.heap.tags.nth(n) }
