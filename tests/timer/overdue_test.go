package timer

import (
	"testing"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/sync"
	"irqlab/tests/kit"
)

// Several timers become due while the processor is raised. One of them is
// cancelled before the others expire, which must not make the table forget them.
func TestOverdue(t *testing.T) {
	kit.Run(t, func() {
		var timers [4]*sync.Timer
		for i := range timers {
			timers[i] = kit.New[sync.Timer](t)
			timers[i].InitNotification()
		}
		first, overdue, soon, far := timers[0], timers[1], timers[2], timers[3]
		kit.At(irql.Dispatch, func() {
			start := kernel.InterruptTime()
			first.Set(-1*kernel.Millisecond, 0, nil)
			overdue.Set(-5*kernel.Millisecond, 0, nil)
			soon.Set(-40*kernel.Millisecond, 0, nil)
			far.Set(-1000*kernel.Second, 0, nil)
			for kernel.InterruptTime() < start+20*kernel.Millisecond {
			}
			first.Cancel()
		})
		if s := overdue.Wait(kit.Ms(20), false, kernel.KernelMode); s != 0 || !overdue.State() {
			t.Errorf("a timer that was due long ago: %v", s)
		}
		soon.Cancel()
		far.Cancel()
	}, func() { kit.OnCPU(0) })
}
