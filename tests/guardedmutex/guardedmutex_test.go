// Package guardedmutex tests the rules of area guardedmutex.
package guardedmutex

import (
	"sync/atomic"
	"testing"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
)

func newMutex(t testing.TB) *sync.GuardedMutex {
	m := kit.New[sync.GuardedMutex](t)
	m.Init()
	return m
}

// expect compares the fields that debuggers show.
func expect(t *testing.T, when string, m *sync.GuardedMutex, count int32, owner *kernel.Thread, contention uint32) {
	t.Helper()
	if m.Count != count || m.Owner != owner || m.Contention != contention {
		t.Errorf("%s: count %d, owner %p, contention %d; want %d, %p, %d", when, m.Count, m.Owner, m.Contention, count, owner, contention)
	}
}

// rule: gm-region
// rule: gm-release
// rule: gm-apcs-off
// rule: gm-count-bits
func TestAcquireRelease(t *testing.T) {
	kit.Run(t, func() {
		m := newMutex(t)
		me := kernel.Current()
		expect(t, "free", m, 1, nil, 0)
		for _, level := range []irql.Level{irql.Passive, irql.APC} {
			kit.At(level, func() {
				m.Acquire()
				if irql.Current() != level || me.SpecialAPCs != -1 || me.KernelAPCs != 0 || !me.APCsDisabled() || !me.AllAPCsDisabled() {
					t.Errorf("held: level %d, counts %d and %d", irql.Current(), me.SpecialAPCs, me.KernelAPCs)
				}
				if m.SpecialAPCDisable != -1 {
					t.Errorf("the mutex shows a count of %d", m.SpecialAPCDisable)
				}
				expect(t, "held", m, 0, me, 0)
				m.Release()
				if irql.Current() != level || me.SpecialAPCs != 0 {
					t.Errorf("released: level %d, count %d", irql.Current(), me.SpecialAPCs)
				}
				expect(t, "released", m, 1, nil, 0)
			})
		}
	})
}

// rule: gm-try
func TestTry(t *testing.T) {
	kit.Run(t, func() {
		m := newMutex(t)
		me := kernel.Current()
		if !m.Try() || me.SpecialAPCs != -1 {
			t.Fatalf("a free mutex is not taken, or the count is %d", me.SpecialAPCs)
		}
		if m.Try() || me.SpecialAPCs != -1 {
			t.Errorf("the owner's second try succeeded, or the count is %d", me.SpecialAPCs)
		}
		other := kit.Go(t, func() ntstatus.Status {
			if m.Try() || kernel.Current().SpecialAPCs != 0 {
				return ntstatus.Unsuccessful
			}
			return ntstatus.Success
		})
		if other.Join(t) != ntstatus.Success {
			t.Error("another thread's try of a held mutex")
		}
		m.Release()
		expect(t, "at last", m, 1, nil, 0)
	})
}

// rule: gm-unsafe
// rule: gm-pairing
func TestUnsafe(t *testing.T) {
	kit.Run(t, func() {
		m := newMutex(t)
		me := kernel.Current()
		kernel.EnterGuardedRegion()
		m.AcquireUnsafe()
		if me.SpecialAPCs != -1 {
			t.Errorf("count %d", me.SpecialAPCs)
		}
		m.ReleaseUnsafe()
		kernel.LeaveGuardedRegion()
		kit.At(irql.APC, func() { m.AcquireUnsafe(); m.ReleaseUnsafe() })

		m.Acquire()
		m.ReleaseUnsafe()
		if me.SpecialAPCs != -1 {
			t.Errorf("safe acquire, unsafe release: count %d", me.SpecialAPCs)
		}
		m.AcquireUnsafe()
		m.Release()
		if me.SpecialAPCs != 0 {
			t.Errorf("unsafe acquire, safe release: count %d", me.SpecialAPCs)
		}
	})
}

// rule: gm-fifo
// rule: gm-contention
// rule: gm-count-bits
func TestHandOver(t *testing.T) {
	m := newMutex(t)
	const threads = 4
	var order [threads]int32
	n := int32(0)
	kit.Run(t, func() {
		m.Acquire()
		var waiters []*kit.Thread
		for i := range threads {
			waiters = append(waiters, kit.Go(t, func() ntstatus.Status {
				m.Acquire()
				order[n] = int32(i) // guarded by the mutex
				n++
				m.Release()
				return ntstatus.Status(kernel.Current().SpecialAPCs)
			}))
			kit.AwaitWaiters(t, &m.Gate.Header, i+1)
			expect(t, "with waiters", m, int32(4*(i+1)), kernel.Current(), uint32(i+1))
		}
		m.Release()
		for _, w := range waiters {
			if s := w.Join(t); s != 0 {
				t.Errorf("a waiter ended with count %d", s)
			}
		}
	})
	if order != [threads]int32{0, 1, 2, 3} {
		t.Errorf("acquired in order %v", order)
	}
	expect(t, "at last", m, 1, nil, threads)
}

// rule: gm-max-irql
// rule: gm-win8-same
func TestExclusion(t *testing.T) {
	m := newMutex(t)
	var inside, sum int32
	var threads []*kit.Thread
	const rounds = 300
	for range 4 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			for i := range rounds {
				if i%5 != 0 || !m.Try() {
					m.Acquire()
				}
				if atomic.AddInt32(&inside, 1) != 1 {
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
			t.Error("two threads were inside")
		}
	}
	if sum != 4*rounds {
		t.Errorf("sum %d", sum)
	}
	expect(t, "at last", m, 1, nil, m.Contention)
}
