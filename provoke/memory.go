package provoke

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/kernel"

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
