// Package event tests the rules of area event.
package event

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
)

func notification(t *testing.T, signalled bool) *sync.Event {
	e := kit.New[sync.Event](t)
	e.InitNotification(signalled)
	return e
}

func synchronization(t *testing.T, signalled bool) *sync.Event {
	e := kit.New[sync.Event](t)
	e.InitSynchronization(signalled)
	return e
}

// poll waits without waiting.
func poll(e *sync.Event) ntstatus.Status { return e.Wait(kit.NoTime, false, kernel.KernelMode) }

// rule: event-init-state
func TestInit(t *testing.T) {
	for _, signalled := range []bool{false, true} {
		for _, e := range []*sync.Event{notification(t, signalled), synchronization(t, signalled)} {
			if (e.State() == 1) != signalled || kit.Waiters(&e.Header) != 0 {
				t.Errorf("type %d, signalled %v: state %d", e.Header.Type, signalled, e.State())
			}
		}
	}
}

// rule: event-set-returns-previous
// rule: event-set-normalizes
// rule: event-clear-void
// rule: event-read
// rule: event-set-signaled-notification-fast
func TestPreviousState(t *testing.T) {
	for _, e := range []*sync.Event{notification(t, false), synchronization(t, false)} {
		for _, step := range []struct {
			what string
			do   func() int32
			want int32
		}{
			{"read", e.State, 0},
			{"set", func() int32 { return e.Set(0) }, 0},
			{"read after set", e.State, 1},
			{"set again", func() int32 { return e.Set(0) }, 1},
			{"reset", e.Reset, 1},
			{"reset again", e.Reset, 0},
			{"set after reset", func() int32 { return e.Set(0) }, 0},
			{"clear", func() int32 { e.Clear(); return e.State() }, 0},
			{"pulse", func() int32 { return e.Pulse(0) }, 0},
			{"set before pulse", func() int32 { return e.Set(0) }, 0},
			{"pulse when signalled", func() int32 { return e.Pulse(0) }, 1},
			{"read after pulse", e.State, 0},
		} {
			if got := step.do(); got != step.want {
				t.Errorf("type %d: %s: %d, want %d", e.Header.Type, step.what, got, step.want)
			}
		}
	}
}

// rule: event-notification-wait-no-effect
// rule: event-sync-no-waiter
// rule: event-sync-not-counting
func TestPoll(t *testing.T) {
	n := notification(t, false)
	if s := poll(n); s != ntstatus.Timeout {
		t.Errorf("wait for an event that is not signalled: %v", s)
	}
	n.Set(0)
	for range 3 {
		if s := poll(n); s != ntstatus.Success || n.State() != 1 {
			t.Errorf("wait for a signalled notification event: %v, state %d", s, n.State())
		}
	}
	e := synchronization(t, false)
	e.Set(0)
	e.Set(0)
	if s := poll(e); s != ntstatus.Success || e.State() != 0 {
		t.Errorf("first wait for a signalled synchronization event: %v, state %d", s, e.State())
	}
	if s := poll(e); s != ntstatus.Timeout {
		t.Errorf("second wait after two sets: %v", s)
	}
}

// gang is a number of threads that wait for an event, in order.
type gang struct {
	threads []*kit.Thread
	order   [8]int32 // index of the thread that was released n-th, plus one
	n       int32
}

func newGang(t *testing.T, e *sync.Event, n int, prepare ...func()) *gang {
	g := &gang{}
	for i := range n {
		g.threads = append(g.threads, kit.Go(t, func() ntstatus.Status {
			s := e.Wait(kit.Forever, false, kernel.KernelMode)
			g.order[atomic.AddInt32(&g.n, 1)-1] = int32(i + 1)
			return s
		}, prepare...))
		kit.AwaitWaiters(t, &e.Header, i+1)
	}
	return g
}

func (g *gang) ended() (n int) {
	for _, th := range g.threads {
		if th.Ended() {
			n++
		}
	}
	return n
}

// rule: event-notification-all
func TestNotificationReleasesAll(t *testing.T) {
	e := notification(t, false)
	g := newGang(t, e, 4)
	if was := e.Set(0); was != 0 {
		t.Errorf("state before was %d", was)
	}
	for _, th := range g.threads {
		if s := th.Join(t); s != ntstatus.Success {
			t.Errorf("status %v", s)
		}
	}
	if e.State() != 1 {
		t.Errorf("state after is %d", e.State())
	}
}

// rule: event-sync-one
// rule: wait-fifo
func TestSynchronizationReleasesOne(t *testing.T) {
	e := synchronization(t, false)
	g := newGang(t, e, 4)
	for i, th := range g.threads {
		e.Set(0)
		if s := th.Join(t); s != ntstatus.Success {
			t.Errorf("status %v", s)
		}
		if g.ended() != i+1 || kit.Waiters(&e.Header) != 3-i || e.State() != 0 {
			t.Fatalf("after %d sets %d threads are released, %d wait, state %d", i+1, g.ended(), kit.Waiters(&e.Header), e.State())
		}
	}
}

// rule: event-pulse-release
// rule: event-pulse-returns
// rule: event-pulse-no-waiters
func TestPulse(t *testing.T) {
	n := notification(t, false)
	g := newGang(t, n, 3)
	if was := n.Pulse(0); was != 0 || n.State() != 0 {
		t.Errorf("pulse returned %d and left state %d", was, n.State())
	}
	for _, th := range g.threads {
		th.Join(t)
	}
	e := synchronization(t, false)
	g = newGang(t, e, 2)
	e.Pulse(0)
	g.threads[0].Join(t)
	if e.State() != 0 || kit.Waiters(&e.Header) != 1 {
		t.Errorf("pulse left state %d and %d waiters, want 0 and 1", e.State(), kit.Waiters(&e.Header))
	}
	e.Pulse(0)
}

// rule: event-set-dispatch
func TestSetAtDispatch(t *testing.T) {
	e := notification(t, false)
	var was int32
	var level irql.Level
	kit.At(irql.Dispatch, func() {
		was = e.Set(0)
		level = irql.Current()
	})
	if was != 0 || level != irql.Dispatch || e.State() != 1 {
		t.Errorf("was %d, level %d, state %d", was, level, e.State())
	}
}

// rule: event-wait-true-irql
// rule: irql-wait-restores
// rule: wait-next-flag
func TestSetBeforeWait(t *testing.T) {
	defer kit.Stay()()
	kit.System()
	for _, entry := range []irql.Level{irql.Passive, irql.APC} {
		for _, op := range []struct {
			name string
			do   func(e *sync.Event) int32
			left int32
		}{
			{"set", func(e *sync.Event) int32 { return e.SetBeforeWait(0) }, 1},
			{"pulse", func(e *sync.Event) int32 { return e.PulseBeforeWait(0) }, 0},
		} {
			e, other := notification(t, false), notification(t, true)
			old := irql.Raise(entry)
			op.do(e)
			th := kernel.Current()
			level, next, saved := irql.Current(), th.WaitNext, th.WaitIRQL
			s := other.Wait(kit.Forever, false, kernel.KernelMode)
			after, nextAfter := irql.Current(), th.WaitNext
			irql.Lower(old)
			if level != irql.Dispatch || !next || saved != entry {
				t.Errorf("%s at %d: level %d, WaitNext %v, WaitIrql %d", op.name, entry, level, next, saved)
			}
			if s != ntstatus.Success || after != entry || nextAfter || e.State() != op.left {
				t.Errorf("%s at %d: wait %v, level %d, WaitNext %v, state %d", op.name, entry, s, after, nextAfter, e.State())
			}
		}
	}
}

// Two threads hand each other the turn. A wait that blocks gives up the P of its
// goroutine, for which the garbage collector keeps waiting.
//
// rule: event-wait-true-irql
func TestSetBeforeBlocking(t *testing.T) {
	request, reply := synchronization(t, false), synchronization(t, false)
	const rounds = 400
	var stop atomic.Bool
	defer stop.Store(true)
	go func() {
		for !stop.Load() {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
	}()
	server := kit.Go(t, func() ntstatus.Status {
		request.Wait(kit.Forever, false, kernel.KernelMode)
		for range rounds - 1 {
			reply.SetBeforeWait(0)
			request.Wait(kit.Forever, false, kernel.KernelMode)
		}
		reply.Set(0)
		return ntstatus.Success
	})
	client := kit.Go(t, func() ntstatus.Status {
		for range rounds {
			request.SetBeforeWait(0)
			if s := reply.Wait(kit.Forever, false, kernel.KernelMode); s != ntstatus.Success || irql.Current() != 0 {
				return s
			}
		}
		return ntstatus.Success
	})
	if s := client.Join(t); s != ntstatus.Success {
		t.Errorf("status %v", s)
	}
	server.Join(t)
}

// rule: event-boost-dynamic
// rule: wait-boost-applied
// rule: wait-boost-value
// rule: wait-boost-realtime-none
// rule: event-boost-negative
func TestBoost(t *testing.T) {
	for _, c := range []struct {
		base, inc, want int8
	}{
		{8, 0, 8}, {8, 1, 9}, {8, 5, 13}, {8, 7, 15}, {8, 20, 15}, {15, 3, 15}, {16, 4, 16}, {8, -2, 8},
	} {
		var got int8
		if !kit.Retry(func() bool {
			e := synchronization(t, false)
			th := kit.Go(t, func() ntstatus.Status {
				s := e.Wait(kit.Forever, false, kernel.KernelMode)
				got = kernel.Current().Priority
				return s
			}, func() { kit.SetPriority(c.base) })
			kit.AwaitWaiters(t, &e.Header, 1)
			e.Set(c.inc)
			th.Join(t)
			return got == c.want
		}) {
			t.Errorf("base %d, increment %d: priority %d, want %d", c.base, c.inc, got, c.want)
		}
	}
}

// rule: event-boost-set-no-waiter
func TestBoostNobody(t *testing.T) {
	kit.System()
	e := synchronization(t, false)
	var before, after int8
	if !kit.Retry(func() bool {
		before = kernel.Current().Priority
		e.Set(5)
		e.Wait(kit.Forever, false, kernel.KernelMode)
		after = kernel.Current().Priority
		return after <= before
	}) {
		t.Errorf("priority %d after a wait that was satisfied at once, %d before", after, before)
	}
}

// rule: event-boost-preempts
func TestBoostPreempts(t *testing.T) {
	e := synchronization(t, false)
	var ran atomic.Bool
	seen := 0
	const rounds = 20
	setter := kit.Go(t, func() ntstatus.Status {
		for range rounds {
			ran.Store(false)
			th := kit.Go(t, func() ntstatus.Status {
				s := e.Wait(kit.Forever, false, kernel.KernelMode)
				ran.Store(true)
				return s
			}, func() { kit.OnCPU(0); kit.SetPriority(10) })
			kit.AwaitWaiters(t, &e.Header, 1)
			e.Set(1)
			if ran.Load() {
				seen++
			}
			th.Join(t)
		}
		return ntstatus.Success
	}, func() { kit.OnCPU(0); kit.SetPriority(10) })
	setter.Join(t)
	// A lock of the Go runtime may hold the thread up on its way back to Go code.
	if seen < rounds*3/4 {
		t.Errorf("the woken thread ran before the setter went on in %d of %d rounds", seen, rounds)
	}
}

// rule: event-priority-after-exit
func TestPriorityAfterExit(t *testing.T) {
	e := synchronization(t, false)
	var object *kernel.Thread
	var p int8
	if !kit.Retry(func() bool {
		th := kit.Go(t, func() ntstatus.Status {
			s := e.Wait(kit.Forever, false, kernel.KernelMode)
			kernel.Current().Quantum = 1 << 30 // so that the boost stays until the end
			return s
		}, func() {
			object = kernel.Current()
			kit.Locked(func() { object.Reference() })
		})
		kit.AwaitWaiters(t, &e.Header, 1)
		e.Set(3)
		th.Exited(t)
		p = object.Priority
		ended := object.Header.State()
		kit.Locked(func() { object.Dereference() })
		return ended == 1 && p == kernel.DefaultPriority+3
	}) {
		t.Errorf("priority %d after the end", p)
	}
}

// rule: event-boostpriority-thread
func TestBoostingSet(t *testing.T) {
	e := synchronization(t, false)
	var released *kernel.Thread
	var priority int8
	ok := kit.Retry(func() bool {
		waiter := kit.Go(t, func() ntstatus.Status { return e.Wait(kit.Forever, false, kernel.KernelMode) })
		kit.AwaitWaiters(t, &e.Header, 1)
		kit.Run(t, func() {
			kit.At(irql.Dispatch, func() { // where it can't run yet, on one processor
				released = e.SetBoosting()
				priority = waiter.Kernel.Priority
			})
		}, func() { kit.SetPriority(12) })
		same := released == waiter.Kernel
		waiter.Join(t)
		return same && priority >= 12
	})
	if !ok || e.State() != 0 {
		t.Errorf("released %p with priority %d; state %d", released, priority, e.State())
	}
	released = e.SetBoosting()
	if released != nil || e.State() == 0 {
		t.Errorf("without a waiter: released %p, state %d", released, e.State())
	}
}
