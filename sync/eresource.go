package sync

import (
	"sync/atomic"
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/list"
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

// The ways to acquire.
const (
	exclusive uintptr = iota
	shared
	sharedStarveExclusive
	sharedWaitForExclusive
)

// What an attempt comes to.
const (
	refused uintptr = iota
	granted
	mustWait
	noMemory
)

// AcquireExclusive makes the caller the only owner, or owner once more
// (ExAcquireResourceExclusiveLite). Without wait it returns false instead of
// waiting.
//
// IRQL: <= APC_LEVEL, in a critical region
func (r *Resource) AcquireExclusive(wait bool) bool { return r.acquire(exclusive, wait) }

// AcquireShared makes the caller an owner together with others, or owner once
// more (ExAcquireResourceSharedLite). Somebody who waits for exclusive access
// comes first, unless the caller is an owner already. Without wait it returns
// false instead of waiting. The exclusive owner stays that.
//
// IRQL: <= APC_LEVEL, in a critical region
func (r *Resource) AcquireShared(wait bool) bool { return r.acquire(shared, wait) }

// AcquireSharedStarveExclusive is AcquireShared that does not mind who waits for
// exclusive access (ExAcquireSharedStarveExclusive).
//
// IRQL: <= APC_LEVEL, in a critical region
func (r *Resource) AcquireSharedStarveExclusive(wait bool) bool {
	return r.acquire(sharedStarveExclusive, wait)
}

// AcquireSharedWaitForExclusive is AcquireShared that gives way to who waits for
// exclusive access even if the caller is an owner already
// (ExAcquireSharedWaitForExclusive).
//
// IRQL: <= APC_LEVEL, in a critical region
func (r *Resource) AcquireSharedWaitForExclusive(wait bool) bool {
	return r.acquire(sharedWaitForExclusive, wait)
}

func (r *Resource) acquire(how uintptr, wait bool) bool {
	t := kernel.Owner()
	if Checked {
		irql.AssertAtMost(irql.APC)
		resourceAcquiredAPCs.wantAPCsOff(t, "a resource is acquired and held in a critical region: a kernel APC could ask for it on the same thread", r.address())
	}
	a := kernel.Args{P: unsafe.Pointer(r), A: how, B: truth(wait)}
	kernel.Enter(acquireResource, &a)
	if a.R >= mustWait && wait {
		kernel.EnterBlocking(waitForResource, &a)
	}
	return a.R == granted
}

// acquireResource makes one attempt. One that must wait has been counted among
// the waiters.
func acquireResource(a *kernel.Args) {
	r := (*Resource)(a.P)
	old := r.Lock.Acquire()
	a.R = r.attempt(uintptr(unsafe.Pointer(kernel.Current())), a.A, a.B != 0)
	r.Lock.Release(old)
}

// attempt acquires the resource on behalf of a thread if that need not wait.
func (r *Resource) attempt(thread, how uintptr, wait bool) uintptr {
	mine := r.find(thread)
	owned := r.Flag&ResourceOwnedExclusive != 0
	switch {
	case r.ActiveCount == 0:
		if how == exclusive {
			r.Flag |= ResourceOwnedExclusive
		}
		r.Owner = OwnerEntry{Thread: thread, Count: ownerOnce}
		r.activate(1)
		return granted
	case owned && mine != nil:
		mine.Count += ownerOnce
		return granted
	case how == exclusive:
		return r.line(&r.NumberOfExclusiveWaiters, mine != nil, wait)
	case owned:
		return r.line(&r.NumberOfSharedWaiters, false, wait)
	case r.NumberOfExclusiveWaiters != 0 && (how == sharedWaitForExclusive || how == shared && mine == nil):
		return r.line(&r.NumberOfSharedWaiters, mine != nil, wait)
	case mine != nil:
		mine.Count += ownerOnce
		return granted
	}
	e := r.vacant()
	if e == nil {
		return noMemory
	}
	*e = OwnerEntry{Thread: thread, Count: ownerOnce}
	r.activate(1)
	return granted
}

// activate counts n more owners.
func (r *Resource) activate(n int) {
	r.ActiveCount += int16(n)
	r.ActiveEntries = uint32(r.ActiveCount)
}

// line gets the caller in line if it wants to wait. What it waits with must
// exist then, and it must not wait for itself.
func (r *Resource) line(waiters *uint32, owner, wait bool) uintptr {
	if !wait {
		return refused
	}
	if owner && Checked {
		selfDeadlock.violated("the thread waits for a resource that it owns shared itself: it would wait for ever", r.address())
	}
	if r.SharedWaiters == nil {
		s := (*Semaphore)(pool.Alloc(unsafe.Sizeof(Semaphore{}), resourceTag))
		if s == nil {
			return noMemory
		}
		s.Init(0, 1<<31-1)
		r.SharedWaiters = s
	}
	if r.ExclusiveWaiters == nil {
		e := (*Event)(pool.Alloc(unsafe.Sizeof(Event{}), resourceTag))
		if e == nil {
			return noMemory
		}
		e.InitSynchronization(false)
		r.ExclusiveWaiters = e
	}
	*waiters++
	r.ContentionCount++
	return mustWait
}

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

// waitForResource waits until the resource has been granted to the caller, and
// enters it as an owner.
func waitForResource(a *kernel.Args) {
	r := (*Resource)(a.P)
	thread := uintptr(unsafe.Pointer(kernel.Current()))
	for a.R == noMemory {
		retryLater()
		acquireResource(a)
	}
	if a.R != mustWait {
		return
	}
	r.boostOwner()
	if a.A == exclusive {
		r.ExclusiveWaiters.Header.Wait(nil, false, kernel.KernelMode)
		r.Owner.Thread = thread // granted to nobody by name, and to be had by nobody else
		a.R = granted
		return
	}
	r.SharedWaiters.Header.Wait(nil, false, kernel.KernelMode)
	for {
		old := r.Lock.Acquire()
		e := r.vacant()
		if e != nil {
			// Whoever let it in has counted it in ActiveCount.
			*e = OwnerEntry{Thread: thread, Count: ownerOnce}
			a.R = granted
		}
		r.Lock.Release(old)
		if e != nil {
			return
		}
		retryLater()
	}
}

// retryLater waits for somebody to free memory.
func retryLater() { kernel.Delay(-10*kernel.Millisecond, false, kernel.KernelMode) }

// Release gives up one acquisition of the running thread
// (ExReleaseResourceLite).
//
// IRQL: <= DISPATCH_LEVEL, in the critical region still
func (r *Resource) Release() {
	t := kernel.Owner()
	if Checked {
		resourceReleasedAPCs.wantAPCsOff(t, "a resource is released before the critical region is left in which it was held", r.address())
	}
	r.releaseFor(uintptr(unsafe.Pointer(t)))
}

// ReleaseForThread gives up one acquisition of the given thread, by its
// address, or of an owner pointer (ExReleaseResourceForThreadLite). A system
// thread need not have APCs disabled.
//
// IRQL: <= DISPATCH_LEVEL
func (r *Resource) ReleaseForThread(owner uintptr) {
	if t := kernel.Current(); Checked && !t.System {
		resourceReleasedAPCs.wantAPCsOff(t, "a resource is released in a critical region, or by a system thread", r.address())
	}
	r.releaseFor(owner)
}

func (r *Resource) releaseFor(owner uintptr) {
	a := kernel.Args{P: unsafe.Pointer(r), C: owner}
	kernel.Enter(releaseResource, &a)
}

// releaseResource gives up one acquisition, and lets in who waits if it was the
// last.
func releaseResource(a *kernel.Args) {
	r := (*Resource)(a.P)
	old := r.Lock.Acquire()
	e := r.find(a.C)
	if e == nil || a.C == 0 {
		bugcheck.Stop(bugcheck.ResourceNotOwned, r.address(), a.C, uintptr(unsafe.Pointer(r.OwnerTable)), 0)
	}
	if e.Count -= ownerOnce; e.Count >= ownerOnce {
		r.Lock.Release(old)
		return
	}
	*e = OwnerEntry{}
	r.activate(-1)
	wasExclusive := r.Flag&ResourceOwnedExclusive != 0
	var wake func(*Resource, int32)
	n := int32(0)
	switch {
	case r.ActiveCount != 0:
	case r.NumberOfExclusiveWaiters != 0 && (!wasExclusive || r.NumberOfSharedWaiters == 0):
		r.NumberOfExclusiveWaiters--
		r.Flag |= ResourceOwnedExclusive
		r.Owner = OwnerEntry{Thread: nobody, Count: ownerOnce}
		r.activate(1)
		wake = wakeExclusive
	default:
		r.Flag &^= ResourceOwnedExclusive
		if n = r.admit(); n != 0 {
			wake = wakeShared
		}
	}
	r.Lock.Release(old)
	if wake != nil {
		wake(r, n)
	}
}

// nobody is the owner between a grant of exclusive access and the moment when
// the thread that it is for enters itself.
const nobody = 1

// admit makes owners of all who wait for shared access and returns how many they
// are; they enter themselves when they run.
func (r *Resource) admit() int32 {
	n := int32(r.NumberOfSharedWaiters)
	r.NumberOfSharedWaiters = 0
	r.activate(int(n))
	return n
}

// Those who were granted the resource own it from then on, so it stays while
// they are woken.
func wakeExclusive(r *Resource, _ int32) { r.ExclusiveWaiters.Set(eventIncrement) }
func wakeShared(r *Resource, n int32)    { r.SharedWaiters.Release(0, n) }

// ConvertToShared makes the exclusive owner one of the sharers, as often as it
// owned the resource, and admits all who wait for shared access
// (ExConvertExclusiveToSharedLite). In checked mode a caller that is not the
// exclusive owner is bug check RESOURCE_NOT_OWNED, else nothing happens to it.
//
// IRQL: <= DISPATCH_LEVEL
func (r *Resource) ConvertToShared() {
	a := kernel.Args{P: unsafe.Pointer(r), C: uintptr(unsafe.Pointer(kernel.Owner()))}
	kernel.Enter(convertResource, &a)
}

func convertResource(a *kernel.Args) {
	r := (*Resource)(a.P)
	old := r.Lock.Acquire()
	n := int32(0)
	switch {
	case r.Flag&ResourceOwnedExclusive != 0 && r.Owner.Thread == a.C:
		r.Flag &^= ResourceOwnedExclusive
		n = r.admit()
	case Checked:
		bugcheck.Stop(bugcheck.ResourceNotOwned, r.address(), a.C, uintptr(unsafe.Pointer(r.OwnerTable)), 1)
	}
	r.Lock.Release(old)
	if n != 0 {
		wakeShared(r, n)
	}
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
}

func setResourceOwner(a *kernel.Args) {
	const bits = 3
	r := (*Resource)(a.P)
	old := r.Lock.Acquire()
	e := r.find(a.C)
	if a.A&bits != bits || e == nil {
		bugcheck.Stop(bugcheck.ResourceOwnerPointer, r.address(), a.C, a.A, 0)
	}
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
