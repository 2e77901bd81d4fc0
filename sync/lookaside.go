package sync

import (
	"math"
	"sync/atomic"
	"unsafe"

	"irqlab/kernel"
	"irqlab/list"
	"irqlab/ntstatus"
	"irqlab/pool"
)

// Lookaside is a GENERAL_LOOKASIDE_POOL (96 bytes), what NPAGED_LOOKASIDE_LIST,
// PAGED_LOOKASIDE_LIST and LOOKASIDE_LIST_EX are: a stock of blocks of one size
// that were freed and are kept for the next allocation, which then is a pop from
// a list instead of a search of the pool.
//
// Documentation: "Using Lookaside Lists".
type Lookaside struct {
	List           list.SList
	Depth          uint16 // most blocks to keep
	MaximumDepth   uint16
	TotalAllocates uint32
	AllocateMisses uint32 // allocations that the pool had to serve
	TotalFrees     uint32
	FreeMisses     uint32 // frees that went back to the pool
	Type           uint32
	Tag            pool.Tag
	Size           uint32
	Allocate, Free uintptr // func values of the owner, or 0: the pool's
	Entry          list.Entry
	paged          stock // blocks that are kept, of paged pool
}

// AllocateRoutine and FreeRoutine take the place of the pool.
//
// IRQL: <= DISPATCH_LEVEL
type (
	AllocateRoutine func(poolType uint32, size uintptr, tag pool.Tag, l *Lookaside) unsafe.Pointer
	FreeRoutine     func(p unsafe.Pointer, l *Lookaside)
)

// lookasideDepth is how many blocks a list keeps. Windows begins with 4 and adapts
// the number to the load, up to 256.
const (
	lookasideDepth   = 32
	lookasideMaximum = 256
)

// Flags of Init: what to do if there is no memory.
const (
	lookasideRaise = 1 // EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL
	lookasideFail  = 2 // EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE
)

// Init makes l an empty list of blocks of size bytes, at least a pointer's, with
// a pool tag (ExInitializeLookasideListEx). Routines that are nil are the
// pool's; others are top-level functions, or something that the garbage
// collector sees refers to them.
//
// It returns STATUS_INVALID_PARAMETER_5 for flags that don't exist or go
// together.
//
// IRQL: <= DISPATCH_LEVEL
func (l *Lookaside) Init(allocate AllocateRoutine, free FreeRoutine, poolType, flags uint32, size uintptr, tag pool.Tag) ntstatus.Status {
	checkResident(unsafe.Pointer(l), unsafe.Sizeof(*l))
	if flags > lookasideFail {
		return ntstatus.InvalidParameter5
	}
	if flags == lookasideRaise {
		poolType |= lookasideRaises
	}
	*l = Lookaside{Depth: lookasideDepth, MaximumDepth: lookasideMaximum, Type: poolType, Tag: tag}
	l.Size = uint32(min(max(size, unsafe.Sizeof(kept{})), math.MaxUint32))
	l.Allocate = *(*uintptr)(unsafe.Pointer(&allocate))
	l.Free = *(*uintptr)(unsafe.Pointer(&free))
	l.Entry.Init()
	return ntstatus.Success
}

// Initialized reports whether l looks as Init leaves it.
//
// IRQL: any
func (l *Lookaside) Initialized() bool {
	return l.MaximumDepth == lookasideMaximum && l.Entry.Flink == &l.Entry
}

// Get returns a block, or nil if there is no memory
// (ExAllocateFromLookasideListEx). It is not cleared. If the list was made so, a
// lack of memory raises STATUS_INSUFFICIENT_RESOURCES instead.
//
// IRQL: <= DISPATCH_LEVEL
func (l *Lookaside) Get() unsafe.Pointer {
	atomic.AddUint32(&l.TotalAllocates, 1)
	if e := l.pop(); e != nil {
		return e
	}
	atomic.AddUint32(&l.AllocateMisses, 1)
	p := l.allocate()
	if p == nil && l.Type&lookasideRaises != 0 {
		kernel.RaiseStatus(ntstatus.NoResources)
	}
	return p
}

func (l *Lookaside) allocate() unsafe.Pointer {
	if l.Allocate != 0 {
		return (*(*AllocateRoutine)(unsafe.Pointer(&l.Allocate)))(l.Type, uintptr(l.Size), l.Tag, l)
	}
	if l.Type&lookasidePaged != 0 {
		return pool.AllocPagedUninitialized(uintptr(l.Size), l.Tag)
	}
	return pool.AllocUninitialized(uintptr(l.Size), l.Tag)
}

// Put takes a block back (ExFreeToLookasideListEx).
//
// IRQL: <= DISPATCH_LEVEL
func (l *Lookaside) Put(p unsafe.Pointer) {
	atomic.AddUint32(&l.TotalFrees, 1)
	if l.push(p) {
		return
	}
	atomic.AddUint32(&l.FreeMisses, 1)
	l.release(p)
}

func (l *Lookaside) release(p unsafe.Pointer) {
	if l.Free != 0 {
		(*(*FreeRoutine)(unsafe.Pointer(&l.Free)))(p, l)
		return
	}
	pool.Free(p, l.Tag)
}

// Flush gives the blocks that are kept back to the pool (ExFlushLookasideListEx,
// ExDeleteLookasideListEx).
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for paged pool
func (l *Lookaside) Flush() {
	for p := l.pop(); p != nil; p = l.pop() {
		l.release(p)
	}
}

func (l *Lookaside) pop() unsafe.Pointer {
	if l.Type&lookasidePaged != 0 {
		return l.paged.take()
	}
	return unsafe.Pointer(l.List.Pop())
}

func (l *Lookaside) push(p unsafe.Pointer) bool {
	if l.Type&lookasidePaged != 0 {
		return l.paged.put(p, l.Depth)
	}
	if l.List.Depth() >= l.Depth {
		return false
	}
	l.List.Push((*list.Single)(p))
	return true
}

// Bits of Type (POOL_TYPE): paged pool, and POOL_RAISE_IF_ALLOCATION_FAILURE.
const (
	lookasidePaged  = 1
	lookasideRaises = 16
)

// stock is a list of blocks of paged pool. An SList would touch them with
// interrupts disabled, when a page that is away cannot come back.
type stock struct {
	lock  PushLock
	first uintptr // address of the first block; each begins with the next one's
}

func (s *stock) take() unsafe.Pointer {
	a := kernel.Args{P: unsafe.Pointer(s)}
	kernel.EnterBlocking(takeFromStock, &a)
	return unsafe.Pointer(a.R)
}

func (s *stock) put(p unsafe.Pointer, depth uint16) bool {
	a := kernel.Args{P: unsafe.Pointer(s), Q: p, A: uintptr(depth)}
	kernel.EnterBlocking(putInStock, &a)
	return a.R != 0
}

// kept is the head of a block in stock.
type kept struct {
	next  uintptr
	count uintptr // of blocks, this one included
}

func takeFromStock(a *kernel.Args) {
	s := (*stock)(a.P)
	kernel.EnterCriticalRegion()
	s.lock.AcquireExclusive()
	a.R = s.first
	if a.R != 0 {
		s.first = (*kept)(unsafe.Pointer(a.R)).next
	}
	s.lock.ReleaseExclusive()
	kernel.LeaveCriticalRegion()
}

func putInStock(a *kernel.Args) {
	s, b := (*stock)(a.P), (*kept)(a.Q)
	kernel.EnterCriticalRegion()
	s.lock.AcquireExclusive()
	*b = kept{next: s.first, count: 1}
	if s.first != 0 {
		b.count += (*kept)(unsafe.Pointer(s.first)).count
	}
	if b.count <= a.A {
		s.first = uintptr(a.Q)
		a.R = 1
	}
	s.lock.ReleaseExclusive()
	kernel.LeaveCriticalRegion()
}
