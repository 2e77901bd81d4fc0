// Package eresource tests the rules of area eresource.
package eresource

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
	"irqlab/wdk"
)

// region runs fn on a system thread in a critical region, with a resource.
func region(t testing.TB, fn func(r *sync.Resource)) {
	t.Helper()
	r := newResource(t)
	kit.Run(t, func() {
		kernel.EnterCriticalRegion()
		fn(r)
		kernel.LeaveCriticalRegion()
	})
	if s := r.Delete(); s != ntstatus.Success {
		t.Errorf("delete: %v", s)
	}
}

func newResource(t testing.TB) *sync.Resource {
	r := kit.New[sync.Resource](t)
	if s := r.Init(); s != ntstatus.Success {
		t.Fatalf("init: %v", s)
	}
	return r
}

// ask runs one attempt that does not wait on another thread, which gives up
// what it got at once.
func ask(t testing.TB, r *sync.Resource, acquire func(*sync.Resource, bool) bool) (got bool) {
	t.Helper()
	kit.Run(t, func() {
		kernel.EnterCriticalRegion()
		if got = acquire(r, false); got {
			r.Release()
		}
		kernel.LeaveCriticalRegion()
	})
	return got
}

// The ways to acquire.
var (
	exclusive = (*sync.Resource).AcquireExclusive
	shared    = (*sync.Resource).AcquireShared
	starve    = (*sync.Resource).AcquireSharedStarveExclusive
	waitFor   = (*sync.Resource).AcquireSharedWaitForExclusive
)

func expect(t *testing.T, when string, r *sync.Resource, active int16, isExclusive bool, owned uint32) {
	t.Helper()
	if r.ActiveCount != active || r.OwnedExclusive() != isExclusive || r.Owned() != owned {
		t.Errorf("%s: %d active, exclusive %v, owned %d times; want %d, %v, %d", when, r.ActiveCount, r.OwnedExclusive(), r.Owned(), active, isExclusive, owned)
	}
}

// rule: eres-init
// rule: eres-exclusive-recursive
// rule: eres-excl-owner-shared
// rule: eres-query-exclusive
// rule: eres-query-shared-count
// rule: eres-wait-false
func TestExclusive(t *testing.T) {
	region(t, func(r *sync.Resource) {
		expect(t, "new", r, 0, false, 0)
		n := uint32(0)
		for _, acquire := range []func(*sync.Resource, bool) bool{exclusive, exclusive, shared, starve, waitFor} {
			if !acquire(r, n%2 == 0) {
				t.Fatalf("acquisition %d was refused", n+1)
			}
			n++
			expect(t, "exclusive", r, 1, true, n)
		}
		for _, acquire := range []func(*sync.Resource, bool) bool{exclusive, shared, starve, waitFor} {
			if ask(t, r, acquire) {
				t.Error("another thread got it as well")
			}
		}
		if r.WaitingExclusive() != 0 || r.WaitingShared() != 0 {
			t.Errorf("attempts that did not wait are counted: %d and %d", r.WaitingExclusive(), r.WaitingShared())
		}
		kit.Run(t, func() { expect(t, "seen by another thread", r, 1, false, 0) })
		for ; n > 0; n-- {
			expect(t, "exclusive", r, 1, true, n)
			r.Release()
		}
		expect(t, "free", r, 0, false, 0)
		if !ask(t, r, exclusive) {
			t.Error("a free resource was refused")
		}
	})
}

// rule: eres-shared-recursive
// rule: eres-shared-to-exclusive
// rule: eres-query-shared-count
func TestShared(t *testing.T) {
	region(t, func(r *sync.Resource) {
		for n := uint32(1); n <= 3; n++ {
			shared(r, true)
			expect(t, "shared", r, 1, false, n)
		}
		if exclusive(r, false) {
			t.Error("a sharer got it exclusively")
		}
		if ask(t, r, exclusive) || !ask(t, r, shared) || !ask(t, r, starve) || !ask(t, r, waitFor) {
			t.Error("what others get of a shared resource")
		}
		for range 3 {
			r.Release()
		}
		expect(t, "free", r, 0, false, 0)
	})
}

// worker is a thread that acquires in one way, and keeps it until it is told.
type worker struct {
	*kit.Thread
	got, let atomic.Bool
}

func start(t testing.TB, r *sync.Resource, acquire func(*sync.Resource, bool) bool) *worker {
	w := &worker{}
	w.Thread = kit.Go(t, func() ntstatus.Status {
		kernel.EnterCriticalRegion()
		defer kernel.LeaveCriticalRegion()
		if !acquire(r, true) {
			return ntstatus.Unsuccessful
		}
		w.got.Store(true)
		for !w.let.Load() {
			time.Sleep(100 * time.Microsecond)
		}
		r.Release()
		return ntstatus.Success
	})
	return w
}

func (w *worker) leave(t testing.TB) {
	t.Helper()
	w.let.Store(true)
	if s := w.Join(t); s != ntstatus.Success {
		t.Errorf("a worker ended with %v", s)
	}
}

func waiting(t testing.TB, r *sync.Resource, exclusive, shared uint32) {
	t.Helper()
	kit.Until(t, fmt.Sprintf("%d and %d waiting", exclusive, shared), func() bool {
		return r.WaitingExclusive() == exclusive && r.WaitingShared() == shared
	})
}

func inside(t testing.TB, workers ...*worker) {
	t.Helper()
	for i, w := range workers {
		kit.Until(t, fmt.Sprintf("worker %d inside", i), w.got.Load)
	}
}

// rule: eres-shared-waits-for-exclusive-waiter
// rule: eres-starve
// rule: eres-waitforexcl
// rule: eres-shared-recursive
// rule: eres-waiter-counts
// rule: eres-wait-counts
// rule: eres-release-prefers-exclusive
// rule: eres-exclusive-release-shared
func TestWaiters(t *testing.T) {
	region(t, func(r *sync.Resource) {
		shared(r, true)
		writer := start(t, r, exclusive)
		waiting(t, r, 1, 0)
		if ask(t, r, shared) || ask(t, r, waitFor) || ask(t, r, exclusive) {
			t.Error("somebody overtook who waits for exclusive access")
		}
		if !ask(t, r, starve) {
			t.Error("starve-exclusive waits for exclusive access")
		}
		if !shared(r, false) {
			t.Error("an owner may ask for shared access again")
		} else {
			r.Release()
		}
		if waitFor(r, false) {
			t.Error("wait-for-exclusive did not give way")
		}
		waiting(t, r, 1, 0)

		readers := []*worker{start(t, r, shared), start(t, r, waitFor), start(t, r, shared)}
		waiting(t, r, 1, 3)
		if r.ContentionCount != 4 {
			t.Errorf("contention %d", r.ContentionCount)
		}
		r.Release()
		inside(t, writer)
		waiting(t, r, 0, 3)
		second := start(t, r, exclusive)
		waiting(t, r, 1, 3)
		// Exclusive access gives way to all sharers, whoever else waits.
		writer.leave(t)
		inside(t, readers...)
		waiting(t, r, 1, 0)
		if r.ActiveCount != 3 || second.got.Load() {
			t.Errorf("%d active", r.ActiveCount)
		}
		for _, w := range readers {
			w.leave(t)
		}
		inside(t, second)
		second.leave(t)
		expect(t, "free", r, 0, false, 0)
	})
}

// rule: eres-convert
func TestConvert(t *testing.T) {
	region(t, func(r *sync.Resource) {
		exclusive(r, true)
		exclusive(r, true)
		readers := []*worker{start(t, r, shared), start(t, r, shared)}
		waiting(t, r, 0, 2)
		r.ConvertToShared()
		inside(t, readers...)
		expect(t, "converted", r, 3, false, 2)
		for _, w := range readers {
			w.leave(t)
		}
		r.Release()
		r.Release()
		expect(t, "free", r, 0, false, 0)
	})
}

// rule: eres-release-forthread
// rule: eres-ownerptr-only-forthread
// rule: eres-ownerptr-shared-or-excl
// rule: eres-ownerptr-other-thread
// rule: eres-ownerptr-bits
func TestOwnerPointer(t *testing.T) {
	block := kit.New[[16]byte](t)
	pointer := uintptr(unsafe.Pointer(block)) | 3
	for _, acquire := range []func(*sync.Resource, bool) bool{exclusive, shared} {
		region(t, func(r *sync.Resource) {
			acquire(r, true)
			acquire(r, true)
			r.SetOwnerPointer(pointer)
			expect(t, "handed over", r, 1, false, 0)
			if exclusive(r, false) {
				t.Error("the former owner got it exclusively")
			}
			kit.Run(t, func() {
				kernel.EnterCriticalRegion()
				r.ReleaseForThread(pointer)
				kernel.LeaveCriticalRegion()
			})
			if r.ActiveCount != 1 {
				t.Errorf("%d active after one of two releases", r.ActiveCount)
			}
			r.ReleaseForThread(pointer)
			expect(t, "free", r, 0, false, 0)
		})
	}
	region(t, func(r *sync.Resource) {
		// The same pointer twice is one owner.
		for range 2 {
			shared(r, true)
			r.SetOwnerPointer(pointer)
		}
		if r.ActiveCount != 1 {
			t.Errorf("%d active", r.ActiveCount)
		}
		r.ReleaseForThread(pointer)
		r.ReleaseForThread(pointer)
		expect(t, "free", r, 0, false, 0)
	})
}

// rule: eres-release-forthread
// rule: eres-system-thread-exempt
func TestReleaseForThread(t *testing.T) {
	r := newResource(t)
	id := make(chan uintptr)
	end := make(chan struct{})
	th := kit.Go(t, func() ntstatus.Status {
		kernel.EnterCriticalRegion()
		exclusive(r, true)
		kernel.LeaveCriticalRegion() // the release is not its business
		id <- wdk.ExGetCurrentResourceThread()
		<-end
		return ntstatus.Success
	})
	owner := <-id
	kit.Run(t, func() {
		me := kernel.Current()
		me.System = true
		r.ReleaseForThread(owner)
		me.System = false
	})
	close(end)
	th.Join(t)
	if r.ActiveCount != 0 {
		t.Errorf("%d active", r.ActiveCount)
	}
	r.Delete()
}

// rule: eres-acquire-irql
func TestReleaseAtDispatch(t *testing.T) {
	region(t, func(r *sync.Resource) {
		exclusive(r, true)
		reader := start(t, r, shared)
		waiting(t, r, 0, 1)
		kit.At(irql.Dispatch, r.Release)
		inside(t, reader)
		reader.leave(t)
		kit.At(irql.APC, func() { exclusive(r, true); r.Release() })
	})
}

// rule: eres-reinit
// rule: eres-init-null
func TestInit(t *testing.T) {
	if s := kit.Raised(func() { (*sync.Resource)(nil).Init() }); s != ntstatus.AccessViolation {
		t.Errorf("nil: %v", s)
	}
	region(t, func(r *sync.Resource) {
		exclusive(r, true)
		reader := start(t, r, shared)
		waiting(t, r, 0, 1)
		r.Release()
		reader.leave(t)
		if r.ContentionCount != 1 {
			t.Errorf("contention %d", r.ContentionCount)
		}
		if s := r.Reinit(); s != ntstatus.Success || r.ContentionCount != 0 {
			t.Errorf("reinitialize: %v, contention %d", s, r.ContentionCount)
		}
		// Deleted, it may be initialized again.
		r.Delete()
		r.Init()
	})
}

// rule: eres-enter-region-combo
// rule: eres-combo-return
// rule: eres-combo-at-apc
func TestCombinations(t *testing.T) {
	r := newResource(t)
	kit.Run(t, func() {
		me := kernel.Current()
		for _, level := range []irql.Level{irql.Passive, irql.APC} {
			kit.At(level, func() {
				for n, acquire := range []func(*wdk.ERESOURCE) wdk.PVOID{
					wdk.ExEnterCriticalRegionAndAcquireResourceExclusive,
					wdk.ExEnterCriticalRegionAndAcquireResourceExclusive,
					wdk.ExEnterCriticalRegionAndAcquireResourceShared,
					wdk.ExEnterCriticalRegionAndAcquireSharedWaitForExclusive,
				} {
					acquire(r)
					if me.KernelAPCs != int16(-n-1) {
						t.Errorf("after %d: count %d", n+1, me.KernelAPCs)
					}
				}
				for range 4 {
					wdk.ExReleaseResourceAndLeaveCriticalRegion(r)
				}
			})
		}
		if !wdk.ExTryEnterCriticalRegionAndAcquireResourceExclusive(r) || me.KernelAPCs != -1 {
			t.Errorf("try of a free resource: count %d", me.KernelAPCs)
		}
		kit.Run(t, func() {
			if wdk.ExTryEnterCriticalRegionAndAcquireResourceExclusive(r) || kernel.Current().KernelAPCs != 0 {
				t.Error("try of an owned resource")
			}
		})
		wdk.ExReleaseResourceAndLeaveCriticalRegion(r)
		if me.KernelAPCs != 0 {
			t.Errorf("at last: count %d", me.KernelAPCs)
		}
	})
	r.Delete()
}

// Many sharers, so that the owner table grows.
//
// rule: eres-query-shared-count
func TestManyOwners(t *testing.T) {
	region(t, func(r *sync.Resource) {
		exclusive(r, true)
		var readers []*worker
		for i := range 12 {
			readers = append(readers, start(t, r, shared))
			waiting(t, r, 0, uint32(i+1))
		}
		r.Release()
		inside(t, readers...)
		if r.ActiveCount != 12 || ask(t, r, exclusive) {
			t.Errorf("%d active", r.ActiveCount)
		}
		for _, w := range readers {
			w.leave(t)
		}
		expect(t, "free", r, 0, false, 0)
	})
}

func TestExclusion(t *testing.T) {
	r := newResource(t)
	var writers, readers, want atomic.Int32
	sum := int32(0)
	var threads []*kit.Thread
	for id := range 5 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			kernel.EnterCriticalRegion()
			defer kernel.LeaveCriticalRegion()
			for i := range 200 {
				if (i+id)%3 == 0 {
					if i%2 == 0 || !exclusive(r, false) {
						exclusive(r, true)
					}
					if writers.Add(1) != 1 || readers.Load() != 0 {
						return ntstatus.Unsuccessful
					}
					sum++
					want.Add(1)
					writers.Add(-1)
					if i%4 == 0 {
						readers.Add(1)
						r.ConvertToShared()
						readers.Add(-1)
					}
					r.Release()
					continue
				}
				how := [...]func(*sync.Resource, bool) bool{shared, starve, waitFor}[i%3]
				if i%2 == 0 || !how(r, false) {
					how(r, true)
				}
				readers.Add(1)
				if writers.Load() != 0 || r.Owned() != 1 {
					return ntstatus.Unsuccessful
				}
				readers.Add(-1)
				r.Release()
			}
			return ntstatus.Success
		}))
	}
	for _, th := range threads {
		if th.Join(t) != ntstatus.Success {
			t.Error("a writer was not alone")
		}
	}
	if sum != want.Load() || r.ActiveCount != 0 {
		t.Errorf("sum %d, want %d; %d active", sum, want.Load(), r.ActiveCount)
	}
	r.Delete()
}
