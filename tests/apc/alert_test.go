package apc

import (
	"sync/atomic"
	"testing"
	"time"

	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
)

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
