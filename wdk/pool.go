package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/pool"
)

// POOL_FLAGS are the flags of ExAllocatePool2.
type POOL_FLAGS uint64

const (
	POOL_FLAG_UNINITIALIZED    POOL_FLAGS = 0x02
	POOL_FLAG_RAISE_ON_FAILURE POOL_FLAGS = 0x20
	POOL_FLAG_NON_PAGED        POOL_FLAGS = 0x40
	POOL_FLAG_PAGED            POOL_FLAGS = 0x100
)

// POOL_TYPE is the kind of memory asked of ExAllocatePoolWithTag. There is no
// paged pool: all of it is nonpaged and no-execute.
type POOL_TYPE int32

const (
	NonPagedPool   POOL_TYPE = 0
	PagedPool      POOL_TYPE = 1
	NonPagedPoolNx POOL_TYPE = 512
)

// Tag returns the pool tag of up to four characters ('abcd' in C).
//
// IRQL: any
func Tag(s string) ULONG { return ULONG(pool.TagOf(s)) }

// New returns a cleared T in nonpaged pool, or nil if there is no memory. T holds
// no pointers to the Go heap: the garbage collector would not see them.
//
// IRQL: <= DISPATCH_LEVEL
func New[T any](tag ULONG) *T {
	var t T
	return (*T)(ExAllocatePool2(POOL_FLAG_NON_PAGED, unsafe.Sizeof(t), tag))
}

// ExAllocatePool2 returns memory, cleared unless POOL_FLAG_UNINITIALIZED is
// given, or nil if there is none. With POOL_FLAG_RAISE_ON_FAILURE it raises
// STATUS_INSUFFICIENT_RESOURCES instead. Flags without a kind of pool, a size
// and a tag of zero fail.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL with POOL_FLAG_PAGED
func ExAllocatePool2(Flags POOL_FLAGS, NumberOfBytes SIZE_T, Tag ULONG) PVOID {
	atMost(levelFor(Flags&POOL_FLAG_PAGED != 0))
	var p PVOID
	switch {
	case Flags&(POOL_FLAG_NON_PAGED|POOL_FLAG_PAGED) == 0 || NumberOfBytes == 0 || Tag == 0:
	case Flags&POOL_FLAG_UNINITIALIZED != 0:
		p = pool.AllocUninitialized(NumberOfBytes, pool.Tag(Tag))
	default:
		p = pool.Alloc(NumberOfBytes, pool.Tag(Tag))
	}
	if p == nil && Flags&POOL_FLAG_RAISE_ON_FAILURE != 0 {
		ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES)
	}
	return p
}

// ExAllocatePoolWithTag returns memory that is not cleared, or nil if there is
// none.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
func ExAllocatePoolWithTag(PoolType POOL_TYPE, NumberOfBytes SIZE_T, Tag ULONG) PVOID {
	atMost(levelFor(PoolType&1 != 0))
	return pool.AllocUninitialized(NumberOfBytes, pool.Tag(Tag))
}

func levelFor(paged bool) KIRQL {
	if paged {
		return irql.APC
	}
	return irql.Dispatch
}

// ExFreePoolWithTag gives memory back. A tag that is not the block's, a block
// that is not allocated, and a kernel object in it that is still in use are bug
// checks.
//
// IRQL: <= DISPATCH_LEVEL
func ExFreePoolWithTag(P PVOID, Tag ULONG) { pool.Free(P, pool.Tag(Tag)) }

// ExFreePool gives memory back.
//
// IRQL: <= DISPATCH_LEVEL
func ExFreePool(P PVOID) { pool.Free(P, 0) }
