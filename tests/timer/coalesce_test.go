package timer

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/sync"
	"irqlab/tests/kit"
)

// expiries is when a timer has expired: those that expire together do so at the
// same time.
type expiries struct {
	timer sync.Timer
	dpc   dpc.Object
	n     uint32
	at    [16]int64 // system time
}

func expiredAt(_ *dpc.Object, context, low, high unsafe.Pointer) {
	x := (*expiries)(context)
	if n := atomic.LoadUint32(&x.n); n < uint32(len(x.at)) {
		x.at[n] = int64(uintptr(high)<<32 | uintptr(low))
		atomic.StoreUint32(&x.n, n+1)
	}
}

// note returns a timer that notes when it expires.
func note(t *testing.T) *expiries {
	x := kit.New[expiries](t)
	x.timer.InitNotification()
	x.dpc.Init(expiredAt, unsafe.Pointer(x))
	return x
}

// wait waits until the timer has expired n times.
func (x *expiries) wait(t *testing.T, n uint32) {
	kit.Until(t, "a timer expires", func() bool { return atomic.LoadUint32(&x.n) >= n })
}

// rule: timer-coalesce-zero
// rule: timer-coalesce-window
func TestCoalescable(t *testing.T) {
	t.Cleanup(sync.FlushDPCs)
	const timers = 8
	for _, c := range []struct {
		tolerance uint32
		times     int // at which they expire
	}{{0, timers}, {5, 4}, {32, 2}} { // the steps are 3.3 ms and 26 ms
		// A processor that the host does not run is late for all that is due by
		// then, at the same time. So each timer has one beside it that expires when
		// its tolerance ends.
		var all, ends [timers]*expiries
		var start int64
		if !kit.Retry(func() (inTime bool) {
			for i := range all {
				all[i], ends[i] = note(t), note(t)
			}
			kit.At(irql.Dispatch, func() { // on one processor, which expires none meanwhile
				start = kernel.SystemTime()
				for i, x := range all {
					due := start + int64(10+i)*ms
					x.timer.SetCoalescable(due, 0, c.tolerance, &x.dpc)
					ends[i].timer.Set(due+int64(c.tolerance)*ms, 0, &ends[i].dpc)
				}
				inTime = kernel.SystemTime() < start+10*ms
			})
			for i, x := range all {
				x.wait(t, 1)
				ends[i].wait(t, 1)
			}
			return inTime
		}) {
			t.Fatal("the first timer is always due before the last is set")
		}
		times := map[int64]bool{}
		for i, x := range all {
			due, at, end := start+int64(10+i)*ms, x.at[0], ends[i].at[0]
			if at < due || at > end {
				t.Errorf("tolerance %d: timer %d expires %d us after it is due, %d us after its tolerance", c.tolerance, i, (at-due)/10, (at-end)/10)
			}
			times[at] = true
		}
		if len(times) > c.times {
			t.Errorf("tolerance %d: neighbours expire at %d times", c.tolerance, len(times))
		}
	}
}

// rule: timer-coalesce-window
func TestCoalescablePeriod(t *testing.T) {
	const periods, windows, jitter = 5, 6, 25 * ms
	for _, c := range []struct{ period, tolerance uint32 }{{30, 0}, {30, 32}, {10, 32}} {
		var took int64
		kept := kit.Retry(func() bool {
			x := note(t)
			x.timer.SetCoalescable(-10*ms, c.period, c.tolerance, &x.dpc)
			x.wait(t, periods+windows)
			x.timer.Cancel()
			sync.FlushDPCs()
			for i := range windows { // the host may be late at one end or the other
				took = x.at[i+periods] - x.at[i]
				off := took - periods*int64(c.period)*ms
				if slack := int64(min(c.tolerance, c.period))*ms + jitter; -slack < off && off < slack {
					return true
				}
			}
			return false
		})
		if !kept {
			t.Errorf("period %d ms, tolerance %d ms: %d periods took %d ms", c.period, c.tolerance, periods, took/int64(ms))
		}
	}
}
