// Package fastmutex tests the rules of area fastmutex.
package fastmutex

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
	"irqlab/wdk"
)

func newMutex(t testing.TB) *sync.FastMutex {
	m := kit.New[sync.FastMutex](t)
	m.Init()
	return m
}

// expect compares the fields that debuggers show.
func expect(t *testing.T, when string, m *sync.FastMutex, count int32, owner *kernel.Thread, contention uint32) {
	t.Helper()
	if m.Count != count || m.Owner != owner || m.Contention != contention {
		t.Errorf("%s: count %d, owner %p, contention %d; want %d, %p, %d", when, m.Count, m.Owner, m.Contention, count, owner, contention)
	}
}

// rule: fm-acquire-raises
// rule: fm-release-restores
// rule: fm-count
// rule: fm-owner-field
// rule: fm-not-apc-disabled-flag
// rule: fm-oldirql-sticky
func TestAcquireRelease(t *testing.T) {
	kit.Run(t, func() {
		m := newMutex(t)
		me := kernel.Current()
		expect(t, "free", m, 1, nil, 0)
		for _, from := range []irql.Level{irql.Passive, irql.APC} {
			old := irql.Raise(from)
			m.Acquire()
			level, saved := irql.Current(), m.OldIRQL
			apcs, all := me.APCsDisabled(), me.AllAPCsDisabled()
			expect(t, "held", m, 0, me, 0)
			m.Release()
			after := irql.Current()
			irql.Lower(old)
			expect(t, "released", m, 1, nil, 0)
			if level != irql.APC || saved != uint32(from) || after != from || m.OldIRQL != uint32(from) {
				t.Errorf("from %d: held at %d, saved %d, released to %d", from, level, saved, after)
			}
			if apcs || !all {
				t.Errorf("from %d: APCs disabled %v, all disabled %v", from, apcs, all)
			}
		}
	})
}

// rule: fm-try-owner-false
// rule: fm-try-true-raises
// rule: fm-contention
func TestTry(t *testing.T) {
	kit.Run(t, func() {
		m := newMutex(t)
		if !m.Try() || irql.Current() != irql.APC {
			t.Fatalf("a free mutex is not taken, or the level is %d", irql.Current())
		}
		irql.Lower(irql.Passive)
		again, level := m.Try(), irql.Current()
		irql.Raise(irql.APC)
		if again || level != irql.Passive {
			t.Errorf("the owner's second try: %v at level %d", again, level)
		}
		expect(t, "after a failed try", m, 0, kernel.Current(), 0)
		other := kit.Go(t, func() ntstatus.Status {
			if m.Try() || irql.Current() != irql.Passive {
				return ntstatus.Unsuccessful
			}
			return ntstatus.Success
		})
		if other.Join(t) != ntstatus.Success {
			t.Error("another thread's try of a held mutex")
		}
		m.Release()
		if irql.Current() != irql.Passive {
			t.Errorf("released to level %d", irql.Current())
		}
	})
}

// rule: fm-unsafe-irql
// rule: fm-enter-region-combo
func TestUnsafe(t *testing.T) {
	kit.Run(t, func() {
		m := newMutex(t)
		me := kernel.Current()
		m.OldIRQL = 7
		kernel.EnterCriticalRegion()
		m.AcquireUnsafe()
		if irql.Current() != irql.Passive || m.OldIRQL != 7 {
			t.Errorf("level %d, OldIrql %d", irql.Current(), m.OldIRQL)
		}
		expect(t, "held", m, 0, me, 0)
		m.ReleaseUnsafe()
		kernel.LeaveCriticalRegion()

		kit.At(irql.APC, func() {
			m.AcquireUnsafe()
			m.ReleaseUnsafe()
		})
		wdk.ExEnterCriticalRegionAndAcquireFastMutexUnsafe(m)
		if irql.Current() != irql.Passive || !me.APCsDisabled() || me.AllAPCsDisabled() {
			t.Errorf("combined form: level %d, APCs disabled %v, all %v", irql.Current(), me.APCsDisabled(), me.AllAPCsDisabled())
		}
		wdk.ExReleaseFastMutexUnsafeAndLeaveCriticalRegion(m)
		if me.APCsDisabled() {
			t.Error("the region was not left")
		}
		expect(t, "free", m, 1, nil, 0)
	})
}

// rule: fm-mismatch-free
func TestMismatch(t *testing.T) {
	kit.Run(t, func() {
		m := newMutex(t)
		m.Acquire()
		m.ReleaseUnsafe()
		if l := irql.Current(); l != irql.APC {
			t.Errorf("safe acquire, unsafe release: level %d", l)
		}
		irql.Lower(irql.Passive)
	})
}

// rule: fm-fifo-handoff
// rule: fm-count
// rule: fm-contention
func TestHandOver(t *testing.T) {
	m := newMutex(t)
	const threads = 4
	var order [threads]int32
	n := int32(0)
	holder := kit.Go(t, func() ntstatus.Status {
		m.Acquire()
		var waiters []*kit.Thread
		irql.Lower(irql.Passive) // so that this goroutine can wait; APCs do not matter here
		for i := range threads {
			waiters = append(waiters, kit.Go(t, func() ntstatus.Status {
				m.Acquire()
				order[n] = int32(i) // guarded by the mutex
				n++
				m.Release()
				return ntstatus.Status(irql.Current())
			}))
			kit.AwaitWaiters(t, &m.Event.Header, i+1)
			expect(t, "with waiters", m, int32(-i-1), kernel.Current(), uint32(i+1))
		}
		irql.Raise(irql.APC)
		m.Release()
		for _, w := range waiters {
			if s := w.Join(t); s != 0 {
				t.Errorf("a waiter ended at level %d", s)
			}
		}
		return ntstatus.Success
	})
	holder.Join(t)
	if order != [threads]int32{0, 1, 2, 3} {
		t.Errorf("acquired in order %v", order)
	}
	expect(t, "at last", m, 1, nil, threads)
}

// rule: fm-same-thread
func TestUnlocked(t *testing.T) {
	m := newMutex(t)
	done := make(chan ntstatus.Status)
	go func() { done <- kit.Raised(m.Acquire) }()
	if s := <-done; s != ntstatus.InvalidThread {
		t.Errorf("a goroutine that is not locked acquires: %v", s)
	}
	expect(t, "after", m, 1, nil, 0)
}

// rule: fm-not-waitable
func TestNotWaitable(t *testing.T) {
	// The public layout: what a wait would take for a header is the count.
	if unsafe.Sizeof(sync.FastMutex{}) != 56 || unsafe.Offsetof(sync.FastMutex{}.Event) != 0x18 {
		t.Error("not a FAST_MUTEX")
	}
}

// rule: fm-fifo-handoff
func TestExclusion(t *testing.T) {
	m := newMutex(t)
	var inside, sum int32
	var threads []*kit.Thread
	const rounds = 300
	for range 4 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			for i := range rounds {
				if i%5 == 0 {
					if !m.Try() {
						m.Acquire()
					}
				} else {
					m.Acquire()
				}
				if atomic.AddInt32(&inside, 1) != 1 || irql.Current() != irql.APC {
					return ntstatus.Unsuccessful
				}
				sum++
				atomic.AddInt32(&inside, -1)
				m.Release()
			}
			return ntstatus.Success
		}))
	}
	for _, th := range threads {
		if th.Join(t) != ntstatus.Success {
			t.Error("two threads were inside, or one not at APC_LEVEL")
		}
	}
	if sum != 4*rounds {
		t.Errorf("sum %d", sum)
	}
	expect(t, "at last", m, 1, nil, m.Contention)
}
