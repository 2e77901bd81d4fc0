package sync

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/pool"
	"irqlab/sync/spin"
)

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
	if wait {
		r.tell(t, spin.Acquiring)
	}
	a := kernel.Args{P: unsafe.Pointer(r), A: how, B: truth(wait)}
	kernel.Enter(acquireResource, &a)
	if a.R >= mustWait && wait {
		r.tell(t, spin.Waiting)
		kernel.EnterBlocking(waitForResource, &a)
	}
	if a.R != granted {
		return false
	}
	r.tell(t, spin.Acquired)
	return true
}

func (r *Resource) tell(t *kernel.Thread, op spin.Op) { KindResource.tell(t, r.address(), op) }

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
