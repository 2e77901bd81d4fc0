package paging

import (
	"testing"
	"unsafe"

	"irqlab/mm"
	"irqlab/ntstatus"
	"irqlab/paging"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

var tag = Tag("Test")

// Every routine returns memory of the kind that it was asked for.
//
// rule: pool-alloc2-zeroed
func TestKinds(t *testing.T) {
	const paged, nonPaged = PagedPool, NonPagedPoolNx
	for name, a := range map[string]struct {
		call   func(POOL_TYPE, SIZE_T) PVOID
		zeroed bool
	}{
		"ExAllocatePool":                {ExAllocatePool, false},
		"ExAllocatePoolWithTag":         {func(p POOL_TYPE, n SIZE_T) PVOID { return ExAllocatePoolWithTag(p, n, tag) }, false},
		"ExAllocatePoolZero":            {func(p POOL_TYPE, n SIZE_T) PVOID { return ExAllocatePoolZero(p, n, tag) }, true},
		"ExAllocatePoolUninitialized":   {func(p POOL_TYPE, n SIZE_T) PVOID { return ExAllocatePoolUninitialized(p, n, tag) }, false},
		"ExAllocatePoolWithTagPriority": {func(p POOL_TYPE, n SIZE_T) PVOID { return ExAllocatePoolWithTagPriority(p, n, tag, LowPoolPriority) }, false},
		"ExAllocatePoolPriorityZero":    {func(p POOL_TYPE, n SIZE_T) PVOID { return ExAllocatePoolPriorityZero(p, n, tag, HighPoolPriority) }, true},
		"ExAllocatePoolPriorityUninitialized": {func(p POOL_TYPE, n SIZE_T) PVOID {
			return ExAllocatePoolPriorityUninitialized(p, n, tag, NormalPoolPriority)
		}, false},
		"ExAllocatePoolWithQuota":          {ExAllocatePoolWithQuota, false},
		"ExAllocatePoolWithQuotaTag":       {func(p POOL_TYPE, n SIZE_T) PVOID { return ExAllocatePoolWithQuotaTag(p, n, tag) }, false},
		"ExAllocatePoolQuotaZero":          {func(p POOL_TYPE, n SIZE_T) PVOID { return ExAllocatePoolQuotaZero(p, n, tag) }, true},
		"ExAllocatePoolQuotaUninitialized": {func(p POOL_TYPE, n SIZE_T) PVOID { return ExAllocatePoolQuotaUninitialized(p, n, tag) }, false},
		"ExAllocatePool2":                  {func(p POOL_TYPE, n SIZE_T) PVOID { return ExAllocatePool2(flags(p), n, tag) }, true},
		"ExAllocatePool2, uninitialized": {func(p POOL_TYPE, n SIZE_T) PVOID {
			return ExAllocatePool2(flags(p)|POOL_FLAG_UNINITIALIZED|POOL_FLAG_CACHE_ALIGNED, n, tag)
		}, false},
		"ExAllocatePool3": {func(p POOL_TYPE, n SIZE_T) PVOID {
			return ExAllocatePool3(flags(p), n, tag, []POOL_EXTENDED_PARAMETER{{Type: PoolExtendedParameterPriority}})
		}, true},
	} {
		for _, kind := range []POOL_TYPE{paged, nonPaged} {
			for _, n := range []SIZE_T{24, 5000} {
				p := a.call(kind, n)
				if p == nil {
					t.Fatalf("%s of type %d: no memory", name, kind)
				}
				if got := mm.InPaged(uintptr(p)); got != (kind == paged) {
					t.Errorf("%s of type %d: paged %v", name, kind, got)
				}
				b := unsafe.Slice((*byte)(p), n)
				if zero := b[0] == 0 && b[n-1] == 0; zero != a.zeroed {
					t.Errorf("%s of type %d: cleared %v", name, kind, zero)
				}
				ExFreePool2(p, 0, nil)
			}
		}
	}
}

func flags(p POOL_TYPE) POOL_FLAGS {
	if p == PagedPool {
		return POOL_FLAG_PAGED
	}
	return POOL_FLAG_NON_PAGED
}

// rule: pool-null-on-failure
// rule: pool-quota-raise
// rule: pool-tag-zero
func TestFailures(t *testing.T) {
	const tooMuch = 1 << 40
	for _, kind := range []POOL_TYPE{PagedPool, NonPagedPool} {
		if ExAllocatePoolWithTag(kind, tooMuch, tag) != nil || ExAllocatePoolZero(kind, tooMuch, tag) != nil ||
			ExAllocatePool2(flags(kind), tooMuch, tag) != nil ||
			ExAllocatePoolWithQuotaTag(kind|POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, tooMuch, tag) != nil {
			t.Error("a terabyte")
		}
		for name, call := range map[string]func(){
			"ExAllocatePoolWithQuotaTag": func() { ExAllocatePoolWithQuotaTag(kind, tooMuch, tag) },
			"ExAllocatePoolQuotaZero":    func() { ExAllocatePoolQuotaZero(kind, tooMuch, tag) },
			"ExAllocatePoolWithTag":      func() { ExAllocatePoolWithTag(kind|POOL_RAISE_IF_ALLOCATION_FAILURE, tooMuch, tag) },
			"ExAllocatePool2":            func() { ExAllocatePool2(flags(kind)|POOL_FLAG_RAISE_ON_FAILURE, tooMuch, tag) },
		} {
			if s := kit.Raised(call); s != STATUS_INSUFFICIENT_RESOURCES {
				t.Errorf("%s raises %v", name, s)
			}
		}
	}
	for name, p := range map[string]PVOID{
		"no kind":              ExAllocatePool2(0, 16, tag),
		"two kinds":            ExAllocatePool2(POOL_FLAG_PAGED|POOL_FLAG_NON_PAGED, 16, tag),
		"an unknown flag":      ExAllocatePool2(POOL_FLAG_PAGED|0x1000, 16, tag),
		"no tag":               ExAllocatePool2(POOL_FLAG_PAGED, 16, 0),
		"no size":              ExAllocatePool2(POOL_FLAG_PAGED, 0, tag),
		"a secure pool":        ExAllocatePool3(POOL_FLAG_PAGED, 16, tag, []POOL_EXTENDED_PARAMETER{{Type: PoolExtendedParameterSecurePool}}),
		"a node":               ExAllocatePool3(POOL_FLAG_PAGED, 16, tag, []POOL_EXTENDED_PARAMETER{{Type: PoolExtendedParameterNumaNode, Value: 1}}),
		"an unknown parameter": ExAllocatePool3(POOL_FLAG_PAGED, 16, tag, []POOL_EXTENDED_PARAMETER{{Type: 9}}),
	} {
		if p != nil {
			t.Errorf("%s: %p", name, p)
		}
	}
	p := ExAllocatePool3(POOL_FLAG_PAGED|POOL_FLAG_SPECIAL_POOL|POOL_FLAG_OPTIONAL_END, 16, tag, []POOL_EXTENDED_PARAMETER{
		{Type: 9, Optional: true}, {Type: PoolExtendedParameterNumaNode, Value: 5, Optional: true}, {Type: PoolExtendedParameterNumaNode},
	})
	if p == nil {
		t.Error("an optional parameter or flag that is not known counts, or the one node does not")
	} else {
		ExFreePool(p)
	}
}

// Pages that an MDL locks stay, and are those behind the buffer.
func TestMDL(t *testing.T) {
	p := ExAllocatePool2(POOL_FLAG_PAGED, 3*page, tag)
	defer ExFreePool(p)
	mdl := IoAllocateMdl(unsafe.Add(p, 100), 2*page, false, false, nil)
	defer IoFreeMdl(mdl)
	if MmGetMdlVirtualAddress(mdl) != unsafe.Add(p, 100) || MmGetMdlByteCount(mdl) != 2*page || MmGetMdlByteOffset(mdl) != 100 {
		t.Errorf("%+v", mdl)
	}
	paging.PageOut()
	if MmIsAddressValid(p) {
		t.Error("a page that is away is valid")
	}
	MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess)
	paging.PageOut()
	for i, n := range MmGetMdlPfnArray(mdl) {
		at := unsafe.Add(p, i*page)
		if !MmIsAddressValid(at) || MmGetPhysicalAddress(at) != n*page {
			t.Errorf("page %d: frame %#x, address %#x", i, n, MmGetPhysicalAddress(at))
		}
	}
	if len(MmGetMdlPfnArray(mdl)) != 3 || mdl.Flags&MDL_PAGES_LOCKED == 0 {
		t.Errorf("%d pages, flags %#x", len(MmGetMdlPfnArray(mdl)), mdl.Flags)
	}
	mapped := MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, nil, 0, 16)
	if mapped != MmGetSystemAddressForMdlSafe(mdl, 16) {
		t.Error("two mappings")
	}
	var old KIRQL
	KeRaiseIrql(DISPATCH_LEVEL, &old)
	*(*byte)(mapped) = 7
	KeLowerIrql(old)
	MmUnmapLockedPages(mapped, mdl)
	MmUnlockPages(mdl)
	paging.PageOut()
	if MmIsAddressValid(p) || mdl.Flags&MDL_PAGES_LOCKED != 0 {
		t.Error("a page stays after it was unlocked")
	}
	if *(*byte)(unsafe.Add(p, 100)) != 7 {
		t.Error("what was written through the mapping is lost")
	}
}

func TestMDLNonPaged(t *testing.T) {
	p := ExAllocatePool2(POOL_FLAG_NON_PAGED, 2*page, tag)
	defer ExFreePool(p)
	mdl := IoAllocateMdl(p, 2*page, false, false, nil)
	defer IoFreeMdl(mdl)
	MmBuildMdlForNonPagedPool(mdl)
	for i, n := range MmGetMdlPfnArray(mdl) {
		if pa := MmGetPhysicalAddress(unsafe.Add(p, i*page)); pa != n*page || pa == 0 {
			t.Errorf("page %d: frame %#x, address %#x", i, n, pa)
		}
	}
	if MmGetSystemAddressForMdlSafe(mdl, 16) != p || mdl.Flags&MDL_SOURCE_IS_NONPAGED_POOL == 0 {
		t.Errorf("%+v", mdl)
	}
	none := IoAllocateMdl(PVOID(uintptr(0x1000_0000_0000)), page, false, false, nil)
	defer IoFreeMdl(none)
	if s := kit.Raised(func() { MmProbeAndLockPages(none, KernelMode, IoReadAccess) }); s != ntstatus.AccessViolation {
		t.Errorf("memory that does not exist: %v", s)
	}
}

func TestContiguous(t *testing.T) {
	p := MmAllocateContiguousMemory(10*page, ^PHYSICAL_ADDRESS(0))
	if p == nil {
		t.Fatal("no memory")
	}
	for i := range 10 {
		if pa := MmGetPhysicalAddress(unsafe.Add(p, i*page)); pa != MmGetPhysicalAddress(p)+PHYSICAL_ADDRESS(i*page) {
			t.Errorf("page %d at %#x", i, pa)
		}
	}
	free := paging.Memory().Free
	MmFreeContiguousMemory(p)
	if got := paging.Memory().Free; got < free+5 { // the Go runtime takes some as well
		t.Errorf("%d pages free, %d before", got, free)
	}
	if p := MmAllocateContiguousMemory(page, 0xFFFF); p != nil {
		t.Errorf("at %p", p)
	}
}
