// Package spinlock tests the rules of area spinlock.
package spinlock

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/arch"
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
