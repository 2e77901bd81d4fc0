package paging

import (
	"sync/atomic"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/kernel"
	"irqlab/mm"
	"irqlab/ntstatus"
)

// Lock brings the pages of [va, va+n) into memory, if they are of paged pool, and
// keeps them there until the matching Unlock. Locks nest. It returns
// STATUS_ACCESS_VIOLATION if some of the memory does not exist.
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL for memory that is not paged
func Lock(va, n uintptr) ntstatus.Status {
	if !mm.InPaged(va) {
		for page := va &^ (arch.PageSize - 1); page < va+n; page += arch.PageSize {
			if _, ok := Physical(page); !ok {
				return ntstatus.AccessViolation
			}
		}
		return ntstatus.Success
	}
	a := kernel.Args{A: va, B: n}
	kernel.EnterBlocking(lockPages, &a)
	return ntstatus.Status(int32(a.R))
}

func lockPages(a *kernel.Args) {
	first, end := a.A&^(arch.PageSize-1), a.A+a.B
	old := pagerGate.acquire()
	for va := first; va < end; va += arch.PageSize {
		if !mm.InPaged(va) || !bring(va) {
			for va > first {
				va -= arch.PageSize
				unpin(va)
			}
			status := ntstatus.AccessViolation
			a.R = uintptr(uint32(status))
			break
		}
		pin(va)
	}
	pagerGate.release(old)
}

// Unlock undoes one Lock of the same pages. It does not wait, so it is for any
// level at which memory can be unlocked.
//
// IRQL: <= DISPATCH_LEVEL
func Unlock(va, n uintptr) {
	if !mm.InPaged(va) {
		return
	}
	for page := va &^ (arch.PageSize - 1); page < va+n; page += arch.PageSize {
		unpin(page)
	}
}

// A count of pins is changed atomically: Unlock does not wait for the pager. What
// it must not miss is a pin, and those are set with pagerGate held.
func pin(va uintptr) {
	if atomic.AddUint32(&pins[mm.PagedIndex(va)], 1) == 1 {
		atomic.AddInt64(&locked, 1)
	}
}

func unpin(va uintptr) {
	switch atomic.AddUint32(&pins[mm.PagedIndex(va)], ^uint32(0)) {
	case 0:
		atomic.AddInt64(&locked, -1)
	case ^uint32(0):
		bugcheck.Stop(bugcheck.PfnListCorrupt, pinUnderflow, va/arch.PageSize, 0, 0)
	}
}

// locked counts the pages that are locked.
var locked int64

// pinUnderflow is parameter 1 of bug check PFN_LIST_CORRUPT: a page was unlocked
// that was not locked.
const pinUnderflow = 0x07
