package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/pool"
)

// POOL_FLAGS are the flags of ExAllocatePool2 and ExAllocatePool3. With and without
// the flags that ask for more, memory is aligned to 16 bytes, or to a page from a
// page's size on, and charged to nobody; alignment to a cache line is a wish that
// Windows need not grant either. Optional flags mean nothing: kernel option special
// chooses what is special pool.
type POOL_FLAGS uint64

const (
	POOL_FLAG_USE_QUOTA         POOL_FLAGS = 0x01
	POOL_FLAG_UNINITIALIZED     POOL_FLAGS = 0x02
	POOL_FLAG_SESSION           POOL_FLAGS = 0x04
	POOL_FLAG_CACHE_ALIGNED     POOL_FLAGS = 0x08
	POOL_FLAG_RAISE_ON_FAILURE  POOL_FLAGS = 0x20
	POOL_FLAG_NON_PAGED         POOL_FLAGS = 0x40
	POOL_FLAG_NON_PAGED_EXECUTE POOL_FLAGS = 0x80
	POOL_FLAG_PAGED             POOL_FLAGS = 0x100
	POOL_FLAG_REQUIRED_START    POOL_FLAGS = 0x01
	POOL_FLAG_REQUIRED_END      POOL_FLAGS = 0x8000_0000
	POOL_FLAG_OPTIONAL_START    POOL_FLAGS = 0x1_0000_0000
	POOL_FLAG_SPECIAL_POOL      POOL_FLAGS = 0x1_0000_0000
	POOL_FLAG_OPTIONAL_END      POOL_FLAGS = 0x8000_0000_0000_0000
	poolKinds                              = POOL_FLAG_NON_PAGED | POOL_FLAG_PAGED
	poolKnown                              = poolKinds | POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED | POOL_FLAG_CACHE_ALIGNED | POOL_FLAG_RAISE_ON_FAILURE
	poolRequired                           = POOL_FLAG_REQUIRED_END<<1 - 1
)

// POOL_EXTENDED_PARAMETER asks something more of ExAllocatePool3: an
// EX_POOL_PRIORITY, or a NUMA node.
type POOL_EXTENDED_PARAMETER struct {
	Type     uint8 // POOL_EXTENDED_PARAMETER_TYPE
	Optional bool  // a type that is not known may be ignored
	_        [6]byte
	Value    uint64
}

// Types of POOL_EXTENDED_PARAMETER. Secure pool is out of scope: there is no
// hypervisor to keep it from the kernel.
const (
	PoolExtendedParameterInvalidType uint8 = 0
	PoolExtendedParameterPriority    uint8 = 1
	PoolExtendedParameterSecurePool  uint8 = 2
	PoolExtendedParameterNumaNode    uint8 = 3
)

// anyNode is the node of a caller that leaves it to the system (MM_ANY_NODE_OK).
const anyNode = 0x8000_0000

// granted reports whether the parameter asks for what there is: any priority, and
// the one node.
func (p *POOL_EXTENDED_PARAMETER) granted() bool {
	switch p.Type {
	case PoolExtendedParameterPriority:
		return true
	case PoolExtendedParameterNumaNode:
		return p.Value&^anyNode == 0
	}
	return false
}

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
// STATUS_INSUFFICIENT_RESOURCES instead. Flags that name no kind of pool or two,
// required flags that are not known, a size and a tag of zero fail. Executable
// pool does not exist.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL with POOL_FLAG_PAGED
//
// Documentation: "ExAllocatePool2 function (wdm.h)"
func ExAllocatePool2(Flags POOL_FLAGS, NumberOfBytes SIZE_T, Tag ULONG) PVOID {
	return ExAllocatePool3(Flags, NumberOfBytes, Tag, nil)
}

// ExAllocatePool3 is ExAllocatePool2 with parameters of its own: a priority, which
// means nothing here, and a NUMA node, of which there is one, 0. It fails for others
// that are not optional.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL with POOL_FLAG_PAGED
//
// Documentation: "ExAllocatePool3 function (wdm.h)"
func ExAllocatePool3(Flags POOL_FLAGS, NumberOfBytes SIZE_T, Tag ULONG, ExtendedParameters []POOL_EXTENDED_PARAMETER) PVOID {
	paged := Flags&POOL_FLAG_PAGED != 0
	atMost(levelFor(paged))
	kind := Flags & poolKinds
	ok := kind != 0 && kind != poolKinds && Flags&poolRequired&^poolKnown == 0 && NumberOfBytes != 0 && Tag != 0
	for i := range ExtendedParameters {
		p := &ExtendedParameters[i]
		ok = ok && (p.granted() || p.Optional)
	}
	var p PVOID
	if ok {
		p = allocate(paged, Flags&POOL_FLAG_UNINITIALIZED == 0, NumberOfBytes, Tag)
	}
	if p == nil && Flags&POOL_FLAG_RAISE_ON_FAILURE != 0 {
		ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES)
	}
	return p
}

// allocate returns memory of either kind.
func allocate(paged, zeroed bool, n SIZE_T, tag ULONG) PVOID {
	switch {
	case paged && zeroed:
		return pool.AllocPaged(n, pool.Tag(tag))
	case paged:
		return pool.AllocPagedUninitialized(n, pool.Tag(tag))
	case zeroed:
		return pool.Alloc(n, pool.Tag(tag))
	}
	return pool.AllocUninitialized(n, pool.Tag(tag))
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
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for paged memory
//
// Documentation: "ExFreePoolWithTag function (wdm.h)"
func ExFreePoolWithTag(P PVOID, Tag ULONG) { pool.Free(P, pool.Tag(Tag)) }

// ExFreePool gives memory back.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for paged memory
//
// Documentation: "ExFreePool function (wdm.h)"
func ExFreePool(P PVOID) { pool.Free(P, 0) }

// ExFreePool2 gives memory back that any of the routines allocated. There are no
// parameters that it knows.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for paged memory
//
// Documentation: "ExFreePool2 function (wdm.h)"
func ExFreePool2(P PVOID, Tag ULONG, ExtendedParameters []POOL_EXTENDED_PARAMETER) {
	pool.Free(P, pool.Tag(Tag))
}
