package levels

import (
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() { add(poolProbes); add(pagedProbes); add(mdlProbes) }

const tag = ULONG(kit.Tag)

// size is that of what is allocated.
const size = 64

// allocates probes an allocation.
func allocates(alloc func() PVOID) func(c *caller) {
	return func(c *caller) {
		var p PVOID
		if c.at(func() { p = alloc() }) {
			c.want(p != nil, "no memory")
			ExFreePool(p)
		}
	}
}

// frees probes a release of memory.
func frees(kind POOL_FLAGS, free func(p PVOID)) func(c *caller) {
	return func(c *caller) {
		p := ExAllocatePool2(kind, size, tag)
		if !c.at(func() { free(p) }) {
			free(p)
		}
	}
}

// freedTooHigh is the pool's stop for a release at a wrong level, which has its
// own code: BAD_POOL_CALLER, 9.
func freedTooHigh(irql.Level) stop { return stop{bugcheck.BadPoolCaller, 9} }

func freePool2(p PVOID) { ExFreePool2(p, tag, nil) }

func freeWithTag(p PVOID) { ExFreePoolWithTag(p, tag) }

var poolProbes = map[string]probe{
	"ExAllocatePool":                {call: allocates(func() PVOID { return ExAllocatePool(NonPagedPoolNx, size) })},
	"ExAllocatePoolWithTag":         {call: allocates(func() PVOID { return ExAllocatePoolWithTag(NonPagedPoolNx, size, tag) })},
	"ExAllocatePoolZero":            {call: allocates(func() PVOID { return ExAllocatePoolZero(NonPagedPoolNx, size, tag) })},
	"ExAllocatePoolUninitialized":   {call: allocates(func() PVOID { return ExAllocatePoolUninitialized(NonPagedPoolNx, size, tag) })},
	"ExAllocatePoolWithTagPriority": {call: allocates(func() PVOID { return ExAllocatePoolWithTagPriority(NonPagedPoolNx, size, tag, NormalPoolPriority) })},
	"ExAllocatePoolPriorityZero":    {call: allocates(func() PVOID { return ExAllocatePoolPriorityZero(NonPagedPoolNx, size, tag, NormalPoolPriority) })},
	"ExAllocatePoolPriorityUninitialized": {call: allocates(func() PVOID {
		return ExAllocatePoolPriorityUninitialized(NonPagedPoolNx, size, tag, NormalPoolPriority)
	})},
	"ExAllocatePoolWithQuota":          {call: allocates(func() PVOID { return ExAllocatePoolWithQuota(NonPagedPoolNx, size) })},
	"ExAllocatePoolWithQuotaTag":       {call: allocates(func() PVOID { return ExAllocatePoolWithQuotaTag(NonPagedPoolNx, size, tag) })},
	"ExAllocatePoolQuotaZero":          {call: allocates(func() PVOID { return ExAllocatePoolQuotaZero(NonPagedPoolNx, size, tag) })},
	"ExAllocatePoolQuotaUninitialized": {call: allocates(func() PVOID { return ExAllocatePoolQuotaUninitialized(NonPagedPoolNx, size, tag) })},
	"ExAllocatePool2":                  {call: allocates(func() PVOID { return ExAllocatePool2(POOL_FLAG_NON_PAGED, size, tag) })},
	"ExAllocatePool3":                  {call: allocates(func() PVOID { return ExAllocatePool3(POOL_FLAG_NON_PAGED, size, tag, nil) })},
	"ExFreePoolWithTag":                {stop: freedTooHigh, call: frees(POOL_FLAG_NON_PAGED, freeWithTag)},
	"ExFreePool":                       {stop: freedTooHigh, call: frees(POOL_FLAG_NON_PAGED, ExFreePool)},
	"ExFreePool2":                      {stop: freedTooHigh, call: frees(POOL_FLAG_NON_PAGED, freePool2)},
}

// pagedProbes are those of paged pool, which is out of reach at DISPATCH_LEVEL.
var pagedProbes = map[string]probe{
	"ExAllocatePool Paged":                      {levels: atMostAPC, call: allocates(func() PVOID { return ExAllocatePool(PagedPool, size) })},
	"ExAllocatePoolWithTag Paged":               {levels: atMostAPC, call: allocates(func() PVOID { return ExAllocatePoolWithTag(PagedPool, size, tag) })},
	"ExAllocatePoolZero Paged":                  {levels: atMostAPC, call: allocates(func() PVOID { return ExAllocatePoolZero(PagedPool, size, tag) })},
	"ExAllocatePoolUninitialized Paged":         {levels: atMostAPC, call: allocates(func() PVOID { return ExAllocatePoolUninitialized(PagedPool, size, tag) })},
	"ExAllocatePoolWithTagPriority Paged":       {levels: atMostAPC, call: allocates(func() PVOID { return ExAllocatePoolWithTagPriority(PagedPool, size, tag, NormalPoolPriority) })},
	"ExAllocatePoolPriorityZero Paged":          {levels: atMostAPC, call: allocates(func() PVOID { return ExAllocatePoolPriorityZero(PagedPool, size, tag, NormalPoolPriority) })},
	"ExAllocatePoolPriorityUninitialized Paged": {levels: atMostAPC, call: allocates(func() PVOID { return ExAllocatePoolPriorityUninitialized(PagedPool, size, tag, NormalPoolPriority) })},
	"ExAllocatePoolWithQuota Paged":             {levels: atMostAPC, call: allocates(func() PVOID { return ExAllocatePoolWithQuota(PagedPool, size) })},
	"ExAllocatePoolWithQuotaTag Paged":          {levels: atMostAPC, call: allocates(func() PVOID { return ExAllocatePoolWithQuotaTag(PagedPool, size, tag) })},
	"ExAllocatePoolQuotaZero Paged":             {levels: atMostAPC, call: allocates(func() PVOID { return ExAllocatePoolQuotaZero(PagedPool, size, tag) })},
	"ExAllocatePoolQuotaUninitialized Paged":    {levels: atMostAPC, call: allocates(func() PVOID { return ExAllocatePoolQuotaUninitialized(PagedPool, size, tag) })},
	"ExAllocatePool2 Paged":                     {levels: atMostAPC, call: allocates(func() PVOID { return ExAllocatePool2(POOL_FLAG_PAGED, size, tag) })},
	"ExAllocatePool3 Paged":                     {levels: atMostAPC, call: allocates(func() PVOID { return ExAllocatePool3(POOL_FLAG_PAGED, size, tag, nil) })},
	"ExFreePoolWithTag Paged":                   {levels: atMostAPC, stop: freedTooHigh, call: frees(POOL_FLAG_PAGED, freeWithTag)},
	"ExFreePool Paged":                          {levels: atMostAPC, stop: freedTooHigh, call: frees(POOL_FLAG_PAGED, ExFreePool)},
	"ExFreePool2 Paged":                         {levels: atMostAPC, stop: freedTooHigh, call: frees(POOL_FLAG_PAGED, freePool2)},
}

// mdl returns an MDL of memory of a kind, for as long as the call.
func mdl(c *caller, kind POOL_FLAGS) PMDL {
	p := ExAllocatePool2(kind, size, tag)
	m := IoAllocateMdl(p, ULONG(size), false, false, nil)
	if p == nil || m == nil {
		c.Fatal("no memory")
	}
	c.Cleanup(func() {
		IoFreeMdl(m)
		ExFreePool(p)
	})
	return m
}

// locks probes MmProbeAndLockPages with memory of a kind.
func locks(kind POOL_FLAGS) func(c *caller) {
	return func(c *caller) {
		m := mdl(c, kind)
		if c.at(func() { MmProbeAndLockPages(m, KernelMode, IoWriteAccess) }) {
			MmUnlockPages(m)
		}
	}
}

var mdlProbes = map[string]probe{
	"IoAllocateMdl": {call: func(c *caller) {
		var m PMDL
		if c.at(func() { m = IoAllocateMdl(PVOID(&room), ULONG(len(room)), false, false, nil) }) {
			c.want(m != nil, "no memory")
			IoFreeMdl(m)
		}
	}},
	"IoFreeMdl": {call: func(c *caller) {
		m := IoAllocateMdl(PVOID(&room), ULONG(len(room)), false, false, nil)
		if !c.at(func() { IoFreeMdl(m) }) {
			IoFreeMdl(m)
		}
	}},
	"MmProbeAndLockPages":       {call: locks(POOL_FLAG_NON_PAGED)},
	"MmProbeAndLockPages Paged": {levels: atMostAPC, call: locks(POOL_FLAG_PAGED)},
	"MmUnlockPages": {call: func(c *caller) {
		m := mdl(c, POOL_FLAG_PAGED)
		MmProbeAndLockPages(m, KernelMode, IoWriteAccess)
		if !c.at(func() { MmUnlockPages(m) }) {
			MmUnlockPages(m)
		}
	}},
	"MmBuildMdlForNonPagedPool": {call: func(c *caller) {
		m := mdl(c, POOL_FLAG_NON_PAGED)
		c.at(func() { MmBuildMdlForNonPagedPool(m) })
	}},
	"MmMapLockedPagesSpecifyCache": {call: func(c *caller) {
		m := mdl(c, POOL_FLAG_PAGED)
		MmProbeAndLockPages(m, KernelMode, IoWriteAccess)
		var p PVOID
		if c.at(func() { p = MmMapLockedPagesSpecifyCache(m, KernelMode, MmCached, nil, 0, 0) }) {
			MmUnmapLockedPages(p, m)
		}
		MmUnlockPages(m)
	}},
	"MmIsAddressValid": {call: func(c *caller) {
		p, ok := kit.New[[64]byte](c), false
		if c.at(func() { ok = MmIsAddressValid(PVOID(p)) }) {
			c.want(ok, "not valid")
		}
	}},
	"MmGetPhysicalAddress": {call: func(c *caller) {
		p, at := kit.New[[64]byte](c), PHYSICAL_ADDRESS(0)
		c.at(func() { at = MmGetPhysicalAddress(PVOID(p)) })
		c.want(at != 0, "no address")
	}},
	"MmAllocateContiguousMemory": {call: func(c *caller) {
		var p PVOID
		if c.at(func() { p = MmAllocateContiguousMemory(size, ^PHYSICAL_ADDRESS(0)) }) {
			c.want(p != nil, "no memory")
			MmFreeContiguousMemory(p)
		}
	}},
	"MmFreeContiguousMemory": {call: func(c *caller) {
		p := MmAllocateContiguousMemory(size, ^PHYSICAL_ADDRESS(0))
		if !c.at(func() { MmFreeContiguousMemory(p) }) {
			MmFreeContiguousMemory(p)
		}
	}},
}
