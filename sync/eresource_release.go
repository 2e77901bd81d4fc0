package sync

import (
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/kernel"
	"irqlab/sync/spin"
)

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
	if owner&3 == 0 {
		r.tell((*kernel.Thread)(unsafe.Pointer(owner)), spin.Releasing)
	}
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
