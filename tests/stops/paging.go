package main

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/intr"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/paging"
	"irqlab/pool"
	"irqlab/sync"
	"irqlab/sync/spin"
	"irqlab/tests/kit"
)

func init() {
	for name, stop := range pagingStops {
		stops[name] = stop
	}
}

var pagingStops = map[string]func(){
	"paging-raised":   func() { p := pagedOut(); irql.Raise(irql.Dispatch); read(p, 0) },
	"paging-written":  func() { p := pagedOut(); irql.Raise(irql.Dispatch); write(p, 0) },
	"paging-verified": func() { p := pagedBlock(); irql.Raise(irql.Dispatch); read(p, 0) },
	"paging-lock":     func() { p := pagedOut(); alloc[spin.Lock]().Acquire(); read(p, 0) },
	"paging-kernel":   func() { pagedOut(); signal() },
	"paging-isr": func() {
		subject = pagedOut()
		connect(func(*intr.Interrupt, unsafe.Pointer) bool { read(subject, 0); return true })
		kit.Interrupt(6)
	},
	"paging-dpc": func() {
		p := pagedOut()
		inDPC(func() { read(p, 0) })
	},
	"paging-freed":      func() { p := pagedBlock(); pool.Free(p, kit.Tag); read(p, 0) },
	"paging-unknown":    func() { write(pagedBlock(), 1<<22) },
	"pool-freed":        func() { p := unsafe.Pointer(alloc[[3 * arch.PageSize]byte]()); pool.Free(p, kit.Tag); write(p, 0) },
	"paging-alloc-high": func() { irql.Raise(irql.Dispatch); pool.AllocPaged(16, kit.Tag) },
	"paging-free-high":  func() { p := pagedBlock(); irql.Raise(irql.Dispatch); pool.Free(p, kit.Tag) },
	"paging-zero-bytes": func() { pool.AllocPaged(0, kit.Tag) },
	"paging-wrong-tag":  func() { pool.Free(pagedOut(), kit.Tag+1) },
	"paging-twice": func() {
		p := pool.AllocPaged(40, kit.Tag)
		pool.Free(p, kit.Tag)
		paging.PageOut()
		pool.Free(p, kit.Tag)
	},
	"paging-overrun": func() {
		p := pool.AllocPaged(40, kit.Tag)
		write(p, 40)
		paging.PageOut()
		pool.Free(p, kit.Tag)
	},
	"paging-unlocked": func() {
		p := pagedBlock()
		paging.Lock(uintptr(p), 1)
		paging.Unlock(uintptr(p), 1)
		paging.Unlock(uintptr(p), 1)
	},
	"paging-contiguous": func() { paging.FreeContiguous(pagedBlock()) },
	"paging-event":      func() { (*sync.Event)(pagedBlock()).InitNotification(false) },
}

// pagedBlock is a page of paged pool that is present.
func pagedBlock() unsafe.Pointer {
	p := pool.AllocPaged(arch.PageSize, kit.Tag)
	write(p, 0)
	subject = p
	return p
}

// pagedOut is a page of paged pool that is away.
func pagedOut() unsafe.Pointer {
	p := pagedBlock()
	paging.PageOut()
	return p
}

// signal has the kernel touch what is no object in resident memory.
func signal() {
	kit.Kernel(func() { kernel.SignalHeader((*kernel.Header)(subject), 0) })
}
