package spinlock

import (
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/intr"
	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/tests/kit"
)

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
	const rounds, enough = 500, 10
	calls := func() (n uint64) { n, _ = i.Counts(); return n }
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
		// The host may let the sender's processor wait for as long as the rounds take.
		end := time.Now().Add(kit.Patience / 2)
		for n := 0; n < rounds || calls() < enough && time.Now().Before(end); n++ {
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
	i.Disconnect() // waits for a call that has begun
	if called, claimed := i.Counts(); s.bad != 0 || called < enough || called != claimed {
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
	defer atomic.StoreUint32(&stop, 1)
	kit.Go(t, func() ntstatus.Status {
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
		kit.Until(t, "an interrupt", func() bool { return atomic.LoadUint32(n) > 0 })
		i.Disconnect()
		after := atomic.LoadUint32(n)
		for range 1000 {
			arch.Pause()
		}
		if got := atomic.LoadUint32(n); got != after {
			t.Fatalf("%d calls after Disconnect", got-after)
		}
	}
}
