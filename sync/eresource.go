package sync

import (
	"unsafe"

	"irqlab/kernel"
	"irqlab/list"
	"irqlab/mm"
	"irqlab/ntstatus"
	"irqlab/pool"
	"irqlab/sync/spin"
)

// Resource is an ERESOURCE (104 bytes): a lock that one thread owns exclusively
// or several own shared, each as often as it asks. It knows its owners, so that
// they may ask again, and so that somebody else may release for them.
//
// A release by the last sharer prefers those who wait for exclusive access, a
// release of exclusive access admits all who wait for shared access. Who asks
// for shared access while others hold it is let in, unless somebody waits for
// exclusive access: then the three shared forms differ (see AcquireShared).
//
// Normal kernel APCs must be disabled from before an acquisition until after
// the release, by a critical region or APC_LEVEL. In checked mode it is bug
// check DRIVER_VERIFIER_DETECTED_VIOLATION 0x37 or 0x38 if they are not, and
// 0x1000 if a thread waits for itself. A release by a thread that is not an
// owner is RESOURCE_NOT_OWNED.
//
// Lock order: a resource's Lock > dispatcher, pool. resources.lock is a leaf.
//
// Documentation: "Introduction to ERESOURCE Routines".
type Resource struct {
	Entry                    list.Entry  // SystemResourcesList: of all resources
	OwnerTable               *OwnerEntry // owners beyond Owner; the first entry holds the table's size
	ActiveCount              int16       // threads that own it, each counted once
	Flag                     uint16
	SharedWaiters            *Semaphore // made when first needed
	ExclusiveWaiters         *Event
	Owner                    OwnerEntry // the exclusive owner, or one of the sharers
	ActiveEntries            uint32     // as ActiveCount
	ContentionCount          uint32     // acquisitions that had to wait
	NumberOfSharedWaiters    uint32
	NumberOfExclusiveWaiters uint32
	_                        uintptr
	_                        uintptr
	Lock                     spin.Lock // guards all of this
}

// OwnerEntry is an OWNER_ENTRY (16 bytes): who owns a resource, and how often.
type OwnerEntry struct {
	Thread uintptr // address of a thread, or an owner pointer, its two low bits set
	Count  uint32  // acquisitions in units of ownerOnce; in a table's first entry the table's size
	_      uint32
}

// ownerOnce is one acquisition: the low two bits of OwnerEntry.Count are flags
// in Windows.
const ownerOnce = 1 << 2

// Bits of Resource.Flag.
const (
	ResourceDisableBoost   = 0x08
	ResourceOwnedExclusive = 0x80
)

// resources are all that are initialized and not deleted.
var resources struct {
	lock spin.Lock
	head list.Entry
}

const resourceTag pool.Tag = 'R' | 'e'<<8 | 's'<<16 | 'o'<<24

// Init makes r a free resource (ExInitializeResourceLite). In checked mode it
// is bug check DRIVER_VERIFIER_DETECTED_VIOLATION 0xD0 if it is one already.
//
// IRQL: <= DISPATCH_LEVEL
func (r *Resource) Init() ntstatus.Status {
	if r == nil {
		kernel.RaiseStatus(ntstatus.AccessViolation)
	}
	checkResident(unsafe.Pointer(r), unsafe.Sizeof(*r))
	a := kernel.Args{P: unsafe.Pointer(r)}
	kernel.Enter(initResource, &a)
	r.Lock.Init()
	r.tell(nil, spin.Initialized)
	return ntstatus.Success
}

func initResource(a *kernel.Args) {
	r := (*Resource)(a.P)
	old := resources.lock.Acquire()
	if Checked && r.known() {
		resourceReinitialized.violated("a resource is initialized that is in use: delete it first", r.address())
	}
	*r = Resource{}
	if resources.head.Flink == nil {
		resources.head.Init()
	}
	resources.head.InsertTail(&r.Entry)
	resources.lock.Release(old)
}

// Initialized reports whether r is a resource, as far as its neighbours in the list
// of all resources know.
//
// IRQL: <= DISPATCH_LEVEL
func (r *Resource) Initialized() bool {
	if next := r.Entry.Flink; mm.Mapped(uintptr(unsafe.Pointer(next))) && next.Blink == &r.Entry {
		return true
	}
	a := kernel.Args{P: unsafe.Pointer(r)} // a neighbour may just be coming or going
	kernel.Enter(lookUpResource, &a)
	return a.R != 0
}

func lookUpResource(a *kernel.Args) {
	old := resources.lock.Acquire()
	a.R = truth((*Resource)(a.P).known())
	resources.lock.Release(old)
}

// known reports whether r is initialized. resources.lock held.
func (r *Resource) known() bool {
	for e := resources.head.Flink; e != nil && e != &resources.head; e = e.Flink {
		if e == &r.Entry {
			return true
		}
	}
	return false
}

// Reinit is a cheap Delete and Init of a resource that nobody owns
// (ExReinitializeResourceLite).
//
// IRQL: <= DISPATCH_LEVEL
func (r *Resource) Reinit() ntstatus.Status {
	a := kernel.Args{P: unsafe.Pointer(r)}
	kernel.Enter(reinitResource, &a)
	return ntstatus.Success
}

func reinitResource(a *kernel.Args) {
	r := (*Resource)(a.P)
	r.checkIdle()
	old := r.Lock.Acquire()
	r.ActiveCount, r.ActiveEntries, r.Flag, r.ContentionCount = 0, 0, 0, 0
	r.Owner = OwnerEntry{}
	r.Lock.Release(old)
}

// Delete ends the resource: its memory may be freed then
// (ExDeleteResourceLite). One that is not initialized, or deleted already, is
// bug check DRIVER_VERIFIER_DETECTED_VIOLATION 0xD1, one that is owned 0xD2.
//
// IRQL: <= APC_LEVEL
func (r *Resource) Delete() ntstatus.Status {
	a := kernel.Args{P: unsafe.Pointer(r)}
	kernel.Enter(deleteResource, &a)
	return ntstatus.Success
}

func deleteResource(a *kernel.Args) {
	r := (*Resource)(a.P)
	r.checkIdle()
	old := resources.lock.Acquire()
	r.Entry.Remove()
	resources.lock.Release(old)
	for _, p := range [...]unsafe.Pointer{unsafe.Pointer(r.OwnerTable), unsafe.Pointer(r.SharedWaiters), unsafe.Pointer(r.ExclusiveWaiters)} {
		if p != nil {
			pool.FreeUnchecked(p, resourceTag)
		}
	}
	*r = Resource{}
}

// checkIdle stops the machine unless r is initialized and free.
func (r *Resource) checkIdle() {
	old := resources.lock.Acquire()
	known := r.known()
	resources.lock.Release(old)
	if !known {
		resourceUninitialized.violated("a resource is deleted that is not initialized, or deleted already", r.address())
	}
	if r.ActiveCount != 0 || r.NumberOfSharedWaiters != 0 || r.NumberOfExclusiveWaiters != 0 {
		resourceFreed.violated("a resource is deleted that is still owned", r.address())
	}
}

// checkFreeResource stops the machine if a resource that is not deleted lies in
// [lo, hi), which is about to be freed.
func checkFreeResource(lo, hi uintptr) {
	if hi-lo < unsafe.Sizeof(Resource{}) {
		return
	}
	old := resources.lock.Acquire()
	bad := uintptr(0)
	for e := resources.head.Flink; e != nil && e != &resources.head; e = e.Flink {
		if a := uintptr(unsafe.Pointer(e)); a >= lo && a < hi {
			bad = a
		}
	}
	resources.lock.Release(old)
	if bad != 0 {
		resourceFreed.violated("memory is freed that holds a resource: delete it first", bad)
	}
}
