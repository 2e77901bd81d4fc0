// Package pool is the kernel's dynamic memory: paged pool, see SetPaged, and
// nonpaged pool, which is always present, may be touched at any IRQL, and is
// shared by all processors. Kernel objects live in the latter: the documentation
// demands resident storage of them, and the Go heap is not resident (a page of it
// may be absent, and it is the garbage collector's).
//
// Nothing in the pool is seen by the garbage collector. What a pointer in there
// refers to on the Go heap must be kept alive by package registry.
//
// Every allocation has a tag of four characters and is accounted under it. In
// checked mode (the default) freed memory is filled with a pattern that is
// verified when it is handed out again, and the bytes behind each allocation
// are verified when it is freed, so that the bug check of a double free, an
// overrun or a use after free comes soon and tells which.
//
// Lock order: one spin lock guards the pool. While it is held only package mm's
// lock is taken. It may be taken with any other lock held but that one, so the
// checks registered with OnFree run without it.
//
// IRQL: the lock is held at DISPATCH_LEVEL, so the pool is usable up to there.
//
// Documentation: "ExAllocatePool2", "ExFreePoolWithTag", "Bug Check 0xC2
// BAD_POOL_CALLER", "Bug Check 0x19 BAD_POOL_HEADER".
package pool

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/fault"
	"irqlab/irql"
	"irqlab/mm"
	"irqlab/sync/spin"
)

var (
	lock spin.Lock
	main = heap{mapPages: mm.MapPool, unmapPages: mm.UnmapPool, checked: true}
)

// SetChecked turns checked mode on or off. It must come before the first
// allocation: the pool trusts what it wrote itself.
func SetChecked(on bool) { main.checked = on }

// nonPagedPool is the POOL_TYPE that bug checks report.
const nonPagedPool = 0

// request carries one call into kernel context.
type request struct {
	size  uintptr
	tag   Tag
	p     uintptr
	fresh bool
	check bool
	own   bool // the kernel's
}

// Alloc returns size bytes of cleared memory, or nil if there are none
// (ExAllocatePool2, POOL_FLAG_NON_PAGED). It is aligned to 16 bytes, and to a
// page if size is a page or more. A size or tag of zero is bug check
// BAD_POOL_CALLER.
//
// IRQL: <= DISPATCH_LEVEL
func Alloc(size uintptr, tag Tag) unsafe.Pointer {
	r := request{size: size, tag: tag}
	enterAllocate(&r)
	if r.p != 0 && !r.fresh {
		clear(unsafe.Slice((*byte)(unsafe.Pointer(r.p)), size))
	}
	return unsafe.Pointer(r.p)
}

// AllocUninitialized is Alloc without the clearing (POOL_FLAG_UNINITIALIZED).
// In checked mode the memory holds a pattern.
//
// IRQL: <= DISPATCH_LEVEL
func AllocUninitialized(size uintptr, tag Tag) unsafe.Pointer {
	r := request{size: size, tag: tag}
	enterAllocate(&r)
	if r.p != 0 && main.checked {
		fill(r.p, size, freshByte)
	}
	return unsafe.Pointer(r.p)
}

// AllocOwn is Alloc for what the kernel keeps for itself, also where a driver asked
// for something that needs it: Find does not find it.
//
// IRQL: <= DISPATCH_LEVEL
func AllocOwn(size uintptr, tag Tag) unsafe.Pointer {
	r := request{size: size, tag: tag, own: true}
	enterAllocate(&r)
	if r.p != 0 && !r.fresh {
		clear(unsafe.Slice((*byte)(unsafe.Pointer(r.p)), size))
	}
	return unsafe.Pointer(r.p)
}

// Free gives back what Alloc returned (ExFreePoolWithTag). A tag of 0 fits
// every allocation (ExFreePool). Misuse is bug check BAD_POOL_CALLER, damage
// found BAD_POOL_HEADER.
//
// IRQL: <= DISPATCH_LEVEL
func Free(p unsafe.Pointer, tag Tag) {
	r := request{p: uintptr(p), tag: tag, check: true}
	enterRelease(&r)
}

// FreeUnchecked is Free without the checks registered with OnFree, for the
// kernel's own allocations: its caller may hold the locks that those take.
//
// IRQL: <= DISPATCH_LEVEL
func FreeUnchecked(p unsafe.Pointer, tag Tag) {
	r := request{p: uintptr(p), tag: tag}
	enterRelease(&r)
}

func enterRelease(r *request) {
	if mm.InPaged(r.p) {
		releasePaged(r)
		return
	}
	if level := irql.Current(); level > irql.Dispatch {
		callerError(freeIRQL, uintptr(level), nonPagedPool, r.p)
	}
	if arch.InKernel() {
		release(unsafe.Pointer(r))
	} else {
		arch.Gate(release, unsafe.Pointer(r))
	}
}

// enterAllocate runs allocate in kernel context, so that the pool's lock is
// never held on a goroutine's stack.
func enterAllocate(r *request) {
	checkRequest(r.size, r.tag, nonPagedPool, irql.Dispatch)
	if arch.InKernel() {
		allocate(unsafe.Pointer(r))
	} else {
		arch.Gate(allocate, unsafe.Pointer(r))
	}
}

func allocate(p unsafe.Pointer) {
	r := (*request)(p)
	if fault.Now(fault.Pool) {
		return
	}
	by := r.caller()
	old := lock.Acquire()
	r.p, r.fresh = main.alloc(r.size, r.tag, by)
	lock.Release(old)
}

// checkRequest stops the machine for an allocation that must not be asked for.
func checkRequest(size uintptr, tag Tag, poolType uintptr, max irql.Level) {
	level := irql.Current()
	switch {
	case level > max:
		callerError(allocIRQL, uintptr(level), poolType, size)
	case size == 0:
		callerError(zeroBytes, 0, poolType, uintptr(tag))
	case tag == 0:
		callerError(zeroTag, poolType, size, 0)
	}
}

func release(p unsafe.Pointer) {
	r := (*request)(p)
	if r.check {
		old := lock.Acquire()
		lo, hi := main.bounds(r.p)
		lock.Release(old)
		runChecks(lo, hi)
	}
	old := lock.Acquire()
	main.free(r.p, r.tag)
	lock.Release(old)
}

func runChecks(lo, hi uintptr) {
	for _, check := range checks {
		if check != nil {
			check(lo, hi)
		}
	}
}

// checks are called with the bounds of each allocation about to be freed.
var checks [8]func(lo, hi uintptr)

// OnFree registers a check: it is called, without the pool's lock, with the
// bounds of each allocation before it is freed, and stops the machine if an
// object in there is still in use. Called while booting, with top-level
// resident functions.
func OnFree(check func(lo, hi uintptr)) {
	for i := range checks {
		if checks[i] == nil {
			checks[i] = check
			return
		}
	}
}

// Owner returns the bounds and tag of the allocation that holds addr, if there
// is one.
//
// IRQL: <= DISPATCH_LEVEL
func Owner(addr uintptr) (lo, hi uintptr, tag Tag, ok bool) {
	old := lock.Acquire()
	lo, hi, tag, ok = main.owner(addr)
	lock.Release(old)
	return lo, hi, tag, ok
}

// Freed reports whether addr, which is mapped and in the pool's range, is in a free
// block. It takes no lock, and goes by what checked mode leaves in free memory: a
// pattern, but for the first words, which have the block's header in front.
//
// IRQL: any
func Freed(addr uintptr) bool {
	if line := addr &^ (unit - 1); line%pageSize != 0 {
		if b := at(line - headerSize); b.sealed() {
			return b.kind != inUse
		}
	}
	return *(*uint64)(unsafe.Pointer(addr &^ 7)) == freedByte*0x0101010101010101
}

// Stats returns the account of the nth tag, and false behind the last.
//
// IRQL: <= DISPATCH_LEVEL
func Stats(n int) (Stat, bool) {
	old := lock.Acquire()
	s, ok := main.tags.nth(n)
	lock.Release(old)
	return s, ok
}

// Pages returns the number of pages that the pool holds.
//
// IRQL: any
func Pages() int { return main.pages }
