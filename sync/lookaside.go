package sync

import (
	"sync/atomic"
	"unsafe"

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
	_              [4]uint32
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
	lookasideNoTry = 2 // EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE
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
	if flags > lookasideNoTry {
		return ntstatus.InvalidParameter5
	}
	*l = Lookaside{Depth: lookasideDepth, MaximumDepth: lookasideMaximum, Type: poolType, Tag: tag}
	l.Size = uint32(max(size, unsafe.Sizeof(list.Single{})))
	l.Allocate = *(*uintptr)(unsafe.Pointer(&allocate))
	l.Free = *(*uintptr)(unsafe.Pointer(&free))
	l.Entry.Init()
	return ntstatus.Success
}

// Get returns a block, or nil if there is no memory
// (ExAllocateFromLookasideListEx). It is not cleared.
//
// IRQL: <= DISPATCH_LEVEL
func (l *Lookaside) Get() unsafe.Pointer {
	atomic.AddUint32(&l.TotalAllocates, 1)
	if e := l.List.Pop(); e != nil {
		return unsafe.Pointer(e)
	}
	atomic.AddUint32(&l.AllocateMisses, 1)
	if l.Allocate != 0 {
		return (*(*AllocateRoutine)(unsafe.Pointer(&l.Allocate)))(l.Type, uintptr(l.Size), l.Tag, l)
	}
	return pool.AllocUninitialized(uintptr(l.Size), l.Tag)
}

// Put takes a block back (ExFreeToLookasideListEx).
//
// IRQL: <= DISPATCH_LEVEL
func (l *Lookaside) Put(p unsafe.Pointer) {
	atomic.AddUint32(&l.TotalFrees, 1)
	if l.List.Depth() < l.Depth {
		l.List.Push((*list.Single)(p))
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
// IRQL: <= DISPATCH_LEVEL
func (l *Lookaside) Flush() {
	for e := l.List.Flush(); e != nil; {
		next := e.Next
		l.release(unsafe.Pointer(e))
		e = next
	}
}
