package apc

import (
	"strings"
	"testing"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
)

// held inserts an APC of each kind and calls inside and leave. It returns what was
// delivered before leave, and by it.
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
