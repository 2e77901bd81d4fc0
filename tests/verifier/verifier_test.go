// Package verifier tests what the verifier must accept, and what it counts. What
// it must stop the machine for, package internal/stops tests.
package verifier

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/driver"
	"irqlab/intr"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/pool"
	"irqlab/seh"
	"irqlab/sync"
	"irqlab/sync/spin"
	"irqlab/tests/kit"
	. "irqlab/verifier"
	. "irqlab/wdk"
)

func need(t *testing.T, r Rule) {
	t.Helper()
	if Rules()&r != r {
		t.Skip("needs the kernel option verifier=on")
	}
}

func TestParse(t *testing.T) {
	for value, want := range map[string]Rule{
		"on": Order | Deadlock | Hold | Paging | Leaks, "off": 0, "": 0, "order": Order, "hold,order": Order | Hold, "deadlock,": Deadlock,
	} {
		if r, ok := Parse(value); r != want || !ok {
			t.Errorf("%q: %b, %v", value, r, ok)
		}
	}
	for _, value := range []string{"yes", "order,,hold", "orders", ","} {
		if _, ok := Parse(value); ok {
			t.Errorf("%q is understood", value)
		}
	}
}

func newSpin(t *testing.T) *spin.Lock {
	l := kit.New[spin.Lock](t)
	l.Init()
	return l
}

func newMutex(t *testing.T) *sync.Mutex {
	m := kit.New[sync.Mutex](t)
	m.Init()
	return m
}

func lock(m *sync.Mutex, timeout *int64) ntstatus.Status {
	return m.Wait(timeout, false, kernel.KernelMode)
}

// Locks taken in one order by many threads are no violation, and are counted.
func TestOneOrder(t *testing.T) {
	need(t, Order)
	a, m := newMutex(t), kit.New[sync.GuardedMutex](t)
	m.Init()
	l := newSpin(t)
	before := ReadStats()
	var threads []*kit.Thread
	for range 4 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			for range 50 {
				lock(a, nil)
				m.Acquire()
				l.Release(l.Acquire())
				m.Release()
				a.Release()
			}
			return 0
		}))
	}
	for _, th := range threads {
		th.Join(t)
	}
	s := ReadStats()
	if n := s.Acquisitions - before.Acquisitions; n < 200 {
		t.Errorf("%d spin locks were acquired", n)
	}
	if n := s.ThreadAcquisitions - before.ThreadAcquisitions; n < 200 {
		t.Errorf("%d other locks were acquired", n)
	}
	if s.Edges <= before.Edges {
		t.Errorf("%d edges, %d before", s.Edges, before.Edges)
	}
}

// A try adds no order: it does not wait. Nor does a wait that gives up.
func TestTries(t *testing.T) {
	need(t, Order)
	kit.Run(t, func() {
		a, b := newSpin(t), kit.New[spin.Queued](t)
		b.Init()
		var h spin.QueueHandle
		b.Acquire(&h)
		if !a.TryAtDpc() {
			t.Error("a free lock is not to be had")
		} else {
			a.ReleaseFromDpc()
		}
		h.Release()
		old := a.Acquire()
		b.AcquireAtDpc(&h)
		h.ReleaseFromDpc()
		a.Release(old)

		m := newMutex(t)
		g := kit.New[sync.GuardedMutex](t)
		g.Init()
		for _, timeout := range []*int64{kit.NoTime, kit.Ms(1000)} {
			g.Acquire()
			lock(m, timeout)
			m.Release()
			g.Release()
		}
		lock(m, nil)
		g.Acquire()
		g.Release()
		m.Release()
	})
}

// Two locks of one class have an order of their own, by instance, which ends with
// their memory.
func TestSameClass(t *testing.T) {
	need(t, Order)
	for range 3 {
		t.Run("", func(t *testing.T) {
			a, b, c := newSpin(t), newSpin(t), newSpin(t)
			for _, pair := range [][2]*spin.Lock{{a, b}, {c, b}, {a, c}} {
				old := pair[0].Acquire()
				pair[1].AcquireAtDpc()
				pair[1].ReleaseFromDpc()
				pair[0].Release(old)
			}
		})
	}
}

// Memory that is used again for another lock has no past.
func TestReuse(t *testing.T) {
	need(t, Order)
	before := ReadStats()
	for i := range 20 {
		t.Run("", func(t *testing.T) {
			// Without Init each is a class of its own.
			a, b := kit.New[spin.Shared](t), kit.New[spin.Shared](t)
			if i%2 == 1 {
				a, b = b, a
			}
			old := a.AcquireShared()
			b.AcquireSharedAtDpc()
			b.ReleaseSharedFromDpc()
			a.ReleaseShared(old)
		})
	}
	if s := ReadStats(); s.Classes > before.Classes+4 || s.Missed != before.Missed {
		t.Errorf("%+v, before %+v", s, before)
	}
}

// A thread may acquire again what it owns, with other locks in between.
func TestRecursion(t *testing.T) {
	need(t, Order)
	kit.Run(t, func() {
		m, g := newMutex(t), kit.New[sync.GuardedMutex](t)
		g.Init()
		r := kit.New[sync.Resource](t)
		r.Init()
		defer r.Delete()
		lock(m, nil)
		g.Acquire()
		lock(m, nil)
		r.AcquireExclusive(true)
		r.AcquireShared(true)
		r.Release()
		m.Release()
		r.Release()
		g.Release()
		m.Release()
	})
}

// What a service routine acquires at its level is fine for others that raise.
func TestServiceRoutine(t *testing.T) {
	need(t, Order)
	kit.Run(t, func() {
		kit.OnCPU(0)
		l := kit.New[spin.Lock](t)
		l.Init()
		routineLock = l
		i := kit.New[intr.Interrupt](t)
		i.Init(&intr.Config{Routine: takes, Line: -1, Level: 6, Mode: intr.Latched})
		if s := i.Connect(); s != ntstatus.Success {
			t.Fatal(s)
		}
		kit.Interrupt(6)
		l.ReleaseTo(l.AcquireTo(6))
		l.ReleaseTo(l.AcquireTo(irql.High))
		i.Disconnect()
	})
}

var routineLock *spin.Lock

func takes(*intr.Interrupt, unsafe.Pointer) bool {
	routineLock.AcquireAtDpc()
	routineLock.ReleaseFromDpc()
	return true
}

// Threads that wait in a row are no cycle.
func TestWaitsInARow(t *testing.T) {
	need(t, Deadlock)
	before := ReadStats()
	first, second := newMutex(t), kit.New[sync.FastMutex](t)
	second.Init()
	release := make(chan bool)
	held := make(chan bool)
	a := kit.Go(t, func() ntstatus.Status {
		lock(first, nil)
		held <- true
		<-release
		first.Release()
		return 0
	})
	<-held
	b := kit.Go(t, func() ntstatus.Status {
		second.Acquire()
		held <- true
		lock(first, nil)
		first.Release()
		second.Release()
		return 0
	})
	<-held
	c := kit.Go(t, func() ntstatus.Status {
		second.Acquire()
		second.Release()
		return 0
	})
	kit.AwaitWaiters(t, &first.Header, 1)
	kit.AwaitWaiters(t, &second.Event.Header, 1)
	close(release)
	for _, th := range []*kit.Thread{a, b, c} {
		th.Join(t)
	}
	if s := ReadStats(); s.Waits < before.Waits+2 {
		t.Errorf("%d waits were followed, %d before", s.Waits, before.Waits)
	}
}

// A driver that has ended what it began may go, once its DPCs have run; others'
// things do not count.
// rule: timer-flush-on-unload
func TestUnload(t *testing.T) {
	h := kit.New[HANDLE](t)
	m, d, last := kit.New[KTIMER](t), kit.New[KDPC](t), kit.New[KDPC](t)
	entry := func(self *driver.Driver) NTSTATUS {
		p, q, r := pool.Alloc(100, kit.Tag), pool.Alloc(5000, kit.Tag), pool.AllocPaged(100, kit.Tag)
		PsCreateSystemThread(h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) {}, nil)
		KeInitializeTimer(m)
		KeInitializeDpc(d, expired, nil)
		KeSetTimer(m, -Second*3600, d)
		self.Unload = func() {
			for _, p := range []unsafe.Pointer{p, q, r} {
				pool.Free(p, kit.Tag)
			}
			var thread PVOID
			ObReferenceObjectByHandle(*h, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &thread, nil)
			KeWaitForSingleObject(thread, Executive, KernelMode, false, nil)
			ObDereferenceObject(thread)
			ZwClose(*h)
			KeCancelTimer(m)
			KeInitializeDpc(last, expired, nil)
			KeSetTargetProcessorDpc(last, CCHAR(KeQueryActiveProcessorCount(nil)-1))
			KeInsertQueueDpc(last, nil, nil)
		}
		return STATUS_SUCCESS
	}
	kit.Run(t, func() {
		for i := range int32(2) {
			self, s := driver.Load("one.sys", entry)
			if s != STATUS_SUCCESS {
				t.Fatal(s)
			}
			if names := driver.Names(); len(names) != 1 || names[0] != "one.sys" {
				t.Errorf("loaded: %q", names)
			}
			if _, s := driver.Load("two.sys", entry); s != ntstatus.AlreadyLoaded {
				t.Errorf("a driver of the same package: %v", s)
			}
			if s := self.End(); s != STATUS_SUCCESS {
				t.Error(s)
			}
			if n := dpcs.Load(); n != i+1 {
				t.Errorf("%d DPCs have run", n)
			}
			if s := self.End(); s != ntstatus.InvalidRequest {
				t.Errorf("unloaded again: %v", s)
			}
		}
	})
	if names := driver.Names(); names != nil {
		t.Errorf("still loaded: %q", names)
	}
}

var dpcs atomic.Int32

func expired(*KDPC, PVOID, PVOID, PVOID) { dpcs.Add(1) }

// A driver that fails is not loaded, nor is one that raises; one without an unload
// routine stays.
func TestEntry(t *testing.T) {
	kit.Run(t, func() {
		if d, s := driver.Load("fails.sys", func(*driver.Driver) NTSTATUS { return STATUS_NO_MEMORY }); d != nil || s != STATUS_NO_MEMORY {
			t.Errorf("%v, %v", d, s)
		}
		raised := false
		seh.Try(func() {
			driver.Load("raises.sys", func(*driver.Driver) NTSTATUS { ExRaiseStatus(STATUS_NO_MEMORY); return STATUS_SUCCESS })
		}, seh.Only(STATUS_NO_MEMORY), func(*seh.Exception) { raised = true })
		if names := driver.Names(); !raised || names != nil {
			t.Errorf("raised: %v; loaded: %q", raised, names)
		}
		d, _ := driver.Load("stays.sys", func(*driver.Driver) NTSTATUS { return STATUS_SUCCESS })
		if s := d.End(); s != ntstatus.InvalidRequest {
			t.Error(s)
		}
		d.Unload = func() {}
		if s := d.End(); s != STATUS_SUCCESS {
			t.Error(s)
		}
	})
}

// A processor that stands still holds its locks for as long, which is not its
// fault: it sees no clock ticks then, as above CLOCK_LEVEL.
func TestStandstill(t *testing.T) {
	need(t, Hold)
	limit := HoldLimit
	defer func() { HoldLimit = limit }()
	kit.Run(t, func() {
		l := newSpin(t)
		HoldLimit = limit / 20
		old := l.AcquireTo(irql.High)
		for start := arch.Counter(); arch.Counter()-start < 2*HoldLimit; {
		}
		l.ReleaseTo(old)
		HoldLimit = limit
	})
}

// The pool knows who allocated what.
func TestTraced(t *testing.T) {
	need(t, Leaks)
	var found [4]pool.Allocation
	p, q, r := pool.Alloc(100, traced), pool.Alloc(5000, traced), pool.AllocPaged(100, traced)
	own := pool.AllocOwn(100, traced)
	n := pool.Find(isTraced, found[:])
	if n != 4 || found[3].Address != uintptr(r) || found[3].Size != 100 || !found[3].Paged {
		t.Fatalf("%d allocations: %+v", n, found)
	}
	for _, a := range found {
		if by := bugcheck.PackageOf(a.By); (by == "irqlab/tests/verifier") != (a.Address != uintptr(own)) {
			t.Errorf("%+v by %q", a, by)
		}
	}
	for _, p := range []unsafe.Pointer{p, q, r, own} {
		pool.Free(p, traced)
	}
	if n := pool.Find(isTraced, found[:]); n != 0 {
		t.Errorf("%d allocations: %+v", n, found)
	}
}

const traced pool.Tag = 'T' | 'r'<<8 | 'c'<<16 | 'd'<<24

func isTraced(a pool.Allocation) bool { return a.Tag == traced }

// The lists for debuggers tell who holds what.
func TestHeld(t *testing.T) {
	need(t, Order)
	kit.Run(t, func() {
		m := newMutex(t)
		lock(m, nil)
		defer m.Release()
		var held [64]HeldInfo
		for _, h := range held[:min(Held(held[:]), len(held))] {
			if h.Lock != uintptr(unsafe.Pointer(m)) {
				continue
			}
			if h.Thread != uintptr(unsafe.Pointer(kernel.Current())) || h.Kind != "mutex" || h.Site[0] == 0 {
				t.Errorf("%+v", h)
			}
			var classes [512]ClassInfo
			for _, c := range classes[:Classes(classes[:])] {
				if c.Number == h.Class && c.Site != 0 {
					return
				}
			}
		}
		t.Error("a mutex that is held is not listed, or its class is not")
	})
}

// TestInitStorm has goroutines lose the processor, again and again, where the
// verifier is told of new locks: none may hold its lock then.
func TestInitStorm(t *testing.T) {
	need(t, Order)
	const goroutines, rounds = 4, 10
	// At least: a busy host may not run one of them in that time.
	end := time.Now().Add(time.Second / 2)
	var n [goroutines]atomic.Int32
	var stop atomic.Bool
	done := make(chan bool)
	for i := range n {
		go func() {
			for !stop.Load() {
				p := pool.Alloc(unsafe.Sizeof(spin.Lock{}), kit.Tag)
				(*spin.Lock)(p).Init()
				pool.Free(p, kit.Tag)
				n[i].Add(1)
			}
			done <- true
		}()
	}
	all := func() bool {
		for i := range n {
			if n[i].Load() < rounds {
				return false
			}
		}
		return !time.Now().Before(end)
	}
	kit.Until(t, "all goroutines have got on", func() bool {
		runtime.GC() // stops them all
		return all()
	})
	stop.Store(true)
	for range goroutines {
		<-done
	}
}
