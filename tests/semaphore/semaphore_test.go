// Package semaphore tests the rules of area semaphore.
package semaphore

import (
	"math"
	"testing"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
)

func newSemaphore(t *testing.T, count, limit int32) *sync.Semaphore {
	s := kit.New[sync.Semaphore](t)
	s.Init(count, limit)
	return s
}

func poll(s *sync.Semaphore) ntstatus.Status {
	return s.Wait(kit.NoTime, false, kernel.KernelMode)
}

// rule: sem-init
func TestInit(t *testing.T) {
	for _, c := range []struct {
		count, limit int32
		ok           bool
	}{
		{0, 1, true}, {1, 1, true}, {3, 7, true}, {math.MaxInt32, math.MaxInt32, true},
		{2, 1, false}, {0, 0, false}, {-1, 1, false}, {0, -1, false},
	} {
		s := kit.New[sync.Semaphore](t)
		raised := kit.Raised(func() { s.Init(c.count, c.limit) })
		if (raised == ntstatus.Success) != c.ok || c.ok && (s.State() != c.count || s.Limit != c.limit) {
			t.Errorf("Init(%d, %d): %v, count %d, limit %d", c.count, c.limit, raised, s.State(), s.Limit)
		}
	}
}

// rule: sem-signaled
// rule: sem-wait-decrement
// rule: sem-release-adds
// rule: sem-read
func TestCount(t *testing.T) {
	s := newSemaphore(t, 2, 5)
	for want := int32(1); want >= 0; want-- {
		if st := poll(s); st != ntstatus.Success || s.State() != want {
			t.Errorf("wait: %v, count %d", st, s.State())
		}
	}
	if st := poll(s); st != ntstatus.Timeout || s.State() != 0 {
		t.Errorf("wait at count 0: %v, count %d", st, s.State())
	}
	for _, step := range []struct{ n, was, now int32 }{{1, 0, 1}, {3, 1, 4}, {0, 4, 4}, {1, 4, 5}} {
		if was := s.Release(0, step.n); was != step.was || s.State() != step.now {
			t.Errorf("release of %d returned %d, count %d", step.n, was, s.State())
		}
	}
	for _, level := range []irql.Level{irql.APC, irql.Dispatch, irql.DeviceMin, irql.High} {
		var got int32
		kit.At(level, func() { got = s.State() })
		if got != 5 {
			t.Errorf("count %d at level %d", got, level)
		}
	}
}

// rule: sem-limit
// rule: sem-limit-overflow
func TestLimit(t *testing.T) {
	s := newSemaphore(t, 3, 5)
	for _, n := range []int32{3, math.MaxInt32, -1, math.MinInt32} {
		if st := kit.Raised(func() { s.Release(0, n) }); st != ntstatus.SemaphoreLimit || s.State() != 3 {
			t.Errorf("release of %d: %v, count %d", n, st, s.State())
		}
	}
	if was := s.Release(0, 2); was != 3 || s.State() != 5 {
		t.Errorf("release up to the limit returned %d, count %d", was, s.State())
	}
}

// rule: sem-release-wakes-n
// rule: sem-fifo
// rule: sem-no-owner
func TestWakes(t *testing.T) {
	for _, c := range []struct{ waiters, release int }{{1, 1}, {3, 2}, {3, 3}, {2, 5}, {4, 1}} {
		s := newSemaphore(t, 0, 10)
		var threads []*kit.Thread
		for i := range c.waiters {
			threads = append(threads, kit.Go(t, func() ntstatus.Status {
				return s.Wait(kit.Forever, false, kernel.KernelMode)
			}))
			kit.AwaitWaiters(t, &s.Header, i+1)
		}
		s.Release(0, int32(c.release))
		woken := min(c.waiters, c.release)
		for _, th := range threads[:woken] {
			if st := th.Join(t); st != ntstatus.Success {
				t.Errorf("%v: status %v", c, st)
			}
		}
		if kit.Waiters(&s.Header) != c.waiters-woken || int(s.State()) != c.release-woken {
			t.Errorf("%v: %d still wait, count %d", c, kit.Waiters(&s.Header), s.State())
		}
		for _, th := range threads[woken:] {
			if th.Ended() {
				t.Errorf("%v: a later waiter went first", c)
			}
		}
		for _, th := range threads[woken:] {
			s.Release(0, 1)
			th.Join(t)
		}
	}
}

// rule: sem-wait-true-passive
func TestReleaseBeforeWait(t *testing.T) {
	s, other := newSemaphore(t, 0, 1), newSemaphore(t, 1, 1)
	kit.Run(t, func() {
		was := s.ReleaseBeforeWait(0, 1)
		level := irql.Current()
		st := other.Wait(kit.Forever, false, kernel.KernelMode)
		if was != 0 || level != irql.Dispatch || st != ntstatus.Success || irql.Current() != irql.Passive || s.State() != 1 {
			t.Errorf("returned %d at level %d; wait %v, level %d", was, level, st, irql.Current())
		}
		if st := kit.Raised(func() { s.ReleaseBeforeWait(0, 1) }); st != ntstatus.SemaphoreLimit || irql.Current() != irql.Passive {
			t.Errorf("error: %v, level %d", st, irql.Current())
		}
	})
	var was int32
	kit.At(irql.Dispatch, func() { was = other.Release(0, 1) })
	if was != 0 || other.State() != 1 {
		t.Errorf("release at DISPATCH_LEVEL returned %d, count %d", was, other.State())
	}
}

// rule: wait-any-one-side-effect
func TestWaitAnyTakesOne(t *testing.T) {
	a, b := newSemaphore(t, 2, 5), newSemaphore(t, 3, 5)
	objects := [2]*kernel.Header{&a.Header, &b.Header}
	for want := int32(1); want >= 0; want-- {
		st := sync.WaitMany(&objects[0], 2, kernel.WaitAny, kit.Forever, false, kernel.KernelMode, nil)
		if st != ntstatus.Wait0 || a.State() != want || b.State() != 3 {
			t.Errorf("%v, counts %d and %d", st, a.State(), b.State())
		}
	}
	st := sync.WaitMany(&objects[0], 2, kernel.WaitAny, kit.Forever, false, kernel.KernelMode, nil)
	if st != ntstatus.Wait0+1 || b.State() != 2 {
		t.Errorf("%v, second count %d", st, b.State())
	}
}
