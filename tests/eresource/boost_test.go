package eresource

import (
	"testing"
	"unsafe"

	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
)

// asker is a thread of high priority that asks for a resource when it is told to.
type asker struct {
	resource *sync.Resource
	tell     sync.Event
}

// askWhenTold is in kernel context all the time, so that the resource's owner goes
// on as soon as it waits: Go code would have to get a P first.
func askWhenTold(a *kernel.Args) {
	k := (*asker)(a.P)
	k.tell.Header.Wait(nil, false, kernel.KernelMode)
	shared(k.resource, true)
	k.resource.Release()
}

// ownerWhileAsked returns the priority that the exclusive owner has when a thread
// of the given one waits. Both are on one processor, so the owner is
// ready and does not run when the other comes.
func ownerWhileAsked(t *testing.T, priority int8, boost bool) (owner int8) {
	r, k := newResource(t), kit.New[asker](t)
	k.resource = r
	k.tell.InitSynchronization(false)
	waiter := kit.Go(t, func() ntstatus.Status {
		kernel.EnterCriticalRegion()
		kernel.EnterBlocking(askWhenTold, &kernel.Args{P: unsafe.Pointer(k)})
		kernel.LeaveCriticalRegion()
		return ntstatus.Success
	}, func() { kit.OnCPU(0); kit.SetPriority(priority) })
	kit.AwaitWaiters(t, &k.tell.Header, 1)
	kit.Run(t, func() {
		kernel.EnterCriticalRegion()
		exclusive(r, true)
		if !boost {
			r.DisableBoost()
		}
		me := kernel.Current()
		kit.Kernel(func() {
			k.tell.Set(0)
			owner = me.Priority
		})
		waiting(t, r, 0, 1)
		r.Release()
		kernel.LeaveCriticalRegion()
	}, func() { kit.OnCPU(0) })
	waiter.Join(t)
	if s := r.Delete(); s != ntstatus.Success {
		t.Errorf("delete: %v", s)
	}
	return owner
}

// What is lent for a lock is lent for a quarter of a millisecond, which may be over
// when the owner looks: one time in some it must be there, and with boosts disabled
// never.
//
// rule: eres-boost
func TestBoost(t *testing.T) {
	const priority, rounds = 14, 5
	if !kit.Retry(func() bool { return ownerWhileAsked(t, priority, true) == priority }) {
		t.Error("the owner has not got the waiter's priority")
	}
	for range rounds {
		if ownerWhileAsked(t, priority, false) == priority {
			t.Error("the owner has got the waiter's priority with boosts disabled")
		}
	}
}
