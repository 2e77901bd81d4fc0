package wdk

// POOL_TYPE is the kind of memory asked of the older routines; bit 0 makes it
// paged. All pool is aligned to 16 bytes and no-execute.
type POOL_TYPE int32

const (
	NonPagedPool                     POOL_TYPE = 0
	NonPagedPoolExecute              POOL_TYPE = 0
	PagedPool                        POOL_TYPE = 1
	NonPagedPoolMustSucceed          POOL_TYPE = 2
	NonPagedPoolCacheAligned         POOL_TYPE = 4
	PagedPoolCacheAligned            POOL_TYPE = 5
	NonPagedPoolNx                   POOL_TYPE = 512
	NonPagedPoolNxCacheAligned       POOL_TYPE = 516
	POOL_QUOTA_FAIL_INSTEAD_OF_RAISE           = 8
	POOL_RAISE_IF_ALLOCATION_FAILURE           = 16
	POOL_COLD_ALLOCATION                       = 256
	POOL_NX_ALLOCATION                         = 512
	POOL_ZERO_ALLOCATION                       = 1024
)

// EX_POOL_PRIORITY says how important an allocation is, which means nothing here.
type EX_POOL_PRIORITY int32

const (
	LowPoolPriority    EX_POOL_PRIORITY = 0
	NormalPoolPriority EX_POOL_PRIORITY = 16
	HighPoolPriority   EX_POOL_PRIORITY = 32
)

func (t POOL_TYPE) paged() bool { return t&1 != 0 }

// allocate returns memory of the type. Failure is nil, or an exception if the
// type or the routine says so.
func (t POOL_TYPE) allocate(zeroed, raise bool, n SIZE_T, tag ULONG) PVOID {
	atMost(levelFor(t.paged()))
	p := allocate(t.paged(), zeroed || t&POOL_ZERO_ALLOCATION != 0, n, tag)
	if p == nil && (raise || t&POOL_RAISE_IF_ALLOCATION_FAILURE != 0) {
		ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES)
	}
	return p
}

// noTag is the tag of ExAllocatePool, as on Windows.
var noTag = Tag("None")

// ExAllocatePool returns memory that is not cleared, or nil if there is none.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExAllocatePool function (wdm.h)"
func ExAllocatePool(PoolType POOL_TYPE, NumberOfBytes SIZE_T) PVOID {
	return PoolType.allocate(false, false, NumberOfBytes, noTag)
}

// ExAllocatePoolWithTag returns memory that is not cleared, or nil if there is
// none.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExAllocatePoolWithTag function (wdm.h)"
func ExAllocatePoolWithTag(PoolType POOL_TYPE, NumberOfBytes SIZE_T, Tag ULONG) PVOID {
	return PoolType.allocate(false, false, NumberOfBytes, Tag)
}

// ExAllocatePoolZero is ExAllocatePoolWithTag of memory that is cleared.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExAllocatePoolZero function (wdm.h)"
func ExAllocatePoolZero(PoolType POOL_TYPE, NumberOfBytes SIZE_T, Tag ULONG) PVOID {
	return PoolType.allocate(true, false, NumberOfBytes, Tag)
}

// ExAllocatePoolUninitialized is ExAllocatePoolWithTag by a name that says so.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExAllocatePoolUninitialized function (wdm.h)"
func ExAllocatePoolUninitialized(PoolType POOL_TYPE, NumberOfBytes SIZE_T, Tag ULONG) PVOID {
	return PoolType.allocate(false, false, NumberOfBytes, Tag)
}

// ExAllocatePoolWithTagPriority is ExAllocatePoolWithTag.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExAllocatePoolWithTagPriority function (wdm.h)"
func ExAllocatePoolWithTagPriority(PoolType POOL_TYPE, NumberOfBytes SIZE_T, Tag ULONG, Priority EX_POOL_PRIORITY) PVOID {
	return PoolType.allocate(false, false, NumberOfBytes, Tag)
}

// ExAllocatePoolPriorityZero is ExAllocatePoolZero.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExAllocatePoolPriorityZero function (wdm.h)"
func ExAllocatePoolPriorityZero(PoolType POOL_TYPE, NumberOfBytes SIZE_T, Tag ULONG, Priority EX_POOL_PRIORITY) PVOID {
	return PoolType.allocate(true, false, NumberOfBytes, Tag)
}

// ExAllocatePoolPriorityUninitialized is ExAllocatePoolUninitialized.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExAllocatePoolPriorityUninitialized function (wdm.h)"
func ExAllocatePoolPriorityUninitialized(PoolType POOL_TYPE, NumberOfBytes SIZE_T, Tag ULONG, Priority EX_POOL_PRIORITY) PVOID {
	return PoolType.allocate(false, false, NumberOfBytes, Tag)
}

// raises reports whether the routines that charge a process's quota, of which
// there is none here, raise if there is no memory.
func (t POOL_TYPE) raises() bool { return t&POOL_QUOTA_FAIL_INSTEAD_OF_RAISE == 0 }

// ExAllocatePoolWithQuota is ExAllocatePool that raises
// STATUS_INSUFFICIENT_RESOURCES instead of returning nil, unless the type has
// POOL_QUOTA_FAIL_INSTEAD_OF_RAISE.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExAllocatePoolWithQuota function (wdm.h)"
func ExAllocatePoolWithQuota(PoolType POOL_TYPE, NumberOfBytes SIZE_T) PVOID {
	return PoolType.allocate(false, PoolType.raises(), NumberOfBytes, noTag)
}

// ExAllocatePoolWithQuotaTag is ExAllocatePoolWithQuota with a tag.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExAllocatePoolWithQuotaTag function (wdm.h)"
func ExAllocatePoolWithQuotaTag(PoolType POOL_TYPE, NumberOfBytes SIZE_T, Tag ULONG) PVOID {
	return PoolType.allocate(false, PoolType.raises(), NumberOfBytes, Tag)
}

// ExAllocatePoolQuotaZero is ExAllocatePoolWithQuotaTag of memory that is cleared.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExAllocatePoolQuotaZero function (wdm.h)"
func ExAllocatePoolQuotaZero(PoolType POOL_TYPE, NumberOfBytes SIZE_T, Tag ULONG) PVOID {
	return PoolType.allocate(true, PoolType.raises(), NumberOfBytes, Tag)
}

// ExAllocatePoolQuotaUninitialized is ExAllocatePoolWithQuotaTag by a name that
// says what it returns.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL for PagedPool
//
// Documentation: "ExAllocatePoolQuotaUninitialized function (wdm.h)"
func ExAllocatePoolQuotaUninitialized(PoolType POOL_TYPE, NumberOfBytes SIZE_T, Tag ULONG) PVOID {
	return PoolType.allocate(false, PoolType.raises(), NumberOfBytes, Tag)
}
