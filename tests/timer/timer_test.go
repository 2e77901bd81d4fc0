// Package timer tests the rules of area timer.
package timer

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/arch"
	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
)

const ms = kernel.Millisecond

func notification(t *testing.T) *sync.Timer {
	m := kit.New[sync.Timer](t)
	m.InitNotification()
	return m
}

func synchronization(t *testing.T) *sync.Timer {
	m := kit.New[sync.Timer](t)
	m.InitSynchronization()
	return m
}

func wait(m *sync.Timer) ntstatus.Status {
	return m.Wait(kit.Forever, false, kernel.KernelMode)
}

func poll(m *sync.Timer) ntstatus.Status { return m.Wait(kit.NoTime, false, kernel.KernelMode) }

// rule: timer-init
func TestInit(t *testing.T) {
	for _, c := range []struct {
		m    *sync.Timer
		want kernel.Type
	}{{notification(t), 8}, {synchronization(t), 9}} {
		if c.m.Header.Type != c.want || c.m.State() || c.m.Header.Inserted != 0 || c.m.Period != 0 || kit.Waiters(&c.m.Header) != 0 {
			t.Errorf("%+v", c.m.Timer)
		}
		if c.m.Cancel() {
			t.Errorf("cancelled a timer that is not set")
		}
	}
}

// rule: timer-relative
// rule: timer-resolution
// rule: wait-delay-never-early
// rule: timer-oneshot
func TestRelative(t *testing.T) {
	m := notification(t)
	for _, d := range []uint64{1 * ms, 5 * ms, 16 * ms, 40 * ms} {
		start := kernel.InterruptTime()
		var was, signalled bool
		kit.At(irql.Dispatch, func() { // no expiry in here, however long it takes
			was = m.Set(-int64(d), 0, nil)
			signalled = m.State()
		})
		if was || signalled {
			t.Errorf("%d: was set %v, signalled at once %v", d, was, signalled)
		}
		s := wait(m)
		took := kernel.InterruptTime() - start
		if s != ntstatus.Success || took < d {
			t.Errorf("%d: %v after %d", d, s, took)
		}
		if m.Header.Inserted != 0 || m.Cancel() || !m.State() {
			t.Errorf("after expiry: inserted %d, signalled %v", m.Header.Inserted, m.State())
		}
	}
}

// rule: timer-absolute
// rule: timer-never-early-abs
func TestAbsolute(t *testing.T) {
	m := notification(t)
	due := kernel.SystemTime() + 20*ms
	m.Set(due, 0, nil)
	if s := wait(m); s != ntstatus.Success || kernel.SystemTime() < due {
		t.Errorf("%v, %d early", s, due-kernel.SystemTime())
	}
}

// counter is what a timer's DPC counts.
type counter struct {
	n          uint32
	level      irql.Level
	arg1, arg2 uintptr
	when       int64
}

func count(_ *dpc.Object, context, arg1, arg2 unsafe.Pointer) {
	c := (*counter)(context)
	c.level = irql.Current()
	c.arg1, c.arg2 = uintptr(arg1), uintptr(arg2)
	c.when = kernel.SystemTime()
	atomic.AddUint32(&c.n, 1)
}

func newDPC(t *testing.T) (*dpc.Object, *counter) {
	d, c := kit.New[dpc.Object](t), kit.New[counter](t)
	d.Init(count, unsafe.Pointer(c))
	t.Cleanup(sync.FlushDPCs)
	return d, c
}

func (c *counter) calls() uint32 { return atomic.LoadUint32(&c.n) }

// rule: timer-past-immediate
func TestPast(t *testing.T) {
	for _, due := range []int64{0, 1, kernel.SystemTime() - ms} {
		m := notification(t)
		d, c := newDPC(t)
		if m.Set(due, 0, d) || !m.State() || m.Header.Inserted != 0 || c.calls() != 1 {
			t.Errorf("due %d: signalled %v, inserted %d, %d calls of the DPC", due, m.State(), m.Header.Inserted, c.calls())
		}
	}
}

// rule: timer-set-return
// rule: timer-set-clears
// rule: timer-cancel-keeps-state
func TestSetAgain(t *testing.T) {
	m := notification(t)
	d, c := newDPC(t)
	if m.Set(-1000*int64(kernel.Second), 0, d) {
		t.Errorf("first set: was set")
	}
	if !m.Set(-1*ms, 0, nil) {
		t.Errorf("second set: was not set")
	}
	wait(m)
	if m.Cancel() || !m.State() {
		t.Errorf("cancel after expiry must do nothing; signalled %v", m.State())
	}
	if m.Set(-1000*int64(kernel.Second), 0, nil) || m.State() {
		t.Errorf("set after expiry: signalled %v", m.State())
	}
	if !m.Cancel() || m.Cancel() || m.State() {
		t.Errorf("cancel of a set timer must succeed once")
	}
	if c.calls() != 0 {
		t.Errorf("the DPC of a setting that was replaced ran")
	}
}

// rule: timer-periodic
// rule: timer-periodic-cancel
// rule: timer-dpc-level
// rule: timer-dpc-args
// rule: timer-one-wait-many
func TestPeriodic(t *testing.T) {
	m := synchronization(t)
	d, c := newDPC(t)
	m.Set(-2*ms, 2, d)
	for range 5 {
		if s := wait(m); s != ntstatus.Success {
			t.Fatalf("wait: %v", s)
		}
	}
	kit.Until(t, "five calls of the DPC", func() bool { return c.calls() >= 5 })
	if !m.Cancel() || m.Cancel() {
		t.Errorf("cancel of a periodic timer must succeed once")
	}
	sync.FlushDPCs()
	n := c.calls()
	poll(m)
	if s := m.Wait(kit.Ms(20), false, kernel.KernelMode); s != ntstatus.Timeout || c.calls() != n {
		t.Errorf("after cancel: %v, %d calls more", s, c.calls()-n)
	}
	at := int64(c.arg2<<32 | c.arg1)
	if c.level != irql.Dispatch || at > c.when || c.when-at > 10*int64(kernel.Second) {
		t.Errorf("level %d, time %d in the arguments, %d when it ran", c.level, at, c.when)
	}
}

// rule: timer-notification-all
func TestNotification(t *testing.T) {
	m := notification(t)
	var threads []*kit.Thread
	for i := range 3 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status { return wait(m) }))
		kit.AwaitWaiters(t, &m.Header, i+1)
	}
	m.Set(-1*ms, 0, nil)
	for _, th := range threads {
		if s := th.Join(t); s != ntstatus.Success {
			t.Errorf("status %v", s)
		}
	}
	for range 2 {
		if s := poll(m); s != ntstatus.Success {
			t.Errorf("later wait: %v", s)
		}
	}
}

// rule: timer-sync-one
// rule: timer-sync-lost-periods
func TestSynchronization(t *testing.T) {
	m := synchronization(t)
	var threads []*kit.Thread
	for i := range 2 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status { return wait(m) }))
		kit.AwaitWaiters(t, &m.Header, i+1)
	}
	m.Set(-1*ms, 0, nil)
	threads[0].Join(t)
	if m.State() || kit.Waiters(&m.Header) != 1 {
		t.Errorf("after one expiry: signalled %v, %d wait", m.State(), kit.Waiters(&m.Header))
	}
	m.Set(-1*ms, 0, nil)
	threads[1].Join(t)

	d, c := newDPC(t)
	m.Set(-1*ms, 1, d)
	kit.Until(t, "five periods", func() bool { return c.calls() >= 5 })
	m.Cancel()
	if a, b := poll(m), poll(m); a != ntstatus.Success || b != ntstatus.Timeout {
		t.Errorf("waits after many expiries: %v, %v", a, b)
	}
	sync.FlushDPCs()
}

// rule: timer-boost-none
func TestNoBoost(t *testing.T) {
	m := synchronization(t)
	kit.Run(t, func() {
		var p int8
		if !kit.Retry(func() bool {
			m.Set(-2*ms, 0, nil)
			wait(m)
			p = kernel.Current().Priority
			return p == kernel.DefaultPriority
		}) {
			t.Errorf("priority %d after the wait", p)
		}
	})
}

// rule: timer-dpc-once
func TestDPCOnce(t *testing.T) {
	m := synchronization(t)
	d, c := newDPC(t)
	kit.Run(t, func() {
		var during uint32
		kit.At(irql.Dispatch, func() {
			m.Set(-1*ms, 1, d)
			// Expiries come with the dispatch interrupt: none here.
			for end := kernel.InterruptTime() + 10*ms; kernel.InterruptTime() < end; {
			}
			during = c.calls()
			m.Set(0, 0, d)
			m.Set(0, 0, d)
		})
		if during != 0 || c.calls() != 1 {
			t.Errorf("%d calls while raised, %d after", during, c.calls())
		}
	}, func() { kit.OnCPU(0) })
}

// rule: timer-cancel-not-dpc
func TestCancelLeavesDPC(t *testing.T) {
	m := notification(t)
	d, c := newDPC(t)
	var was bool
	kit.At(irql.Dispatch, func() {
		m.Set(0, 0, d)
		was = m.Cancel()
	})
	if was || c.calls() != 1 {
		t.Errorf("cancel returned %v, %d calls", was, c.calls())
	}
}

// rule: time-interrupt-monotonic
// rule: time-qpc-monotonic
func TestMonotonic(t *testing.T) {
	var last atomic.Uint64
	for cpu := range kit.CPUs() {
		kit.Go(t, func() ntstatus.Status {
			for range 20_000 {
				before := last.Load()
				now := kernel.InterruptTime()
				if now < before {
					t.Errorf("time went back by %d", before-now)
					break
				}
				for old := last.Load(); old < now && !last.CompareAndSwap(old, now); old = last.Load() {
				}
			}
			return ntstatus.Success
		}, func() { kit.OnCPU(cpu) })
	}
}

// rule: time-tick-times-increment
func TestTicks(t *testing.T) {
	before := kernel.TickCount()
	now := kernel.InterruptTime()
	after := kernel.TickCount()
	if n := now / kernel.TimeIncrement; n < before || n > after {
		t.Errorf("%d ticks of %d by the clock, between %d and %d by the count", n, kernel.TimeIncrement, before, after)
	}
}

// TestMany sets many timers in no order; they expire in that of their due times.
func TestMany(t *testing.T) {
	const n = 200
	var timers [n]*sync.Timer
	var threads []*kit.Thread
	var early atomic.Int32
	for i := range n {
		timers[i] = notification(t)
	}
	for k := range 4 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			for i := k; i < n; i += 4 {
				due := uint64((i*37)%90+1) * ms
				start := kernel.InterruptTime()
				timers[i].Set(-int64(due), 0, nil)
				if i%3 == 0 {
					timers[i].Cancel()
					timers[i].Set(-int64(due), 0, nil)
				}
				if i%10 == 0 {
					wait(timers[i])
					if kernel.InterruptTime()-start < due {
						early.Add(1)
					}
				}
			}
			return ntstatus.Success
		}))
	}
	for _, th := range threads {
		th.Join(t)
	}
	for i := range timers {
		if s := timers[i].Wait(kit.Ms(5000), false, kernel.KernelMode); s != ntstatus.Success {
			t.Errorf("timer %d: %v", i, s)
		}
	}
	if early.Load() != 0 {
		t.Errorf("%d timers expired early", early.Load())
	}
}

// overlap is what a routine knows that waits to be called once more meanwhile.
type overlap struct {
	running, most, calls uint32
}

// meet keeps its processor busy until it runs on two, and has the timer's next
// expiry queue it on the other.
func meet(d *dpc.Object, context, _, _ unsafe.Pointer) {
	o := (*overlap)(context)
	atomic.AddUint32(&o.calls, 1)
	if n := atomic.AddUint32(&o.running, 1); n > atomic.LoadUint32(&o.most) {
		atomic.StoreUint32(&o.most, n)
	}
	d.SetTarget(1 - arch.ThisCPU().ID)
	for end := kernel.InterruptTime() + 500*ms; atomic.LoadUint32(&o.most) < 2 && kernel.InterruptTime() < end; {
		arch.Pause()
	}
	atomic.AddUint32(&o.running, ^uint32(0))
}

// rule: timer-periodic-dpc-two-cpus
func TestPeriodicOnTwo(t *testing.T) {
	kit.NeedCPUs(t, 2)
	m, d, o := synchronization(t), kit.New[dpc.Object](t), kit.New[overlap](t)
	d.Init(meet, unsafe.Pointer(o))
	d.SetTarget(1)
	kit.Run(t, func() { m.Set(-1*ms, 1, d) }, func() { kit.OnCPU(0) })
	kit.Until(t, "the routine on two processors at once", func() bool { return atomic.LoadUint32(&o.most) == 2 })
	m.Cancel()
	sync.FlushDPCs()
	if n := atomic.LoadUint32(&o.calls); n < 2 {
		t.Errorf("%d calls", n)
	}
}
