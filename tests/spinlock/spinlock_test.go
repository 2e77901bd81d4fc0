// Package spinlock tests the rules of area spinlock.
package spinlock

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/chance"
	"irqlab/intr"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync/spin"
	"irqlab/tests/kit"
)

// rule: spin-raise
// rule: spin-release-restores
// rule: spin-storage
func TestLevels(t *testing.T) {
	defer kit.Stay()()
	l := kit.New[spin.Lock](t)
	for _, from := range []irql.Level{irql.Passive, irql.APC, irql.Dispatch} {
		old := irql.Raise(from)
		saved := l.Acquire()
		held := irql.Current()
		l.Release(saved)
		after := irql.Current()
		irql.Lower(old)
		if saved != from || held != irql.Dispatch || after != from {
			t.Errorf("from %d: saved %d, held at %d, released to %d", from, saved, held, after)
		}
	}
}

// rule: spin-atdpc-no-change
func TestAtDpc(t *testing.T) {
	l := kit.New[spin.Lock](t)
	for _, level := range []irql.Level{irql.Dispatch, irql.DeviceMin, irql.High} {
		var held, after irql.Level
		kit.At(level, func() {
			l.AcquireAtDpc()
			held = irql.Current()
			l.ReleaseFromDpc()
			after = irql.Current()
		})
		if held != level || after != level {
			t.Errorf("at %d: held at %d, released to %d", level, held, after)
		}
	}
}

// word is what debuggers see of a lock.
func word(l *spin.Lock) uintptr { return *(*uintptr)(unsafe.Pointer(l)) }

// rule: spin-checked-owner
// rule: spin-test
func TestOwner(t *testing.T) {
	l := kit.New[spin.Lock](t)
	kit.Run(t, func() {
		context := uintptr(unsafe.Pointer(&kernel.Current().Context))
		free := l.Test()
		old := l.Acquire()
		w, taken, owned := word(l), l.Test(), l.Owned()
		l.Release(old)
		if !free || taken || !owned || w != context|1 || word(l) != 0 {
			t.Errorf("free %v, taken %v, owned %v, word %#x, want %#x, after %#x", free, !taken, owned, w, context|1, word(l))
		}
	})
}

// rule: spin-try
func TestTry(t *testing.T) {
	kit.NeedCPUs(t, 2)
	kit.Uncollected(t)
	if !kit.Retry(func() bool { return tries(t) }) {
		t.Error("the lock was never held for long enough")
	}
}

// tries tries a lock that another processor holds, and reports whether it was held
// all the time. Its holder cannot be let wait for ever: what the others wait for
// may depend on a timer of its processor, and timers expire at DISPATCH_LEVEL.
func tries(t *testing.T) (held bool) {
	l := kit.New[spin.Lock](t)
	var hold, let, late uint32
	holder := kit.Go(t, func() ntstatus.Status {
		old := l.Acquire()
		atomic.StoreUint32(&hold, 1)
		for end := kernel.InterruptTime() + kernel.Second/2; atomic.LoadUint32(&let) == 0; arch.Pause() {
			if kernel.InterruptTime() > end {
				late = 1
				break
			}
		}
		l.Release(old)
		return ntstatus.Success
	}, func() { kit.OnCPU(1) })
	kit.Until(t, "the lock held", func() bool { return atomic.LoadUint32(&hold) == 1 })
	kit.Run(t, func() {
		old, got := l.Try()
		level := irql.Current()
		if got {
			l.Release(old)
		}
		var atDpc bool
		kit.At(irql.Dispatch, func() {
			if atDpc = l.TryAtDpc(); atDpc {
				l.ReleaseFromDpc()
			}
		})
		free := l.Test()
		atomic.StoreUint32(&let, 1)
		holder.Join(t)
		if held = late == 0; !held {
			return
		}
		if got || level != irql.Passive || atDpc || free {
			t.Errorf("try of a held lock: %v, level %d; at DISPATCH_LEVEL %v; free %v", got, level, atDpc, free)
		}
		old, got = l.Try()
		level = irql.Current()
		if got {
			l.Release(old)
		}
		if !got || level != irql.Dispatch || old != irql.Passive {
			t.Errorf("try of a free lock: %v, level %d, saved %d", got, level, old)
		}
	}, func() { kit.OnCPU(0) })
	return held
}

// rule: spin-mixed-release
func TestMixed(t *testing.T) {
	l := kit.New[spin.Lock](t)
	old := l.Acquire()
	l.ReleaseFromDpc()
	free, level := l.Test(), irql.Current()
	irql.Lower(old)
	if !free || level != irql.Dispatch {
		t.Errorf("FromDpc after Acquire: free %v, level %d", free, level)
	}
	outer := irql.Raise(irql.Dispatch)
	l.AcquireAtDpc()
	l.Release(outer)
	if !l.Test() || irql.Current() != outer {
		t.Errorf("Release after AtDpc: free %v, level %d", l.Test(), irql.Current())
	}
}

// rule: spin-fordpc
func TestForDpc(t *testing.T) {
	defer kit.Stay()()
	l := kit.New[spin.Lock](t)
	q, h := kit.New[spin.Queued](t), kit.New[spin.QueueHandle](t)
	for _, from := range []irql.Level{irql.Passive, irql.Dispatch} {
		old := irql.Raise(from)
		saved := l.AcquireForDpc()
		held := irql.Current()
		l.ReleaseForDpc(saved)
		after := irql.Current()
		q.AcquireForDpc(h)
		queued := irql.Current()
		h.ReleaseForDpc()
		last := irql.Current()
		irql.Lower(old)
		if saved != from || held != irql.Dispatch || after != from || queued != irql.Dispatch || last != from {
			t.Errorf("from %d: saved %d, held at %d, released to %d; queued %d, %d", from, saved, held, after, queued, last)
		}
	}
}

// rule: spin-apcs-not-disabled
// rule: spin-interrupts-enabled
func TestSideEffects(t *testing.T) {
	l := kit.New[spin.Lock](t)
	kit.Run(t, func() {
		self := kernel.Current()
		old := l.Acquire()
		apcs := self.KernelAPCs | self.SpecialAPCs
		enabled := arch.DisableInterrupts()
		arch.EnableInterrupts()
		l.Release(old)
		if apcs != 0 || !enabled {
			t.Errorf("APC counts %d, interrupts enabled %v", apcs, enabled)
		}
	})
}

// TestExclusion counts under each kind of lock, from threads on all processors.
func TestExclusion(t *testing.T) {
	l, q := kit.New[spin.Lock](t), kit.New[spin.Queued](t)
	for _, kind := range []struct {
		name   string
		rounds int
		add    func(n *int)
	}{
		{"plain", 4000, func(n *int) { old := l.Acquire(); *n++; l.Release(old) }},
		{"try", 4000, func(n *int) {
			for {
				if old, ok := l.Try(); ok {
					*n++
					l.Release(old)
					return
				}
			}
		}},
		{"at a device level", 4000, func(n *int) { old := l.AcquireTo(irql.DeviceMax); *n++; l.ReleaseTo(old) }},
		{"at HIGH_LEVEL", 4000, func(n *int) { old := l.AcquireTo(irql.High); *n++; l.ReleaseTo(old) }},
		// A host that runs another virtual processor than the next in line
		// makes every hand-over wait for it, hence fewer.
		{"queued", 300, func(n *int) {
			var h spin.QueueHandle
			q.Acquire(&h)
			*n++
			h.Release()
		}},
	} {
		counter := 0
		var all []*kit.Thread
		for cpu := range kit.CPUs() + 1 {
			all = append(all, kit.Go(t, func() ntstatus.Status {
				for range kind.rounds {
					kind.add(&counter)
				}
				return ntstatus.Success
			}, func() { kit.OnCPU(cpu % kit.CPUs()) }))
		}
		for _, th := range all {
			th.Join(t)
		}
		if counter != len(all)*kind.rounds {
			t.Errorf("%s: counted %d, want %d", kind.name, counter, len(all)*kind.rounds)
		}
	}
}

// rule: qspin-handle
// rule: qspin-word
// rule: qspin-atdpc
func TestQueuedHandle(t *testing.T) {
	defer kit.Stay()()
	q, h := kit.New[spin.Queued](t), kit.New[spin.QueueHandle](t)
	lock := func() uintptr { return *(*uintptr)(unsafe.Add(unsafe.Pointer(h), 8)) }
	address := uintptr(unsafe.Pointer(q))
	for _, level := range []irql.Level{irql.Passive, irql.APC, irql.Dispatch, irql.DeviceMin} {
		old := irql.Raise(level)
		if level <= irql.Dispatch {
			q.Acquire(h)
		} else {
			q.AcquireAtDpc(h)
		}
		held, w, b, saved := irql.Current(), *(*uintptr)(unsafe.Pointer(q)), lock(), *(*irql.Level)(unsafe.Add(unsafe.Pointer(h), 16))
		if level <= irql.Dispatch {
			h.Release()
		} else {
			h.ReleaseFromDpc()
		}
		after, wAfter, bAfter := irql.Current(), *(*uintptr)(unsafe.Pointer(q)), lock()
		irql.Lower(old)
		if held != max(level, irql.Dispatch) || after != level || saved != min(level, irql.Dispatch) {
			t.Errorf("level %d: held at %d, saved %d, released to %d", level, held, saved, after)
		}
		if w != uintptr(unsafe.Pointer(h)) || b != address|2 || wAfter != 0 || bAfter != address {
			t.Errorf("level %d: word %#x, handle %#x; after release %#x, %#x", level, w, b, wAfter, bAfter)
		}
	}
	if size := unsafe.Sizeof(spin.QueueHandle{}); size != 24 {
		t.Errorf("a handle has %d bytes", size)
	}
}

// rule: qspin-fifo
func TestQueuedOrder(t *testing.T) {
	kit.NeedCPUs(t, 4)
	kit.Uncollected(t)
	q := kit.New[spin.Queued](t)
	for range 8 {
		var order [3]uint32
		var n uint32
		var threads []*kit.Thread
		kit.Run(t, func() {
			var h spin.QueueHandle
			var handles [3]*spin.QueueHandle
			for i := range handles {
				handles[i] = kit.New[spin.QueueHandle](t)
			}
			turn := [3]uint32{}
			for i := range uint32(3) {
				threads = append(threads, kit.Go(t, func() ntstatus.Status {
					for atomic.LoadUint32(&turn[i]) == 0 {
						arch.Pause()
					}
					q.Acquire(handles[i])
					order[n] = i + 1
					n++
					handles[i].Release()
					return ntstatus.Success
				}, func() { kit.OnCPU(i + 1) }))
			}
			q.Acquire(&h)
			last := *(*uintptr)(unsafe.Pointer(q))
			for i := range turn {
				atomic.StoreUint32(&turn[i], 1)
				for atomic.LoadUintptr((*uintptr)(unsafe.Pointer(q))) == last {
					arch.Pause()
				}
				last = atomic.LoadUintptr((*uintptr)(unsafe.Pointer(q)))
			}
			h.Release()
		}, func() { kit.OnCPU(0) })
		for _, th := range threads {
			th.Join(t)
		}
		if order != [3]uint32{1, 2, 3} {
			t.Fatalf("granted in order %v", order)
		}
	}
}

// shared is data that a service routine shares with a thread.
type shared struct {
	a, b, bad uint32
}

func touch(i *intr.Interrupt, context unsafe.Pointer) bool {
	s := (*shared)(context)
	if s.a != s.b {
		s.bad++
	}
	s.a++
	s.b++
	return true
}

func connect(t *testing.T, c intr.Config) *intr.Interrupt {
	t.Helper()
	i := kit.New[intr.Interrupt](t)
	i.Init(&c)
	if s := i.Connect(); s != ntstatus.Success {
		t.Fatal(s)
	}
	t.Cleanup(i.Disconnect)
	return i
}

// rule: intlock-dirql
// rule: spin-isr-sharing
func TestInterruptLock(t *testing.T) {
	s := kit.New[shared](t)
	i := connect(t, intr.Config{Routine: touch, Context: unsafe.Pointer(s), Line: -1, Level: 6, Mode: intr.Latched})
	const rounds = 500
	stop := uint32(0)
	var sender *kit.Thread
	if kit.CPUs() > 1 {
		sender = kit.Go(t, func() ntstatus.Status {
			for atomic.LoadUint32(&stop) == 0 {
				board.SendIPI(0, 6)
			}
			return ntstatus.Success
		}, func() { kit.OnCPU(1) })
	}
	kit.Run(t, func() {
		for range rounds {
			old := i.Acquire()
			level := irql.Current()
			s.a++
			if sender == nil {
				board.RequestSelf(6) // held back until the lock is free
			}
			s.b++
			i.Release(old)
			if level != 6 || old != irql.Passive || irql.Current() != irql.Passive {
				t.Errorf("held at %d, saved %d, released to %d", level, old, irql.Current())
				return
			}
		}
	}, func() { kit.OnCPU(0) })
	atomic.StoreUint32(&stop, 1)
	if sender != nil {
		sender.Join(t)
	}
	if called, claimed := i.Counts(); s.bad != 0 || called == 0 || called != claimed {
		t.Errorf("%d of %d calls saw half a change; %d claimed", s.bad, called, claimed)
	}
}

type visit struct {
	level irql.Level
	held  bool
	i     *intr.Interrupt
}

func visited(context unsafe.Pointer) uint8 {
	v := (*visit)(context)
	v.level = irql.Current()
	return 2
}

// rule: sync-execution
// rule: sync-execution-raw-return
// rule: sync-execution-same-irql
func TestSynchronize(t *testing.T) {
	defer kit.Stay()()
	for level := irql.Dispatch; level <= irql.High; level++ {
		i, v := kit.New[intr.Interrupt](t), kit.New[visit](t)
		i.Init(&intr.Config{Line: -1, Level: level})
		for from := irql.Passive; from <= level; from++ {
			old := irql.Raise(from)
			r := i.Synchronize(visited, unsafe.Pointer(v))
			after := irql.Current()
			irql.Lower(old)
			if r != 2 || v.level != level || after != from {
				t.Errorf("SynchronizeIrql %d from %d: returned %d, ran at %d, back at %d", level, from, r, v.level, after)
			}
		}
	}
}

func decline(i *intr.Interrupt, context unsafe.Pointer) bool {
	atomic.AddUint32((*uint32)(context), 1)
	return false
}

func claim(i *intr.Interrupt, context unsafe.Pointer) bool {
	atomic.AddUint32((*uint32)(context), 1)
	return true
}

// TestSharedVector: the routines of a level-sensitive interrupt are asked in
// the order of their connection until one claims it.
//
// rule: io-isr-false
func TestSharedVector(t *testing.T) {
	var n [3]*uint32
	routines := []intr.Routine{decline, claim, claim}
	for k := range n {
		n[k] = kit.New[uint32](t)
		connect(t, intr.Config{Routine: routines[k], Context: unsafe.Pointer(n[k]), Line: -1, Level: 9, Shared: true})
	}
	for _, c := range []intr.Config{
		{Routine: claim, Line: -1, Level: 9},                                   // not shared
		{Routine: claim, Line: -1, Level: 9, Shared: true, Mode: intr.Latched}, // another mode
		{Routine: claim, Line: -1, Level: 2},                                   // not a device level
		{Routine: claim, Line: -1, Level: 13},                                  // not a device level
		{Routine: claim, Line: -1, Level: 8, CPU: arch.MaxCPUs},                // no such processor
		{Routine: claim, Line: board.Lines, Level: 8},                          // no such line
		{Routine: claim, Line: -1, Level: 8, Synchronize: irql.High + 1},       // no such level
		{Line: -1, Level: 8},                                                   // no routine
	} {
		i := kit.New[intr.Interrupt](t)
		i.Init(&c)
		if s := i.Connect(); s != ntstatus.InvalidParameter {
			t.Errorf("%+v: %v", c, s)
		}
	}
	kit.Run(t, func() {
		for range 10 {
			kit.Interrupt(9)
		}
	}, func() { kit.OnCPU(0) })
	if *n[0] != 10 || *n[1] != 10 || *n[2] != 0 {
		t.Errorf("calls %d %d %d, want 10 10 0", *n[0], *n[1], *n[2])
	}
}

// TestDisconnect connects and disconnects under fire.
func TestDisconnect(t *testing.T) {
	kit.NeedCPUs(t, 2)
	stop := uint32(0)
	sender := kit.Go(t, func() ntstatus.Status {
		for atomic.LoadUint32(&stop) == 0 {
			board.SendIPI(0, 5)
			for range 500 { // the processor has other things to do as well
				arch.Pause()
			}
		}
		return ntstatus.Success
	}, func() { kit.OnCPU(1) })
	for range 50 {
		n := kit.New[uint32](t)
		i := kit.New[intr.Interrupt](t)
		i.Init(&intr.Config{Routine: claim, Context: unsafe.Pointer(n), Line: -1, Level: 5, Mode: intr.Latched})
		if s := i.Connect(); s != ntstatus.Success {
			t.Fatal(s)
		}
		for range 1000 {
			arch.Pause()
		}
		i.Disconnect()
		after := atomic.LoadUint32(n)
		for range 1000 {
			arch.Pause()
		}
		if got := atomic.LoadUint32(n); got != after {
			t.Fatalf("%d calls after Disconnect", got-after)
		}
	}
	atomic.StoreUint32(&stop, 1)
	sender.Join(t)
}

// unchecked runs a test without the checks, on the locks' fast path.
func unchecked(t *testing.T, test func(t *testing.T)) {
	spin.SetChecked(false)
	defer spin.SetChecked(true)
	test(t)
}

func TestUnchecked(t *testing.T) {
	t.Run("levels", func(t *testing.T) { unchecked(t, TestLevels) })
	t.Run("at DPC level", func(t *testing.T) { unchecked(t, TestAtDpc) })
	t.Run("try", func(t *testing.T) { unchecked(t, TestTry) })
	t.Run("mixed", func(t *testing.T) { unchecked(t, TestMixed) })
	t.Run("exclusion", func(t *testing.T) { unchecked(t, TestExclusion) })
	t.Run("queued", func(t *testing.T) { unchecked(t, TestQueuedHandle) })
	t.Run("in kernel context", func(t *testing.T) { unchecked(t, testInKernel) })
}

// testInKernel adds in kernel context, where the fast path is.
func testInKernel(t *testing.T) {
	l, n := kit.New[spin.Lock](t), kit.New[uint64](t)
	const rounds = 5000
	var all []*kit.Thread
	for cpu := range kit.CPUs() + 1 {
		all = append(all, kit.Go(t, func() ntstatus.Status {
			bad := ntstatus.Success
			kit.Kernel(func() {
				for range rounds {
					old := l.Acquire()
					*n++
					level := irql.Current()
					l.Release(old)
					if old != irql.Passive || level != irql.Dispatch || irql.Current() != irql.Passive {
						bad = ntstatus.Unsuccessful
					}
				}
			})
			return bad
		}, func() { kit.OnCPU(cpu % kit.CPUs()) }))
	}
	for _, th := range all {
		if s := th.Join(t); s != ntstatus.Success {
			t.Errorf("wrong levels")
		}
	}
	if *n != uint64(len(all))*rounds || !l.Test() {
		t.Errorf("counted %d, want %d; free %v", *n, len(all)*rounds, l.Test())
	}
}

// rule: spin-free-build-high
func TestUncheckedAtHigh(t *testing.T) {
	if chance.Enabled() {
		t.Skip("a seed wants the full path")
	}
	l := kit.New[spin.Lock](t)
	unchecked(t, func(t *testing.T) {
		var saved, held, after irql.Level
		kit.Kernel(func() {
			outer := irql.Raise(irql.High)
			saved = l.Acquire()
			held = irql.Current()
			l.Release(saved)
			after = irql.Current()
			irql.Lower(outer)
		})
		if saved != irql.High || held != irql.Dispatch || after != irql.High {
			t.Errorf("saved %d, held at %d, released to %d", saved, held, after)
		}
	})
}
