package apc

import (
	"sync/atomic"
	"testing"
	"time"

	"irqlab/apc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
)

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
