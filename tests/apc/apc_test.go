package apc

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"irqlab/apc"
	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
	"irqlab/thread"
)

// log is what happened, in order. Kernel routines write it, so it is resident:
// letters in an array.
type log struct {
	n    atomic.Int32
	what [64]byte
}

func (l *log) add(c byte) { l.what[l.n.Add(1)-1] = c }

func (l *log) String() string { return string(l.what[:l.n.Load()]) }

// probe is an APC that logs its routines: the kernel routine as a lower-case
// letter, the normal routine as the upper-case one.
type probe struct {
	a      *kernel.APC
	log    *log
	letter byte

	kernelLevel, normalLevel irql.Level
	kernelThread             *kernel.Thread
	normalThread             *kernel.Thread
	inserted                 bool   // when the kernel routine ran
	inKernel                 bool   // the kernel routine did
	during                   func() // by the normal routine
	kernelDuring             func() // by the kernel routine
}

type kind int

const (
	special kind = iota
	normal
	user
)

func newProbe(t testing.TB, th *kernel.Thread, k kind, l *log, letter byte) *probe {
	p := &probe{a: kit.New[kernel.APC](t), log: l, letter: letter}
	kernelRoutine := func(a *kernel.APC, _ *kernel.NormalRoutine, _, _, _ *unsafe.Pointer) {
		p.kernelLevel, p.kernelThread = irql.Current(), kernel.Current()
		p.inserted, p.inKernel = a.Inserted, arch.InKernel()
		p.log.add(p.letter)
		if p.kernelDuring != nil {
			p.kernelDuring()
		}
	}
	normalRoutine := func(_, _, _ unsafe.Pointer) {
		p.normalLevel, p.normalThread = irql.Current(), kernel.Current()
		p.log.add(p.letter - 'a' + 'A')
		if p.during != nil {
			p.during()
		}
	}
	// A thread that ends before its APC is delivered would free the APC, which
	// is the test's.
	rundown := func(*kernel.APC) {}
	switch k {
	case special:
		apc.Init(p.a, th, kernelRoutine, rundown, nil, kernel.KernelMode, nil)
	case normal:
		apc.Init(p.a, th, kernelRoutine, rundown, normalRoutine, kernel.KernelMode, nil)
	case user:
		apc.Init(p.a, th, kernelRoutine, rundown, normalRoutine, kernel.UserMode, nil)
	}
	return p
}

func (p *probe) insert() bool { return apc.Insert(p.a, nil, nil, 0) }

// alertable waits for no time, alertable in UserMode, which lets user APCs in.
func alertable() ntstatus.Status { return sync.Delay(-1, true, kernel.UserMode) }

func self() *kernel.Thread { return kernel.Current() }

func expect(t testing.TB, what string, l *log, want string) {
	t.Helper()
	if got := l.String(); got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// rule: apc-three-kinds
// rule: apc-kernelroutine-level
// rule: apc-inserted-cleared-first
// rule: apc-self-passive-immediate
func TestKinds(t *testing.T) {
	kit.Run(t, func() {
		for _, c := range []struct {
			kind  kind
			after string // the insertion
			wait  string // an alertable wait
		}{
			{special, "a", "a"},
			{normal, "aA", "aA"},
			{user, "", "aA"},
		} {
			var l log
			p := newProbe(t, self(), c.kind, &l, 'a')
			if !p.insert() {
				t.Error("not inserted")
			}
			expect(t, fmt.Sprintf("kind %d after insertion", c.kind), &l, c.after)
			if s := alertable(); (s == ntstatus.UserAPC) != (c.kind == user) {
				t.Errorf("kind %d: wait: %v", c.kind, s)
			}
			expect(t, fmt.Sprintf("kind %d after a wait", c.kind), &l, c.wait)
			if p.kernelLevel != irql.APC || p.normalLevel != irql.Passive || p.inserted || !p.inKernel {
				t.Errorf("kind %d: %+v", c.kind, p)
			}
			if p.kernelThread != self() || c.kind != special && p.normalThread != self() {
				t.Errorf("kind %d: ran on another thread", c.kind)
			}
		}
	})
}

// rule: apc-order
// rule: apc-special-queue-position
// rule: apc-normal-fifo
// rule: apc-irql-blocks-all
func TestOrder(t *testing.T) {
	kit.Run(t, func() {
		var l log
		var ps []*probe
		for i, k := range []kind{user, normal, special, normal, special, user, special} {
			ps = append(ps, newProbe(t, self(), k, &l, byte('a'+i)))
		}
		kit.At(irql.APC, func() {
			for _, p := range ps {
				p.insert()
			}
			time.Sleep(time.Millisecond)
			expect(t, "at APC_LEVEL", &l, "")
		})
		expect(t, "after lowering", &l, "ceg"+"bB"+"dD")
		alertable()
		expect(t, "after an alertable wait", &l, "ceg"+"bB"+"dD"+"aA"+"fF")
	})
}

// rule: apc-special-preempts-normal
// rule: apc-normal-in-progress
// rule: apc-normal-preempts-user
func TestInside(t *testing.T) {
	kit.Run(t, func() {
		for _, c := range []struct {
			outer, inner kind
			want         string
		}{
			{normal, special, "aAb!"},
			{normal, normal, "aA!bB"},
			{normal, user, "aA!"},
			{user, special, "aAb!"},
			{user, normal, "aAbB!"},
			{user, user, "aA!bB"},
		} {
			var l log
			outer := newProbe(t, self(), c.outer, &l, 'a')
			inner := newProbe(t, self(), c.inner, &l, 'b')
			outer.during = func() {
				inner.insert()
				time.Sleep(time.Millisecond)
				l.add('!')
			}
			outer.insert()
			if c.outer == user {
				alertable()
			}
			expect(t, fmt.Sprintf("kind %d inside kind %d", c.inner, c.outer), &l, c.want)
			alertable()
		}
	})
}

// rule: apc-kernelroutine-cancel
// rule: apc-kernelroutine-rewrite
// rule: apc-null-normal-is-special
func TestKernelRoutine(t *testing.T) {
	kit.Run(t, func() {
		var words [6]byte
		at := func(i int) unsafe.Pointer { return unsafe.Pointer(&words[i]) }
		a := kit.New[kernel.APC](t)
		ran, cancel := 0, true
		var seen [3]unsafe.Pointer
		apc.Init(a, self(), func(_ *kernel.APC, n *kernel.NormalRoutine, c, a1, a2 *unsafe.Pointer) {
			if *c != at(0) || *a1 != at(1) || *a2 != at(2) {
				ran = -100
			}
			if cancel {
				*n = nil
			}
			*(*uintptr)(unsafe.Pointer(c)) = uintptr(at(3))
			*(*uintptr)(unsafe.Pointer(a1)) = uintptr(at(4))
			*(*uintptr)(unsafe.Pointer(a2)) = uintptr(at(5))
		}, nil, func(c, a1, a2 unsafe.Pointer) {
			ran++
			seen = [3]unsafe.Pointer{c, a1, a2}
		}, kernel.KernelMode, at(0))
		apc.Insert(a, at(1), at(2), 0)
		if ran != 0 {
			t.Error("the normal routine ran though it was cancelled")
		}
		cancel = false
		apc.Insert(a, at(1), at(2), 0)
		if ran != 1 || seen != [3]unsafe.Pointer{at(3), at(4), at(5)} {
			t.Errorf("ran %d times, with %v", ran, seen)
		}
		apc.Init(a, self(), func(*kernel.APC, *kernel.NormalRoutine, *unsafe.Pointer, *unsafe.Pointer, *unsafe.Pointer) {}, nil,
			nil, kernel.UserMode, at(0))
		if a.Mode != kernel.KernelMode || a.NormalContext != nil || !a.Special() {
			t.Errorf("without a normal routine: mode %d, context %v", a.Mode, a.NormalContext)
		}
	})
}

// rule: apc-insert-twice
// rule: apc-remove
func TestInsertRemove(t *testing.T) {
	kit.Run(t, func() {
		for _, k := range []kind{special, normal, user} {
			var l log
			p := newProbe(t, self(), k, &l, 'a')
			kit.At(irql.APC, func() {
				if apc.Remove(p.a) {
					t.Error("removed what was not inserted")
				}
				if !p.insert() || p.insert() {
					t.Errorf("kind %d: insertion twice", k)
				}
				if !p.a.Inserted || !apc.Remove(p.a) || p.a.Inserted || apc.Remove(p.a) {
					t.Errorf("kind %d: removal", k)
				}
			})
			alertable()
			expect(t, "removed", &l, "")
		}
	})
}

// held inserts an APC of each kind, calls middle, and returns what was delivered
// before it and after it.
func held(t *testing.T, inside, leave func()) (within, after string) {
	var l log
	for i, k := range []kind{special, normal, user} {
		newProbe(t, self(), k, &l, byte('a'+i)).insert()
	}
	inside()
	within = l.String()
	leave()
	return within, strings.TrimPrefix(l.String(), within)
}

// rule: apc-critical-blocks
// rule: apc-guarded-blocks-all
// rule: apc-irql-blocks-all
// rule: apc-matrix-mutex
// rule: apc-leave-delivers
// rule: apc-leave-checks-both
// rule: apc-region-nests
// rule: mutex-special-apc-still
func TestHeldBack(t *testing.T) {
	m := kit.New[sync.Mutex](t)
	m.Init()
	var old irql.Level
	for _, c := range []struct {
		what          string
		enter, leave  func()
		within, after string
	}{
		{"nothing", func() {}, func() {}, "abBcC", ""},
		{"critical region", kernel.EnterCriticalRegion, kernel.LeaveCriticalRegion, "a", "bBcC"},
		{"guarded region", kernel.EnterGuardedRegion, kernel.LeaveGuardedRegion, "", "abBcC"},
		{"two critical regions", func() { kernel.EnterCriticalRegion(); kernel.EnterCriticalRegion() },
			func() { kernel.LeaveCriticalRegion(); kernel.LeaveCriticalRegion() }, "a", "bBcC"},
		{"critical in guarded", func() { kernel.EnterGuardedRegion(); kernel.EnterCriticalRegion() },
			func() { kernel.LeaveCriticalRegion(); kernel.LeaveGuardedRegion() }, "", "abBcC"},
		{"crossed", func() { kernel.EnterGuardedRegion(); kernel.EnterCriticalRegion() },
			func() { kernel.LeaveGuardedRegion(); kernel.LeaveCriticalRegion() }, "", "abBcC"},
		{"mutex", func() { m.Wait(nil, false, kernel.KernelMode) }, func() { m.Release() }, "a", "bBcC"},
		{"APC_LEVEL", func() { old = irql.Raise(irql.APC) }, func() { irql.Lower(old) }, "", "abBcC"},
	} {
		t.Run(c.what, func(t *testing.T) {
			kit.Run(t, func() {
				c.enter()
				within, after := held(t, func() {
					if s := alertable(); s != ntstatus.UserAPC {
						t.Errorf("wait: %v", s)
					}
				}, c.leave)
				if within != c.within || after != c.after {
					t.Errorf("within %q, after %q; want %q, %q", within, after, c.within, c.after)
				}
			})
		})
	}
}

// rule: apc-leave-checks-both
// rule: apc-mixed-leave-order
func TestLeaveInner(t *testing.T) {
	kit.Run(t, func() {
		var l log
		kernel.EnterGuardedRegion()
		kernel.EnterCriticalRegion()
		newProbe(t, self(), special, &l, 'a').insert()
		newProbe(t, self(), normal, &l, 'b').insert()
		kernel.LeaveCriticalRegion()
		expect(t, "still guarded", &l, "")
		kernel.EnterCriticalRegion()
		kernel.LeaveGuardedRegion()
		expect(t, "still critical", &l, "a")
		kernel.LeaveCriticalRegion()
		expect(t, "free", &l, "abB")
	})
}

// rule: apc-leave-delivers
func TestLeaveAtAPCLevel(t *testing.T) {
	kit.Run(t, func() {
		var l log
		kernel.EnterGuardedRegion()
		newProbe(t, self(), special, &l, 'a').insert()
		newProbe(t, self(), normal, &l, 'b').insert()
		kit.At(irql.APC, func() {
			kernel.LeaveGuardedRegion()
			expect(t, "left at APC_LEVEL", &l, "")
		})
		expect(t, "lowered", &l, "abB")
	})
}

// rule: apc-critical-count
// rule: apc-guarded-count
// rule: apc-query-critical
// rule: apc-query-guarded
// rule: apc-query-apc-level
// rule: irql-apcs-masked-not-disabled
// rule: apc-mixed-leave-order
func TestCounts(t *testing.T) {
	kit.Run(t, func() {
		th := self()
		check := func(what string, critical, guarded int16, any, all bool) {
			t.Helper()
			if th.KernelAPCs != critical || th.SpecialAPCs != guarded || th.APCsDisabled() != any || th.AllAPCsDisabled() != all {
				t.Errorf("%s: counts %d, %d, disabled %v, all %v", what, th.KernelAPCs, th.SpecialAPCs, th.APCsDisabled(), th.AllAPCsDisabled())
			}
		}
		check("at first", 0, 0, false, false)
		for i := range int16(3) {
			kernel.EnterCriticalRegion()
			check("critical", -1-i, 0, true, false)
		}
		kernel.EnterGuardedRegion()
		check("guarded", -3, -1, true, true)
		for i := range int16(3) {
			kernel.LeaveCriticalRegion()
			check("critical left", i-2, -1, true, true)
		}
		kernel.LeaveGuardedRegion()
		check("all left", 0, 0, false, false)
		kit.At(irql.APC, func() { check("APC_LEVEL", 0, 0, false, true) })
	})
}

// rule: apc-query-high-irql
func TestHighLevel(t *testing.T) {
	kit.Run(t, func() {
		th := self()
		ok := true
		var l log
		p := newProbe(t, th, normal, &l, 'a')
		kernel.EnterCriticalRegion()
		p.insert()
		kit.At(irql.High, func() {
			ok = th.APCsDisabled() && th.AllAPCsDisabled()
			kernel.EnterCriticalRegion()
			kernel.LeaveCriticalRegion()
			kernel.LeaveCriticalRegion()
			ok = ok && !th.APCsDisabled() && th.AllAPCsDisabled()
		})
		if !ok {
			t.Error("queries at HIGH_LEVEL")
		}
		expect(t, "region left at HIGH_LEVEL", &l, "aA")
	})
}

// rule: apc-region-per-thread
func TestRegionPerThread(t *testing.T) {
	var l log
	waits := kit.New[sync.Event](t)
	waits.InitNotification(false)
	th := kit.Go(t, func() ntstatus.Status { return waits.Wait(nil, false, kernel.KernelMode) }, func() { kit.OnCPU(0) })
	kit.AwaitWaiters(t, &waits.Header, 1)
	kit.Run(t, func() {
		kernel.EnterGuardedRegion()
		defer kernel.LeaveGuardedRegion()
		newProbe(t, th.Kernel, special, &l, 'a').insert()
		newProbe(t, th.Kernel, normal, &l, 'b').insert()
		kit.Until(t, "the other thread's APCs", func() bool { return l.String() == "abB" })
	}, func() { kit.OnCPU(0) })
	waits.Set(0)
}

// rule: apc-kernel-transparent
// rule: apc-rewait-timeout
// rule: apc-rewait-position
// rule: apc-kernel-wakes-passive-waiter
func TestWaitResumes(t *testing.T) {
	for _, k := range []kind{special, normal} {
		e := kit.New[sync.Event](t)
		e.InitSynchronization(false)
		var order log
		waiter := func(letter byte) *kit.Thread {
			th := kit.Go(t, func() ntstatus.Status {
				s := e.Wait(nil, false, kernel.KernelMode)
				order.add(letter)
				return s
			})
			return th
		}
		first := waiter('1')
		kit.AwaitWaiters(t, &e.Header, 1)
		second := waiter('2')
		kit.AwaitWaiters(t, &e.Header, 2)
		var l log
		p := newProbe(t, first.Kernel, k, &l, 'a')
		p.insert()
		kit.Until(t, "the APC", func() bool { return l.n.Load() == 1+int32(k) })
		kit.AwaitWaiters(t, &e.Header, 2)
		if first.Ended() || p.kernelLevel != irql.APC {
			t.Errorf("kind %d ended the wait, or ran at %d", k, p.kernelLevel)
		}
		// The first is the last now.
		e.Set(0)
		second.Join(t)
		e.Set(0)
		if s := first.Join(t); s != ntstatus.Success {
			t.Errorf("wait that was interrupted: %v", s)
		}
		expect(t, "order", &order, "21")
	}
}

// rule: apc-rewait-timeout
func TestRewaitTimeout(t *testing.T) {
	for _, k := range []kind{special, normal} {
		for _, delay := range []bool{false, true} {
			if !kit.Retry(func() bool { return resumesTimeout(t, k, delay) }) {
				t.Errorf("kind %d, delay %v: an APC made the wait longer", k, delay)
			}
		}
	}
}

// resumesTimeout interrupts a wait of 200 ms by APCs, and reports whether it
// ended less than 200 ms after the last of them.
func resumesTimeout(t *testing.T, k kind, delay bool) bool {
	const limit = 200
	e := kit.New[sync.Event](t)
	e.InitNotification(false)
	var took, last uint64
	var started atomic.Bool
	want := ntstatus.Timeout
	if delay {
		want = ntstatus.Success
	}
	th := kit.Go(t, func() ntstatus.Status {
		start := kernel.InterruptTime()
		started.Store(true)
		var s ntstatus.Status
		if delay {
			s = sync.Delay(*kit.Ms(limit), false, kernel.KernelMode)
		} else {
			s = e.Wait(kit.Ms(limit), false, kernel.KernelMode)
		}
		took = kernel.InterruptTime() - start
		if last > start {
			last -= start
		}
		return s
	})
	kit.Until(t, "start", started.Load)
	var l log
	p := newProbe(t, th.Kernel, k, &l, 'a')
	p.kernelDuring = func() { last = kernel.InterruptTime() }
	for n := 0; !th.Ended() && n < 20; time.Sleep(10 * time.Millisecond) {
		if p.insert() {
			n++
		}
	}
	if s := th.Join(t); s != want || took < limit*kernel.Millisecond {
		t.Errorf("kind %d, delay %v: %v after %d ms", k, delay, s, took/kernel.Millisecond)
	}
	return last > limit/4*kernel.Millisecond && took < last+limit*kernel.Millisecond
}

// rule: apc-kernel-wakes-passive-waiter
func TestWaitAtAPCLevel(t *testing.T) {
	e := kit.New[sync.Event](t)
	e.InitNotification(false)
	var l log
	th := kit.Go(t, func() ntstatus.Status {
		old := irql.Raise(irql.APC)
		s := e.Wait(nil, false, kernel.KernelMode)
		l.add('!')
		irql.Lower(old)
		l.add('.')
		return s
	})
	kit.AwaitWaiters(t, &e.Header, 1)
	newProbe(t, th.Kernel, special, &l, 'a').insert()
	newProbe(t, th.Kernel, normal, &l, 'b').insert()
	time.Sleep(5 * time.Millisecond)
	expect(t, "waiting at APC_LEVEL", &l, "")
	e.Set(0)
	th.Join(t)
	expect(t, "lowered", &l, "!abB.")
}

// rule: apc-pulse-missed
func TestPulseMissed(t *testing.T) {
	e := kit.New[sync.Event](t)
	e.InitNotification(false)
	blocked := kit.New[sync.Event](t)
	blocked.InitNotification(false)
	th := kit.Go(t, func() ntstatus.Status { return e.Wait(nil, false, kernel.KernelMode) })
	kit.AwaitWaiters(t, &e.Header, 1)
	var l log
	p := newProbe(t, th.Kernel, normal, &l, 'a')
	p.during = func() { blocked.Wait(nil, false, kernel.KernelMode) }
	p.insert()
	kit.AwaitWaiters(t, &blocked.Header, 1)
	e.Pulse(0)
	blocked.Set(0)
	kit.AwaitWaiters(t, &e.Header, 1)
	if th.Ended() {
		t.Error("the pulse was seen")
	}
	e.Set(0)
}

// rule: wait-kernel-apc-first
func TestBeforeWait(t *testing.T) {
	kit.Run(t, func() {
		e := kit.New[sync.Event](t)
		e.InitNotification(false)
		for _, k := range []kind{special, normal} {
			e.Reset()
			var l log
			p := newProbe(t, self(), k, &l, 'a')
			// The APC signals what the wait that follows is for.
			signal := func() { e.Set(0) }
			if k == special {
				p.kernelDuring = func() { kernel.SignalHeader(&e.Header, 0) }
			} else {
				p.during = signal
			}
			p.insert()
			if s := e.Wait(kit.NoTime, false, kernel.KernelMode); s != ntstatus.Success {
				t.Errorf("kind %d: %v", k, s)
			}
		}
	})
}

// rule: apc-remote-running
func TestRemote(t *testing.T) {
	kit.NeedCPUs(t, 2)
	for _, k := range []kind{special, normal} {
		var stop atomic.Bool
		var spins atomic.Uint64
		th := kit.Go(t, func() ntstatus.Status {
			for !stop.Load() {
				spins.Add(1)
			}
			return 0
		}, func() { kit.OnCPU(1) })
		kit.Run(t, func() {
			for i := range 20 {
				var l log
				p := newProbe(t, th.Kernel, k, &l, 'a')
				p.insert()
				want := "a"
				if k == normal {
					want = "aA"
				}
				kit.Until(t, fmt.Sprintf("APC %d of kind %d on a computing thread", i, k), func() bool { return l.String() == want })
				if p.kernelThread != th.Kernel || k == normal && (p.normalThread != th.Kernel || p.normalLevel != 0) {
					t.Error("ran elsewhere")
				}
			}
		}, func() { kit.OnCPU(0) })
		stop.Store(true)
	}
}

// rule: apc-user-alertable-only
// rule: apc-user-status
// rule: apc-alertable-kernelmode
func TestUserWaits(t *testing.T) {
	for _, c := range []struct {
		alertable bool
		mode      kernel.Mode
		ends      bool
	}{
		{false, kernel.KernelMode, false},
		{false, kernel.UserMode, false},
		{true, kernel.KernelMode, false},
		{true, kernel.UserMode, true},
	} {
		e := kit.New[sync.Event](t)
		e.InitSynchronization(false)
		var l log
		th := kit.Go(t, func() ntstatus.Status {
			s := e.Wait(nil, c.alertable, c.mode)
			l.add('.')
			return s
		})
		kit.AwaitWaiters(t, &e.Header, 1)
		p := newProbe(t, th.Kernel, user, &l, 'a')
		p.insert()
		if c.ends {
			if s := th.Join(t); s != ntstatus.UserAPC {
				t.Errorf("%+v: %v", c, s)
			}
			expect(t, "delivered", &l, "aA.")
			continue
		}
		time.Sleep(5 * time.Millisecond)
		expect(t, "held back", &l, "")
		apc.Remove(p.a)
		e.Set(0)
		if s := th.Join(t); s != ntstatus.Success {
			t.Errorf("%+v: %v", c, s)
		}
	}
}

// rule: wait-object-before-alert
// rule: wait-alert-before-timeout
// rule: apc-alert-before-user-apc
// rule: apc-user-status
func TestWaitOrder(t *testing.T) {
	kit.Run(t, func() {
		e := kit.New[sync.Event](t)
		var l log
		p := newProbe(t, self(), user, &l, 'a')
		wait := func() ntstatus.Status { return e.Wait(kit.NoTime, true, kernel.UserMode) }
		e.InitSynchronization(true)
		p.insert()
		alert(self(), kernel.UserMode)
		alert(self(), kernel.KernelMode)
		for _, step := range []struct {
			want ntstatus.Status
			log  string
		}{
			{ntstatus.Success, ""},   // the object
			{ntstatus.Alerted, ""},   // the UserMode alert
			{ntstatus.UserAPC, "aA"}, // the APC
			{ntstatus.Alerted, "aA"}, // the KernelMode alert
			{ntstatus.Timeout, "aA"},
		} {
			if s := wait(); s != step.want {
				t.Errorf("%v, want %v", s, step.want)
			}
			expect(t, "log", &l, step.log)
		}
	})
}

// rule: apc-user-one-per-delivery
func TestUserOneByOne(t *testing.T) {
	kit.Run(t, func() {
		var l log
		var ps [3]*probe
		for i := range ps {
			ps[i] = newProbe(t, self(), user, &l, byte('a'+i))
			ps[i].during = func() { l.add('.') }
			ps[i].insert()
		}
		if s := alertable(); s != ntstatus.UserAPC {
			t.Errorf("%v", s)
		}
		expect(t, "each after the one before has finished", &l, "aA.bB.cC.")
	})
}

// rule: apc-user-pending-nonalertable
func TestUserPending(t *testing.T) {
	kit.Run(t, func() {
		var l log
		e := kit.New[sync.Event](t)
		e.InitNotification(false)
		kernel.EnterCriticalRegion()
		newProbe(t, self(), user, &l, 'a').insert()
		if s := alertable(); s != ntstatus.UserAPC {
			t.Errorf("alertable wait: %v", s)
		}
		if s := e.Wait(nil, false, kernel.UserMode); s != ntstatus.UserAPC {
			t.Errorf("wait with a user APC that is due: %v", s)
		}
		expect(t, "critical", &l, "")
		kernel.LeaveCriticalRegion()
		expect(t, "left", &l, "aA")
	})
}

func alert(th *kernel.Thread, mode kernel.Mode) (was bool) {
	kit.Kernel(func() { was = kernel.Alert(th, mode) })
	return was
}

func testAlert(mode kernel.Mode) (was bool) {
	kit.Kernel(func() { was = kernel.TestAlert(mode) })
	return was
}

// rule: apc-alert-latched
// rule: apc-alert-return
// rule: apc-testalert
func TestAlertLatched(t *testing.T) {
	kit.Run(t, func() {
		for _, mode := range []kernel.Mode{kernel.KernelMode, kernel.UserMode} {
			if testAlert(mode) || alert(self(), mode) || !alert(self(), mode) || !testAlert(mode) || testAlert(mode) {
				t.Errorf("mode %d", mode)
			}
			alert(self(), mode)
			if s := sync.Delay(*kit.Ms(10_000), true, mode); s != ntstatus.Alerted {
				t.Errorf("mode %d: %v", mode, s)
			}
			if testAlert(mode) {
				t.Errorf("mode %d: the alert is still there", mode)
			}
		}
		var l log
		newProbe(t, self(), user, &l, 'a').insert()
		testAlert(kernel.KernelMode)
		expect(t, "KernelMode", &l, "")
		testAlert(kernel.UserMode)
		expect(t, "UserMode", &l, "aA")
	})
}

// rule: apc-alert-wakes
// rule: apc-alert-nonalertable
// rule: wait-delay-alertable
func TestAlertWakes(t *testing.T) {
	for _, alertMode := range []kernel.Mode{kernel.KernelMode, kernel.UserMode} {
		for _, waitMode := range []kernel.Mode{kernel.KernelMode, kernel.UserMode} {
			for _, alertable := range []bool{false, true} {
				e := kit.New[sync.Event](t)
				e.InitNotification(false)
				th := kit.Go(t, func() ntstatus.Status { return e.Wait(nil, alertable, waitMode) })
				kit.AwaitWaiters(t, &e.Header, 1)
				alert(th.Kernel, alertMode)
				want := ntstatus.Success
				if alertable && alertMode <= waitMode {
					want = ntstatus.Alerted
				} else {
					time.Sleep(2 * time.Millisecond)
					e.Set(0)
				}
				if s := th.Join(t); s != want {
					t.Errorf("alert %d, wait %d, alertable %v: %v, want %v", alertMode, waitMode, alertable, s, want)
				}
			}
		}
	}
	for _, byAPC := range []bool{false, true} {
		var ready atomic.Bool
		th := kit.Go(t, func() ntstatus.Status {
			ready.Store(true)
			return sync.Delay(*kit.Ms(60_000), true, kernel.UserMode)
		})
		kit.Until(t, "start", ready.Load)
		var l log
		want := ntstatus.Alerted
		if byAPC {
			want = ntstatus.UserAPC
			newProbe(t, th.Kernel, user, &l, 'a').insert()
		} else {
			alert(th.Kernel, kernel.KernelMode)
		}
		if s := th.Join(t); s != want {
			t.Errorf("delay: %v, want %v", s, want)
		}
	}
}

// rule: apc-insert-dead-thread
func TestDeadThread(t *testing.T) {
	var kt *kernel.Thread
	th := kit.Go(t, func() ntstatus.Status {
		kt = self()
		kit.Locked(func() { kt.Reference() })
		return 0
	})
	th.Join(t)
	kit.Until(t, "its end", func() bool { return kt.Header.State() != 0 })
	var l log
	for _, k := range []kind{special, normal, user} {
		if newProbe(t, kt, k, &l, 'a').insert() {
			t.Errorf("kind %d inserted", k)
		}
	}
	kit.Locked(func() { kt.Dereference() })
	expect(t, "dead", &l, "")
}

// rule: apc-exit-flush-user
func TestExitFlush(t *testing.T) {
	const n = 3
	var rundowns atomic.Int32
	var as [n]*kernel.APC
	for i := range as {
		as[i] = kit.New[kernel.APC](t)
	}
	var l log
	th := kit.Go(t, func() ntstatus.Status {
		for _, a := range as {
			apc.Init(a, self(), func(*kernel.APC, *kernel.NormalRoutine, *unsafe.Pointer, *unsafe.Pointer, *unsafe.Pointer) {
				l.add('k')
			},
				func(a *kernel.APC) {
					if a.Inserted || irql.Current() != irql.Passive {
						rundowns.Add(100)
					}
					rundowns.Add(1)
				},
				func(_, _, _ unsafe.Pointer) { l.add('n') }, kernel.UserMode, nil)
			apc.Insert(a, nil, nil, 0)
		}
		return 0
	})
	th.Join(t)
	kit.Until(t, "rundown", func() bool { return rundowns.Load() == n })
	expect(t, "routines", &l, "")
}

// TestFlush takes queues apart.
func TestFlush(t *testing.T) {
	kit.Run(t, func() {
		var l log
		var ps [3]*probe
		for i := range ps {
			ps[i] = newProbe(t, self(), user, &l, byte('a'+i))
			ps[i].insert()
		}
		if p := apc.Flush(self(), kernel.UserMode); p != unsafe.Pointer(&ps[0].a.Entry) {
			t.Errorf("flushed %p", p)
		}
		e := &ps[0].a.Entry
		if e.Flink != &ps[1].a.Entry || e.Flink.Flink.Flink != e || ps[2].a.Inserted {
			t.Error("not a ring of three")
		}
		if apc.Flush(self(), kernel.UserMode) != nil {
			t.Error("flushed twice")
		}
		alertable()
		expect(t, "flushed", &l, "")
	})
}

// TestUnlocked says that a goroutine which can move takes special APCs only.
func TestUnlocked(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		th := self()
		if th.Locked {
			return
		}
		var l log
		for _, k := range []kind{normal, user} {
			if newProbe(t, th, k, &l, 'a').insert() {
				t.Errorf("kind %d inserted", k)
			}
		}
		p := newProbe(t, th, special, &l, 'a')
		p.insert()
		kit.Until(t, "special APC", func() bool { return l.String() == "a" })
	}()
	<-done
}

// TestCall queues closures, with garbage collections.
func TestCall(t *testing.T) {
	kit.Run(t, func() {
		var got []int
		kit.At(irql.APC, func() {
			for i := range 10 {
				if !apc.Call(self(), kernel.KernelMode, func() { got = append(got, i) }) {
					t.Error("not queued")
				}
			}
		})
		if !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("called %v", got)
		}
	})
}

// TestSymbols checks the addresses that the image tool wrote.
func TestSymbols(t *testing.T) {
	a, b := arch.RuntimeSymbols()
	for pc, want := range map[uintptr]string{a: "runtime.isAsyncSafePoint", b: "runtime.debugCallV2"} {
		if f := runtime.FuncForPC(pc); f == nil || f.Name() != want || f.Entry() != pc {
			t.Errorf("%#x is not %s", pc, want)
		}
	}
}

// TestExit ends a thread in a normal routine that a kernel call made.
func TestExit(t *testing.T) {
	var after atomic.Bool
	th, ok := thread.Start("ends in an APC", func() {
		apc.Call(self(), kernel.KernelMode, func() { thread.Exit(ntstatus.UserAPC) })
		after.Store(true)
	})
	if !ok {
		t.Fatal("no thread")
	}
	if s := sync.Wait(&th.Header, kit.Ms(10_000), false, kernel.KernelMode); s != ntstatus.Success || after.Load() || th.ExitStatus != ntstatus.UserAPC {
		t.Errorf("wait %v, went on %v, exit status %v", s, after.Load(), th.ExitStatus)
	}
	kit.Locked(func() { th.Dereference() })
}
