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

// coalesced sets neighbouring timers with a tolerance, the i-th due in 10+i ms, waits
// until each has expired n times, and returns their times and that of the setting.
func coalesced(t *testing.T, timers int, period, tolerance, n uint32) (all []*expiries, start int64) {
	for range timers {
		x := kit.New[expiries](t)
		x.timer.InitNotification()
		x.dpc.Init(expiredAt, unsafe.Pointer(x))
		all = append(all, x)
	}
	kit.At(irql.Dispatch, func() { // on one processor, which expires none meanwhile
		start = kernel.SystemTime()
		for i, x := range all {
			x.timer.SetCoalescable(start+int64(10+i)*ms, period, tolerance, &x.dpc)
		}
	})
	for _, x := range all {
		kit.Until(t, "a timer expires", func() bool { return atomic.LoadUint32(&x.n) >= n })
		x.timer.Cancel()
	}
	sync.FlushDPCs()
	return all, start
}

// rule: timer-coalesce-zero
// rule: timer-coalesce-window
func TestCoalescable(t *testing.T) {
	const timers = 8
	for _, c := range []struct {
		tolerance uint32
		times     int // at which they expire
	}{{0, timers}, {5, 4}, {32, 2}} { // the steps are 3.3 ms and 26 ms
		// The processor may come late, or not run for a while: the best counts.
		times, late := timers+1, [timers]int64{}
		kit.Retry(func() bool {
			all, start := coalesced(t, timers, 0, c.tolerance, 1)
			distinct, worst := map[int64]bool{}, int64(0)
			for i, x := range all {
				l := x.at[0] - start - int64(10+i)*ms
				if l < 0 {
					t.Fatalf("tolerance %d: %d us early", c.tolerance, -l/10)
				}
				if late[i] == 0 || l < late[i] {
					late[i] = l
				}
				worst = max(worst, late[i])
				distinct[x.at[0]] = true
			}
			times = min(times, len(distinct))
			return times <= c.times && worst < int64(c.tolerance)*ms+2*ms
		})
		if times > c.times {
			t.Errorf("tolerance %d: neighbours expire at %d times", c.tolerance, times)
		}
		for i, l := range late {
			if l >= int64(c.tolerance)*ms+2*ms {
				t.Errorf("tolerance %d: timer %d is %d ms late", c.tolerance, i, l/int64(ms))
			}
		}
	}
}

// rule: timer-coalesce-window
func TestCoalescablePeriod(t *testing.T) {
	const periods, more = 5, 6
	for _, c := range []struct{ period, tolerance uint32 }{{30, 0}, {30, 32}, {10, 32}, {50, 50}} {
		var took int64
		kept := kit.Retry(func() bool {
			all, _ := coalesced(t, 1, c.period, c.tolerance, periods+1+more)
			at := &all[0].at
			took = at[periods] - at[0]
			for i := range more { // a host that stops the processor makes it longer
				took = min(took, at[i+1+periods]-at[i+1])
			}
			off := took - periods*int64(c.period)*ms
			slack := int64(min(c.tolerance, c.period))*ms + 2*ms
			return -slack < off && off < slack
		})
		if !kept {
			t.Errorf("period %d ms, tolerance %d ms: %d periods took %d ms", c.period, c.tolerance, periods, took/int64(ms))
		}
	}
}
