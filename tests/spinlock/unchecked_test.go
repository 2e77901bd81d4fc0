package spinlock

import (
	"testing"

	"irqlab/chance"
	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/sync/spin"
	"irqlab/tests/kit"
)

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
