// Package pushlock tests the rules of area pushlock.
package pushlock

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
	"irqlab/wdk"
)

// region runs fn on a system thread in a critical region.
func region(t testing.TB, fn func()) {
	t.Helper()
	kit.Run(t, func() {
		kernel.EnterCriticalRegion()
		fn()
		kernel.LeaveCriticalRegion()
	})
}

const share, locked = 0x10, 1

func expect(t *testing.T, when string, l *sync.PushLock, want uintptr) {
	t.Helper()
	if w := l.Word(); w != want {
		t.Errorf("%s: word %#x, want %#x", when, w, want)
	}
}

// rule: pl-word
// rule: pl-shared-many
// rule: pl-exclusive-one
// rule: pl-try
// rule: pl-release-generic
// rule: pl-pageable
func TestWord(t *testing.T) {
	region(t, func() {
		l := new(sync.PushLock) // on the Go heap
		expect(t, "new", l, 0)
		for _, release := range []func(){l.ReleaseExclusive, l.Release} {
			l.AcquireExclusive()
			expect(t, "exclusive", l, locked)
			if l.TryAcquireExclusive() || l.TryAcquireShared() {
				t.Error("a lock held exclusively was acquired again")
			}
			release()
			expect(t, "released", l, 0)
		}
		for _, release := range []func(){l.ReleaseShared, l.Release} {
			for n := uintptr(1); n <= 4; n++ {
				l.AcquireShared()
				expect(t, "shared", l, n*share+locked)
				if l.TryAcquireExclusive() {
					t.Error("a lock held shared was acquired exclusively")
				}
			}
			if !l.TryAcquireShared() {
				t.Error("shared behind shared was refused")
			}
			for n := uintptr(5); n >= 1; n-- {
				expect(t, "shared", l, n*share+locked)
				release()
			}
			expect(t, "released", l, 0)
		}
		if !l.TryAcquireExclusive() {
			t.Error("a free lock was refused")
		}
		l.Release()
	})
}

// line is how many threads wait for the lock.
func line(l *sync.PushLock) (n int) {
	kit.Locked(func() { n = l.Line() })
	return n
}

// crowd starts a thread for each letter of kinds, E or S, which gets in line in
// that order, notes when it has the lock, and keeps it until it is told.
type crowd struct {
	t       *testing.T
	l       *sync.PushLock
	threads []*kit.Thread
	got     [16]atomic.Int32 // position of arrival inside, from 1
	let     [16]atomic.Bool
	n       atomic.Int32
}

func newCrowd(t *testing.T, l *sync.PushLock, kinds string) *crowd {
	c := &crowd{t: t, l: l}
	for i, k := range kinds {
		c.threads = append(c.threads, kit.Go(t, func() ntstatus.Status {
			kernel.EnterCriticalRegion()
			defer kernel.LeaveCriticalRegion()
			if k == 'E' {
				l.AcquireExclusive()
			} else {
				l.AcquireShared()
			}
			c.got[i].Store(c.n.Add(1))
			for !c.let[i].Load() {
				time.Sleep(100 * time.Microsecond)
			}
			l.Release()
			return ntstatus.Success
		}))
		kit.Until(t, fmt.Sprintf("%d in line", i+1), func() bool { return line(l) == i+1 })
	}
	return c
}

// holders waits until exactly the given threads, and those before them, have
// been inside.
func (c *crowd) holders(n int) {
	c.t.Helper()
	kit.Until(c.t, fmt.Sprintf("%d inside", n), func() bool { return c.n.Load() == int32(n) })
}

func (c *crowd) leave(i int) {
	c.let[i].Store(true)
	c.threads[i].Join(c.t)
}

// rule: pl-shared-behind-exclusive
// rule: pl-wake-oldest
// rule: pl-last-share
// rule: pl-handoff-window
func TestOrder(t *testing.T) {
	region(t, func() {
		l := new(sync.PushLock)
		l.AcquireShared()
		l.AcquireShared()
		c := newCrowd(t, l, "ESSES")
		if l.TryAcquireShared() {
			t.Error("shared overtook who waits for exclusive access")
		}
		l.ReleaseShared()
		if c.n.Load() != 0 || line(l) != 5 {
			t.Errorf("the first of two sharers left, and %d are inside", c.n.Load())
		}
		l.ReleaseShared()
		c.holders(1)
		if line(l) != 4 {
			t.Errorf("%d in line behind the first exclusive", line(l))
		}
		c.leave(0)
		c.holders(3)
		if line(l) != 2 || c.got[3].Load() != 0 {
			t.Errorf("%d in line behind two sharers", line(l))
		}
		c.leave(2)
		if line(l) != 2 {
			t.Error("the lock was handed over before the last sharer left")
		}
		c.leave(1)
		c.holders(4)
		c.leave(3)
		c.holders(5)
		c.leave(4)
		expect(t, "at last", l, 0)
		if c.got[0].Load() != 1 || c.got[3].Load() != 4 || c.got[4].Load() != 5 {
			t.Error("wrong order")
		}
	})
}

// rule: pl-wake-oldest
func TestBatchBehindExclusive(t *testing.T) {
	region(t, func() {
		l := new(sync.PushLock)
		l.AcquireExclusive()
		c := newCrowd(t, l, "SSS")
		l.ReleaseExclusive()
		c.holders(3)
		expect(t, "three sharers", l, 3*share+locked)
		for i := range 3 {
			c.leave(i)
		}
		expect(t, "at last", l, 0)
	})
}

// rule: pl-region-required
// rule: pl-flt-region
func TestRegions(t *testing.T) {
	kit.Run(t, func() {
		l := new(sync.PushLock)
		me := kernel.Current()
		for _, acquire := range []func(*sync.PushLock){wdk.FltAcquirePushLockExclusive, wdk.FltAcquirePushLockShared} {
			acquire(l)
			if me.KernelAPCs != -1 {
				t.Errorf("held: count %d", me.KernelAPCs)
			}
			wdk.FltReleasePushLock(l)
			if me.KernelAPCs != 0 {
				t.Errorf("released: count %d", me.KernelAPCs)
			}
		}
	})
	l := new(sync.PushLock)
	done := make(chan ntstatus.Status)
	go func() { done <- kit.Raised(l.AcquireShared) }()
	if s := <-done; s != ntstatus.InvalidThread {
		t.Errorf("a goroutine that is not locked acquires: %v", s)
	}
}

// rule: pl-exclusive-one
// rule: pl-shared-many
// rule: pl-not-fair
func TestExclusion(t *testing.T) {
	l := new(sync.PushLock)
	var writers, readers atomic.Int32
	sum, want := 0, atomic.Int32{}
	var threads []*kit.Thread
	for id := range 5 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			kernel.EnterCriticalRegion()
			defer kernel.LeaveCriticalRegion()
			for i := range 300 {
				if (i+id)%3 == 0 {
					if i%2 == 0 || !l.TryAcquireExclusive() {
						l.AcquireExclusive()
					}
					if writers.Add(1) != 1 || readers.Load() != 0 {
						return ntstatus.Unsuccessful
					}
					sum++
					want.Add(1)
					writers.Add(-1)
					l.ReleaseExclusive()
				} else {
					if i%2 == 0 || !l.TryAcquireShared() {
						l.AcquireShared()
					}
					readers.Add(1)
					if writers.Load() != 0 {
						return ntstatus.Unsuccessful
					}
					readers.Add(-1)
					l.ReleaseShared()
				}
			}
			return ntstatus.Success
		}))
	}
	for _, th := range threads {
		if th.Join(t) != ntstatus.Success {
			t.Error("a writer was not alone")
		}
	}
	if int32(sum) != want.Load() {
		t.Errorf("sum %d, want %d", sum, want.Load())
	}
	expect(t, "at last", l, 0)
}
