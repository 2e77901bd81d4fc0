// Package mutex tests the rules of area mutex.
package mutex

import (
	"math"
	"sync/atomic"
	"testing"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
)

func newMutex(t *testing.T) *sync.Mutex {
	m := kit.New[sync.Mutex](t)
	m.Init()
	return m
}

func newMutant(t *testing.T) *sync.Mutex {
	m := kit.New[sync.Mutex](t)
	m.InitMutant(false)
	return m
}

func acquire(m *sync.Mutex) ntstatus.Status {
	return m.Wait(kit.Forever, false, kernel.KernelMode)
}

func poll(m *sync.Mutex) ntstatus.Status {
	return m.Wait(kit.NoTime, false, kernel.KernelMode)
}

// rule: mutex-init
// rule: mutex-acquire-state
// rule: mutex-recursive
// rule: mutex-release-count
// rule: mutex-release-return
// rule: mutex-owner-list
func TestOwnership(t *testing.T) {
	kit.Run(t, func() {
		self := kernel.Current()
		for _, m := range []*sync.Mutex{newMutex(t), newMutant(t)} {
			if m.State() != 1 || m.Owner != nil {
				t.Errorf("new: state %d, owner %p", m.State(), m.Owner)
			}
			for depth := range int32(8) {
				if s := acquire(m); s != ntstatus.Success || m.State() != -depth || m.Owner != self {
					t.Errorf("acquisition %d: %v, state %d, owner %p", depth+1, s, m.State(), m.Owner)
				}
				if self.MutantList.Flink != &m.Entry || self.MutantList.Blink != &m.Entry {
					t.Errorf("acquisition %d: the mutex is not the one on its owner's list", depth+1)
				}
			}
			for want := int32(-7); want <= 0; want++ {
				if was := m.Release(); was != want {
					t.Errorf("release returned %d, want %d", was, want)
				}
			}
			if m.State() != 1 || m.Owner != nil || !self.MutantList.Empty() {
				t.Errorf("released: state %d, owner %p, list empty %v", m.State(), m.Owner, self.MutantList.Empty())
			}
		}
	})
}

// rule: mutex-non-owner-release
// rule: mutex-over-release
func TestReleaseByStranger(t *testing.T) {
	m := newMutex(t)
	if s := kit.Raised(func() { m.Release() }); s != ntstatus.MutantNotOwned || m.State() != 1 {
		t.Errorf("release of a free mutex: %v, state %d", s, m.State())
	}
	kit.Run(t, func() {
		acquire(m)
		kit.Run(t, func() {
			if s := kit.Raised(func() { m.Release() }); s != ntstatus.MutantNotOwned || m.State() != 0 {
				t.Errorf("release of another's mutex: %v, state %d", s, m.State())
			}
			if s := poll(m); s != ntstatus.Timeout || m.State() != 0 {
				t.Errorf("poll of another's mutex: %v, state %d", s, m.State())
			}
		})
		m.Release()
		if s := kit.Raised(func() { m.Release() }); s != ntstatus.MutantNotOwned || m.State() != 1 {
			t.Errorf("one release too many: %v, state %d", s, m.State())
		}
	})
}

// rule: mutex-limit
func TestLimit(t *testing.T) {
	m := newMutex(t)
	kit.Run(t, func() {
		acquire(m)
		kit.Locked(func() { m.Header.SignalState = math.MinInt32 + 1 })
		if s := acquire(m); s != ntstatus.Success || m.State() != math.MinInt32 {
			t.Errorf("last acquisition: %v, state %d", s, m.State())
		}
		if s := kit.Raised(func() { acquire(m) }); s != ntstatus.MutantLimit || m.State() != math.MinInt32 {
			t.Errorf("one more: %v, state %d", s, m.State())
		}
		kit.Locked(func() { m.Header.SignalState = 0 })
		m.Release()
	})
}

// rule: mutex-apc-disable
// rule: mutant-no-apc-disable
func TestAPCs(t *testing.T) {
	mutex, mutant := newMutex(t), newMutant(t)
	kit.Run(t, func() {
		self := kernel.Current()
		for _, c := range []struct {
			m    *sync.Mutex
			want int16
		}{{mutex, -1}, {mutant, 0}} {
			acquire(c.m)
			first := self.KernelAPCs
			acquire(c.m)
			second := self.KernelAPCs
			c.m.Release()
			third := self.KernelAPCs
			c.m.Release()
			if first != c.want || second != c.want || third != c.want || self.KernelAPCs != 0 || self.SpecialAPCs != 0 {
				t.Errorf("KernelApcDisable %d %d %d %d, want %d thrice and 0", first, second, third, self.KernelAPCs, c.want)
			}
		}
	})
}

// rule: mutex-handoff-fifo
// rule: mutex-release-boost
func TestHandOff(t *testing.T) {
	if !kit.Retry(func() bool { return handsOff(t) }) {
		t.Errorf("no boost after a hand-off")
	}
}

// handsOff has threads wait for a mutex, get it in turn, and reports whether any
// still had its boost then.
func handsOff(t *testing.T) bool {
	m := newMutex(t)
	const n = 4
	var order [n]int32
	var at, boosted atomic.Int32
	kit.Run(t, func() {
		acquire(m)
		var threads [n]*kit.Thread
		for i := range n {
			threads[i] = kit.Go(t, func() ntstatus.Status {
				s := acquire(m)
				self := kernel.Current()
				if m.Owner != self {
					t.Errorf("thread %d has the mutex but is not its owner", i)
				}
				if self.Priority == kernel.DefaultPriority+1 {
					boosted.Add(1)
				}
				order[at.Add(1)-1] = int32(i)
				m.Release()
				return s
			})
			kit.AwaitWaiters(t, &m.Header, i+1)
		}
		if was := m.Release(); was != 0 {
			t.Errorf("release returned %d", was)
		}
		for _, th := range threads {
			if s := th.Join(t); s != ntstatus.Success {
				t.Errorf("status %v", s)
			}
		}
	})
	for i := range order {
		if order[i] != int32(i) {
			t.Fatalf("order %v", order)
		}
	}
	return boosted.Load() > 0
}

// TestExclusion counts under the mutex.
func TestExclusion(t *testing.T) {
	m := newMutex(t)
	const threads, rounds = 4, 5000
	counter := 0
	var all []*kit.Thread
	for range threads {
		all = append(all, kit.Go(t, func() ntstatus.Status {
			for range rounds {
				if s := acquire(m); s != ntstatus.Success {
					return s
				}
				counter++
				m.Release()
			}
			return ntstatus.Success
		}))
	}
	for _, th := range all {
		th.Join(t)
	}
	if counter != threads*rounds {
		t.Errorf("counted %d, want %d", counter, threads*rounds)
	}
}

// rule: mutex-dispatch-mismatch
// rule: irql-zero-timeout-at-dispatch
func TestLevels(t *testing.T) {
	m := newMutex(t)
	kit.Run(t, func() {
		var s ntstatus.Status
		kit.At(irql.Dispatch, func() {
			s = poll(m)
			m.Release()
		})
		if s != ntstatus.Success || m.State() != 1 {
			t.Errorf("acquire and release at DISPATCH_LEVEL: %v, state %d", s, m.State())
		}
		kit.At(irql.Dispatch, func() { poll(m) })
		if s := kit.Raised(func() { m.Release() }); s != ntstatus.MutantNotOwned || m.State() != 0 {
			t.Errorf("acquired at DISPATCH_LEVEL, released at PASSIVE_LEVEL: %v, state %d", s, m.State())
		}
		kit.At(irql.Dispatch, func() { m.Release() })
		if m.State() != 1 {
			t.Errorf("state %d at the end", m.State())
		}
	})
}

// rule: mutant-exit-held
// rule: mutant-abandoned-status
// rule: mutex-release-abandoned
func TestAbandoned(t *testing.T) {
	m := newMutant(t)
	th := kit.Go(t, func() ntstatus.Status {
		acquire(m)
		return acquire(m)
	})
	th.Exited(t)
	if m.State() != 1 || m.Owner != nil || m.Abandoned != 1 {
		t.Errorf("after its owner's end: state %d, owner %p, abandoned %d", m.State(), m.Owner, m.Abandoned)
	}
	if s := kit.Raised(func() { m.Release() }); s != ntstatus.AbandonedWait0 {
		t.Errorf("release of an abandoned mutant: %v", s)
	}
	kit.Run(t, func() {
		if s := acquire(m); s != ntstatus.AbandonedWait0 || m.Abandoned != 0 || m.Owner != kernel.Current() {
			t.Errorf("first wait: %v, abandoned %d", s, m.Abandoned)
		}
		if s := acquire(m); s != ntstatus.Success {
			t.Errorf("second wait: %v", s)
		}
		m.Release()
		m.Release()
		if s := poll(m); s != ntstatus.Success {
			t.Errorf("wait after the release: %v", s)
		}
		m.Release()
	})
}

// rule: mutant-exit-held
func TestAbandonedToWaiter(t *testing.T) {
	m := newMutant(t)
	quit := kit.New[sync.Event](t)
	quit.InitNotification(false)
	owner := kit.Go(t, func() ntstatus.Status {
		acquire(m)
		return quit.Wait(kit.Forever, false, kernel.KernelMode)
	})
	kit.AwaitWaiters(t, &quit.Header, 1)
	heir := kit.Go(t, func() ntstatus.Status {
		s := acquire(m)
		if m.Owner != kernel.Current() {
			t.Errorf("the heir is not the owner")
		}
		m.Release()
		return s
	})
	kit.AwaitWaiters(t, &m.Header, 1)
	quit.Set(0)
	owner.Exited(t)
	if s := heir.Join(t); s != ntstatus.AbandonedWait0 {
		t.Errorf("the heir's wait: %v", s)
	}
}

// rule: wait-multiple-abandoned
// rule: wait-index-low6
func TestAbandonedIndex(t *testing.T) {
	m := newMutant(t)
	e := kit.New[sync.Event](t)
	e.InitNotification(false)
	kit.Go(t, func() ntstatus.Status { return acquire(m) }).Exited(t)
	kit.Run(t, func() {
		objects := [2]*kernel.Header{&e.Header, &m.Header}
		s := sync.WaitMany(&objects[0], 2, kernel.WaitAny, kit.Forever, false, kernel.KernelMode, nil)
		if s != ntstatus.AbandonedWait0+1 || m.Owner != kernel.Current() {
			t.Errorf("wait: %#x", int32(s))
		}
		m.Release()
	})
}

// rule: mutant-initial-owner-list
func TestInitialOwner(t *testing.T) {
	m := kit.New[sync.Mutex](t)
	kit.Run(t, func() {
		self := kernel.Current()
		m.InitMutant(true)
		if m.State() != 0 || m.Owner != self || self.MutantList.Flink != &m.Entry || self.KernelAPCs != 0 {
			t.Errorf("state %d, owner %p, KernelApcDisable %d", m.State(), m.Owner, self.KernelAPCs)
		}
		if was := m.Release(); was != 0 {
			t.Errorf("release returned %d", was)
		}
	})
}

// rule: mutex-wait-true
func TestReleaseBeforeWait(t *testing.T) {
	m := newMutex(t)
	e := kit.New[sync.Event](t)
	e.InitSynchronization(true)
	kit.Run(t, func() {
		acquire(m)
		was := m.ReleaseBeforeWait()
		level := irql.Current()
		s := e.Wait(kit.Forever, false, kernel.KernelMode)
		if was != 0 || level != irql.Dispatch || s != ntstatus.Success || irql.Current() != irql.Passive || m.State() != 1 {
			t.Errorf("release returned %d at level %d; wait: %v, level %d, state %d", was, level, s, irql.Current(), m.State())
		}
		// An error leaves nothing raised or locked behind.
		if s := kit.Raised(func() { m.ReleaseBeforeWait() }); s != ntstatus.MutantNotOwned || irql.Current() != irql.Passive {
			t.Errorf("error: %v, level %d", s, irql.Current())
		}
	})
}

// rule: wait-multi-dup-mutex
func TestOwnedCounts(t *testing.T) {
	m, n := newMutex(t), newMutex(t)
	kit.Run(t, func() {
		acquire(m)
		for _, typ := range []kernel.WaitType{kernel.WaitAll, kernel.WaitAny} {
			objects := [2]*kernel.Header{&m.Header, &n.Header}
			if s := sync.WaitMany(&objects[0], 2, typ, kit.NoTime, false, kernel.KernelMode, nil); s != ntstatus.Success {
				t.Errorf("type %d: %v", typ, s)
			}
		}
		if m.State() != -2 || n.State() != 0 {
			t.Errorf("states %d and %d", m.State(), n.State())
		}
		n.Release()
		for range 3 {
			m.Release()
		}
	})
}

// TestUnlockedGoroutine: a goroutine that may move between threads cannot own a
// mutex.
func TestUnlockedGoroutine(t *testing.T) {
	m := newMutex(t)
	if s := kit.Raised(func() { acquire(m) }); s != ntstatus.InvalidThread || m.State() != 1 {
		t.Errorf("wait: %v, state %d", s, m.State())
	}
	objects := [1]*kernel.Header{&m.Header}
	s := kit.Raised(func() {
		sync.WaitMany(&objects[0], 1, kernel.WaitAll, kit.NoTime, false, kernel.KernelMode, nil)
	})
	if s != ntstatus.InvalidThread || m.State() != 1 {
		t.Errorf("wait for many: %v, state %d", s, m.State())
	}
}
