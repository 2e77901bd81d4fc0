package provoke

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/fault"
	"irqlab/kernel"
	"irqlab/paging"

	. "irqlab/wdk"
)

func overrun() {
	p := object[[40]byte]()
	*(*byte)(unsafe.Add(unsafe.Pointer(p), len(p))) = 0x5A
	ExFreePoolWithTag(PVOID(p), tag)
}

func freeTwice() {
	p := PVOID(object[[40]byte]())
	ExFreePoolWithTag(p, tag)
	ExFreePoolWithTag(p, tag)
}

func freeSetTimer() {
	t := object[KTIMER]()
	KeInitializeTimer(t)
	KeSetTimer(t, -LARGE_INTEGER(60e7), nil)
	ExFreePoolWithTag(PVOID(t), tag)
}

// touchUnmapped uses a block of many pages: its memory is unmapped when it is
// freed.
func touchUnmapped() {
	p := object[[64 * arch.PageSize]byte]()
	ExFreePoolWithTag(PVOID(p), tag)
	*(*byte)(unsafe.Pointer(p)) = 1
}

// touchUnreadable has a page written to the page file, and the next request to the
// disk fail. Without a disk the page file is memory, which does not.
func touchUnreadable() {
	p := (*int)(ExAllocatePool2(POOL_FLAG_PAGED, arch.PageSize, tag))
	*p = 1
	paging.PageOut()
	fault.Arm("disk@1")
	*p++
}

// touchWithoutMemory has no page of memory be free from then on.
func touchWithoutMemory() {
	p := (*int)(ExAllocatePool2(POOL_FLAG_PAGED, arch.PageSize, tag))
	*p = 1
	paging.PageOut()
	fault.Arm("page@1+1000000")
	*p++
}

// unlockTwice has paged pool, whose pages are locked one by one.
func unlockTwice() {
	mdl := IoAllocateMdl(ExAllocatePool2(POOL_FLAG_PAGED, arch.PageSize, tag), arch.PageSize, false, false, nil)
	MmProbeAndLockPages(mdl, KernelMode, IoReadAccess)
	MmUnlockPages(mdl)
	MmUnlockPages(mdl)
}

// overflowStack calls itself on a kernel stack, which does not grow.
func overflowStack() { kernel.Enter(descend, new(kernel.Args)) }

//go:noinline
func descend(a *kernel.Args) {
	var frame [256]byte
	frame[a.A%256] = 1
	b := *a
	if b.A++; b.A == 0 {
		return // not before the stack has overflowed
	}
	descend(&b)
	a.A += uintptr(frame[b.A%256]) + b.A
}
