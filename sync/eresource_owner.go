package sync

import (
	"sync/atomic"
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/kernel"
	"irqlab/pool"
	"irqlab/sync/spin"
)

// find returns the entry of a thread or owner pointer, or nil.
func (r *Resource) find(owner uintptr) *OwnerEntry {
	if r.Owner.Thread == owner {
		return &r.Owner
	}
	for i := uint32(1); i < r.tableSize(); i++ {
		if e := r.entry(i); e.Thread == owner {
			return e
		}
	}
	return nil
}

// vacant returns an unused entry, in a larger table if need be, or nil if there
// is no memory for one.
func (r *Resource) vacant() *OwnerEntry {
	if e := r.find(0); e != nil {
		return e
	}
	size := r.tableSize()
	larger := max(2*size, 4)
	p := pool.Alloc(uintptr(larger)*unsafe.Sizeof(OwnerEntry{}), resourceTag)
	if p == nil {
		return nil
	}
	was := r.OwnerTable
	for i := uint32(1); i < size; i++ {
		*ownerEntry(p, i) = *r.entry(i)
	}
	r.OwnerTable = (*OwnerEntry)(p)
	r.OwnerTable.Count = larger
	if was != nil {
		pool.FreeUnchecked(unsafe.Pointer(was), resourceTag)
		return r.entry(size)
	}
	return r.entry(1)
}

func (r *Resource) tableSize() uint32 {
	if r.OwnerTable == nil {
		return 0
	}
	return r.OwnerTable.Count
}

func (r *Resource) entry(i uint32) *OwnerEntry { return ownerEntry(unsafe.Pointer(r.OwnerTable), i) }

func ownerEntry(table unsafe.Pointer, i uint32) *OwnerEntry {
	return (*OwnerEntry)(unsafe.Add(table, uintptr(i)*unsafe.Sizeof(OwnerEntry{})))
}

// SetOwnerPointer hands the caller's acquisitions over to an owner that is not
// a thread: an address whose two low bits are set (ExSetResourceOwnerPointer).
// From then on ReleaseForThread with that pointer is the only way to release
// them. A pointer without those bits, or a caller that is not an owner, is bug
// check RESOURCE_OWNER_POINTER.
//
// IRQL: <= DISPATCH_LEVEL
func (r *Resource) SetOwnerPointer(owner uintptr) {
	a := kernel.Args{P: unsafe.Pointer(r), A: owner, C: uintptr(unsafe.Pointer(kernel.Owner()))}
	kernel.Enter(setResourceOwner, &a)
	for ; a.R > 0; a.R-- {
		r.tell(kernel.Current(), spin.Releasing)
	}
}

func setResourceOwner(a *kernel.Args) {
	const bits = 3
	r := (*Resource)(a.P)
	old := r.Lock.Acquire()
	e := r.find(a.C)
	if a.A&bits != bits || e == nil {
		bugcheck.Stop(bugcheck.ResourceOwnerPointer, r.address(), a.C, a.A, 0)
	}
	a.R = uintptr(e.Count / ownerOnce)
	if same := r.find(a.A); same != nil {
		same.Count += e.Count
		*e = OwnerEntry{}
		r.activate(-1)
	} else {
		e.Thread = a.A
	}
	r.Lock.Release(old)
}

// OwnedExclusive reports whether the running thread owns the resource
// exclusively (ExIsResourceAcquiredExclusiveLite).
//
// IRQL: <= DISPATCH_LEVEL
func (r *Resource) OwnedExclusive() bool {
	return r.Flag&ResourceOwnedExclusive != 0 && r.Owner.Thread == uintptr(unsafe.Pointer(kernel.Current()))
}

// Owned returns how often the running thread has acquired the resource, in
// whatever way (ExIsResourceAcquiredSharedLite).
//
// IRQL: <= DISPATCH_LEVEL
func (r *Resource) Owned() uint32 {
	a := kernel.Args{P: unsafe.Pointer(r), C: uintptr(unsafe.Pointer(kernel.Current()))}
	kernel.Enter(countResource, &a)
	return uint32(a.R)
}

func countResource(a *kernel.Args) {
	r := (*Resource)(a.P)
	old := r.Lock.Acquire()
	if e := r.find(a.C); e != nil {
		a.R = uintptr(e.Count / ownerOnce)
	}
	r.Lock.Release(old)
}

// WaitingExclusive returns how many threads wait for exclusive access
// (ExGetExclusiveWaiterCount).
//
// IRQL: <= DISPATCH_LEVEL
func (r *Resource) WaitingExclusive() uint32 { return atomic.LoadUint32(&r.NumberOfExclusiveWaiters) }

// WaitingShared returns how many threads wait for shared access
// (ExGetSharedWaiterCount).
//
// IRQL: <= DISPATCH_LEVEL
func (r *Resource) WaitingShared() uint32 { return atomic.LoadUint32(&r.NumberOfSharedWaiters) }

// DisableBoost leaves the priority of owners alone while others wait
// (ExDisableResourceBoostLite).
//
// IRQL: <= DISPATCH_LEVEL
func (r *Resource) DisableBoost() {
	a := kernel.Args{P: unsafe.Pointer(r)}
	kernel.Enter(disableResourceBoost, &a)
}

func disableResourceBoost(a *kernel.Args) {
	r := (*Resource)(a.P)
	old := r.Lock.Acquire()
	r.Flag |= ResourceDisableBoost
	r.Lock.Release(old)
}

// boostOwner lets an exclusive owner of lower priority run, if it is a thread.
func (r *Resource) boostOwner() {
	old := r.Lock.Acquire()
	owner := r.Owner.Thread
	if r.Flag&ResourceOwnedExclusive != 0 && r.Flag&ResourceDisableBoost == 0 && owner&3 == 0 && owner != 0 {
		kernel.LendPriority((*kernel.Thread)(unsafe.Pointer(owner)))
	}
	r.Lock.Release(old)
}

func (r *Resource) address() uintptr { return uintptr(unsafe.Pointer(r)) }
