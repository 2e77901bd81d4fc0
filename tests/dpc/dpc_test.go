// Package dpc tests the rules of area dpc.
package dpc

import (
	"slices"
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/arch"
	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/sync/spin"
	"irqlab/tests/kit"
	"irqlab/wdk"
)

// diary is what deferred routines write down, in pool.
type diary struct {
	n       uint32
	args    [64]uintptr
	level   irql.Level
	cpu     uint32
	active  bool
	data    uintptr
	again   int32 // how often to queue itself again
	granted bool  // what the insert in the routine returned
	started uint32
	let     uint32 // go on
	most    uint64 // time to wait for that, 100 ns
	ended   uint32
}

// ran returns the first arguments of the calls so far, in order.
func (y *diary) ran() []uintptr { return y.args[:atomic.LoadUint32(&y.n)] }

// note is a deferred routine that writes down how it was called.
func note(d *dpc.Object, context, arg1, _ unsafe.Pointer) {
	y := (*diary)(context)
	y.level = irql.Current()
	y.cpu = arch.ThisCPU().ID
	y.active = dpc.Executing()
	y.data = d.Data
	y.args[atomic.LoadUint32(&y.n)] = uintptr(arg1)
	atomic.AddUint32(&y.n, 1)
}

func newDPC(t *testing.T, routine dpc.Routine) (*dpc.Object, *diary) {
	d, y := kit.New[dpc.Object](t), kit.New[diary](t)
	d.Init(routine, unsafe.Pointer(y))
	t.Cleanup(sync.FlushDPCs) // a routine may go on after the test has seen enough
	return d, y
}

// arg makes an argument of a number, which is not an address.
func arg(n uintptr) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(nil), n) }

// rule: dpc-runs-before-return-at-passive
// rule: dpc-level
// rule: dpc-active-flag
// rule: dpc-is-executing
func TestRunsAtOnce(t *testing.T) {
	d, y := newDPC(t, note)
	for i := range uintptr(20) {
		if !d.Insert(arg(i), nil) {
			t.Fatalf("insert failed")
		}
		if len(y.ran()) != int(i)+1 {
			t.Fatalf("round %d: not run when Insert returned", i)
		}
	}
	if y.level != irql.Dispatch || !y.active || y.data != 0 {
		t.Errorf("level %d, active %v, DpcData %#x", y.level, y.active, y.data)
	}
	var active bool
	kit.At(irql.Dispatch, func() { active = dpc.Executing() })
	if active {
		t.Errorf("a DPC executes, says a thread at DISPATCH_LEVEL")
	}
}

// rule: dpc-deferred-at-dispatch
// rule: dpc-insert-true-then-false
// rule: dpc-args-of-rejected-ignored
// rule: irql-pending-delivered-on-lower
func TestDeferred(t *testing.T) {
	defer kit.Stay()()
	d, y := newDPC(t, note)
	for _, level := range []irql.Level{irql.Dispatch, irql.DeviceMin, irql.Clock, irql.High} {
		before := len(y.ran())
		old := irql.Raise(level)
		first, second := d.Insert(arg(7), nil), d.Insert(arg(8), nil)
		raised := len(y.ran())
		if level > irql.Dispatch {
			irql.Lower(irql.Dispatch)
		}
		dispatch := len(y.ran())
		irql.Lower(irql.APC)
		apc := len(y.ran())
		irql.Lower(old)
		if !first || second {
			t.Errorf("level %d: inserts returned %v and %v", level, first, second)
		}
		if raised != before || dispatch != before || apc != before+1 {
			t.Errorf("level %d: %d calls while raised, %d at DISPATCH_LEVEL, %d at APC_LEVEL", level, raised-before, dispatch-before, apc-before)
		}
		if y.ran()[before] != 7 {
			t.Errorf("level %d: argument %d", level, y.ran()[before])
		}
	}
}

// rule: dpc-insert-high
// rule: dpc-remove-result
func TestRemove(t *testing.T) {
	d, y := newDPC(t, note)
	if d.Remove() {
		t.Errorf("removed what was not queued")
	}
	for _, level := range []irql.Level{irql.Dispatch, irql.High} {
		var got [4]bool
		kit.At(level, func() { got = [4]bool{d.Insert(arg(1), nil), d.Remove(), d.Remove(), d.Insert(arg(2), nil)} })
		if got != [4]bool{true, true, false, true} {
			t.Errorf("level %d: insert, remove, remove, insert: %v", level, got)
		}
	}
	if !slices.Equal(y.ran(), []uintptr{2, 2}) {
		t.Errorf("calls %v", y.ran())
	}
}

// Checked mode refuses a nil routine: see docs/caveats.md.
//
// rule: dpc-init-null
func TestNil(t *testing.T) {
	if s := kit.Raised(func() { wdk.KeInitializeDpc(nil, note, nil) }); s != ntstatus.AccessViolation {
		t.Errorf("without a DPC: %v", s)
	}
	d, _ := newDPC(t, note)
	wdk.Checked = false
	wdk.KeInitializeDpc(d, nil, nil)
	var inserted, removed bool
	kit.At(irql.Dispatch, func() { inserted, removed = wdk.KeInsertQueueDpc(d, nil, nil), wdk.KeRemoveQueueDpc(d) })
	wdk.Checked = true
	if !inserted || !removed || d.Routine != 0 {
		t.Errorf("insert %v, remove %v, routine %#x", inserted, removed, d.Routine)
	}
}

// rule: dpc-order-fifo
// rule: dpc-high-at-head
// rule: dpc-high-lifo
// rule: dpc-importance-before-insert
func TestOrder(t *testing.T) {
	importances := []dpc.Importance{dpc.Low, dpc.Medium, dpc.High, dpc.MediumHigh, dpc.High, dpc.Low, dpc.Medium}
	y := kit.New[diary](t)
	var d []*dpc.Object
	for _, i := range importances {
		o := kit.New[dpc.Object](t)
		o.Init(note, unsafe.Pointer(y))
		o.SetImportance(i)
		d = append(d, o)
	}
	kit.At(irql.Dispatch, func() {
		for i, o := range d {
			o.Insert(arg(uintptr(i)), nil)
			o.SetImportance(dpc.High) // too late for this time
		}
	})
	if want := []uintptr{4, 2, 0, 1, 3, 5, 6}; !slices.Equal(y.ran(), want) {
		t.Errorf("order %v, want %v", y.ran(), want)
	}
}

// requeue queues its own object again.
func requeue(d *dpc.Object, context, arg1, arg2 unsafe.Pointer) {
	y := (*diary)(context)
	note(d, context, arg1, arg2)
	if y.again--; y.again >= 0 {
		y.granted = d.Insert(arg(uintptr(arg1)+1), nil)
	}
}

// rule: dpc-self-requeue
func TestRequeue(t *testing.T) {
	d, y := newDPC(t, requeue)
	y.again = 3
	d.Insert(arg(10), nil)
	kit.Until(t, "four calls", func() bool { return len(y.ran()) == 4 })
	if !y.granted || !slices.Equal(y.ran(), []uintptr{10, 11, 12, 13}) {
		t.Errorf("insert in the routine returned %v, calls %v", y.granted, y.ran())
	}
}

// rule: dpc-target-cpu
// rule: dpc-mediumhigh-remote-ipi
func TestTarget(t *testing.T) {
	for cpu := range kit.CPUs() {
		for _, importance := range []dpc.Importance{dpc.MediumHigh, dpc.High, dpc.Medium, dpc.Low} {
			d, y := newDPC(t, note)
			d.SetImportance(importance)
			d.SetTarget(cpu)
			for i := range 10 {
				d.Insert(nil, nil)
				kit.Until(t, "a DPC on another processor", func() bool { return len(y.ran()) == i+1 })
				if y.cpu != cpu || y.level != irql.Dispatch {
					t.Fatalf("importance %d for processor %d ran on %d at level %d", importance, cpu, y.cpu, y.level)
				}
			}
		}
	}
}

// busy keeps a processor until it is let go, or for as long as a test can take.
// The thread below it may have something that the Go runtime needs to go on, so
// whoever lets it go must not wait for the runtime meanwhile.
func busy(d *dpc.Object, context, arg1, arg2 unsafe.Pointer) {
	y := (*diary)(context)
	note(d, context, arg1, arg2)
	atomic.AddUint32(&y.started, 1)
	for start := kernel.InterruptTime(); atomic.LoadUint32(&y.let) == 0 && kernel.InterruptTime()-start < y.most; {
		arch.Pause()
	}
	atomic.AddUint32(&y.ended, 1)
}

// rule: dpc-remove-does-not-wait
// rule: dpc-can-run-on-two-cpus
func TestTwoProcessors(t *testing.T) {
	kit.NeedCPUs(t, 2)
	d, y := newDPC(t, busy)
	y.most = 5 * kernel.Second
	d.SetImportance(dpc.High)
	d.SetTarget(1)
	kit.Run(t, func() {
		old := irql.Raise(irql.Dispatch)
		d.Insert(nil, nil)
		for atomic.LoadUint32(&y.started) == 0 {
			arch.Pause()
		}
		removed := d.Remove()
		d.Init(note, unsafe.Pointer(y)) // for the second call
		d.SetTarget(0)
		inserted := d.Insert(nil, nil)
		irql.Lower(old)
		calls, cpu, ended := len(y.ran()), y.cpu, atomic.LoadUint32(&y.ended)
		atomic.StoreUint32(&y.let, 1)
		if removed || !inserted {
			t.Errorf("while the routine runs on another processor: remove %v, insert %v", removed, inserted)
		}
		if calls != 2 || cpu != 0 || ended != 0 {
			t.Errorf("%d calls, the last on processor %d, %d ended", calls, cpu, ended)
		}
		kit.Until(t, "the end of a DPC", func() bool { return atomic.LoadUint32(&y.ended) == 1 })
	}, func() { kit.OnCPU(0) })
}

// rule: dpc-flush
// rule: dpc-flush-passive
func TestFlush(t *testing.T) {
	sync.FlushDPCs()
	y := kit.New[diary](t)
	for cpu := range kit.CPUs() {
		for range 4 {
			d := kit.New[dpc.Object](t)
			d.Init(note, unsafe.Pointer(y))
			d.SetTarget(cpu)
			d.SetImportance(dpc.Low)
			d.Insert(nil, nil)
		}
	}
	sync.FlushDPCs()
	if n := len(y.ran()); n != int(4*kit.CPUs()) {
		t.Errorf("%d of %d DPCs had run when the flush returned", n, 4*kit.CPUs())
	}
	d, b := newDPC(t, busy)
	b.most = kernel.Second / 20
	d.SetImportance(dpc.High)
	d.SetTarget(kit.CPUs() - 1)
	kit.Run(t, func() {
		d.Insert(nil, nil)
		sync.FlushDPCs()
		if atomic.LoadUint32(&b.ended) != 1 {
			t.Errorf("the flush returned before a DPC that was running ended")
		}
	}, func() { kit.OnCPU(0) })
}

// threadedDiary is what a threaded DPC's routine uses and writes down.
type threadedDiary struct {
	diary
	thread   uintptr
	priority int8
	lock     spin.Lock
	held     irql.Level
	inner    dpc.Object
	preempts bool // inner has run when its insertion returns
	returned uint32
}

func threadedNote(d *dpc.Object, context, arg1, arg2 unsafe.Pointer) {
	y := (*threadedDiary)(context)
	note(d, context, arg1, arg2)
	th := kernel.Current()
	y.thread, y.priority = uintptr(unsafe.Pointer(th)), th.Priority
	old := y.lock.AcquireForDpc()
	y.held = irql.Current()
	y.lock.ReleaseForDpc(old)
	if y.inner.Routine != 0 {
		y.granted = y.inner.Insert(arg(99), nil)
		y.preempts = len((*diary)(y.inner.Context).ran()) == 1
	}
	atomic.StoreUint32(&y.returned, 1)
}

// rule: dpc-threaded-passive
// rule: dpc-threaded-lock
// rule: dpc-threaded-preempt
// rule: spin-fordpc
func TestThreaded(t *testing.T) {
	for cpu := range kit.CPUs() {
		d, y := kit.New[dpc.Object](t), kit.New[threadedDiary](t)
		inner := kit.New[diary](t)
		y.inner.Init(note, unsafe.Pointer(inner))
		d.InitThreaded(threadedNote, unsafe.Pointer(y))
		t.Cleanup(sync.FlushDPCs)
		d.SetTarget(cpu)
		d.Insert(arg(5), nil)
		kit.Until(t, "a threaded DPC", func() bool { return atomic.LoadUint32(&y.returned) == 1 && len(inner.ran()) == 1 })
		if y.level != irql.Passive || y.active || y.priority != kernel.MaxPriority || y.cpu != cpu {
			t.Errorf("level %d, in an ordinary DPC %v, priority %d, processor %d", y.level, y.active, y.priority, y.cpu)
		}
		if y.held != irql.Dispatch {
			t.Errorf("level %d with the lock held", y.held)
		}
		if inner.level != irql.Dispatch || inner.ran()[0] != 99 || !y.preempts {
			t.Errorf("the ordinary DPC inside ran at level %d; before its insertion returned: %v", inner.level, y.preempts)
		}
	}
}

// rule: dpc-threaded-separate-queue
// rule: dpc-threaded-importance
func TestThreadedOrder(t *testing.T) {
	y := kit.New[diary](t)
	threaded := []*dpc.Object{}
	for _, i := range []dpc.Importance{dpc.Medium, dpc.High, dpc.Low} {
		d := kit.New[dpc.Object](t)
		d.InitThreaded(note, unsafe.Pointer(y))
		d.SetImportance(i)
		d.SetTarget(0)
		threaded = append(threaded, d)
	}
	ordinary := kit.New[dpc.Object](t)
	ordinary.Init(note, unsafe.Pointer(y))
	ordinary.SetTarget(0)
	t.Cleanup(sync.FlushDPCs)
	kit.Run(t, func() {
		kit.At(irql.Dispatch, func() {
			for i, d := range threaded {
				d.Insert(arg(uintptr(i+1)), nil)
			}
			ordinary.Insert(arg(9), nil)
		})
	}, func() { kit.OnCPU(0) })
	kit.Until(t, "all four", func() bool { return len(y.ran()) == 4 })
	if want := []uintptr{9, 2, 1, 3}; !slices.Equal(y.ran(), want) {
		t.Errorf("order %v, want %v", y.ran(), want)
	}
}

type query struct {
	w  dpc.Watchdog
	ok bool
}

func askWatchdog(_ *dpc.Object, context, _, _ unsafe.Pointer) {
	q := (*query)(context)
	q.w, q.ok = dpc.QueryWatchdog()
}

// rule: dpc-watchdog-query
func TestWatchdogQuery(t *testing.T) {
	if _, ok := dpc.QueryWatchdog(); ok {
		t.Errorf("success at PASSIVE_LEVEL")
	}
	q, d := kit.New[query](t), kit.New[dpc.Object](t)
	d.Init(askWatchdog, unsafe.Pointer(q))
	d.Insert(nil, nil)
	if !q.ok || q.w.SingleLimit == 0 || q.w.Single > q.w.SingleLimit {
		t.Errorf("in a DPC: %+v", *q)
	}
}

// storm queues one DPC from everywhere at once; every insert that succeeds is
// one call.
func TestStorm(t *testing.T) {
	d, y := kit.New[dpc.Object](t), kit.New[storm](t)
	d.Init(count, unsafe.Pointer(y))
	const threads, rounds = 4, 3000
	var granted [threads]uint32
	var all []*kit.Thread
	for i := range threads {
		all = append(all, kit.Go(t, func() ntstatus.Status {
			for n := range uint32(rounds) {
				d.SetTarget((n + uint32(i)) % kit.CPUs())
				d.SetImportance(dpc.Importance(n % 4))
				if d.Insert(nil, nil) {
					granted[i]++
				}
				if n%7 == 0 && d.Remove() {
					granted[i]--
				}
			}
			return ntstatus.Success
		}))
	}
	want := uint32(0)
	for i, th := range all {
		th.Join(t)
		want += granted[i]
	}
	sync.FlushDPCs()
	if got := atomic.LoadUint32(&y.calls); got != want || want == 0 {
		t.Errorf("%d calls for %d inserts", got, want)
	}
	if y.bad != 0 {
		t.Errorf("%d calls at another level than DISPATCH_LEVEL", y.bad)
	}
}

type storm struct{ calls, bad uint32 }

func count(_ *dpc.Object, context, _, _ unsafe.Pointer) {
	y := (*storm)(context)
	atomic.AddUint32(&y.calls, 1)
	if irql.Current() != irql.Dispatch {
		atomic.AddUint32(&y.bad, 1)
	}
}
