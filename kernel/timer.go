package kernel

import (
	"math/bits"
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/dpc"
	"irqlab/list"
	"irqlab/ntstatus"
)

// Timer is a KTIMER (64 bytes): an object that is signalled when its time has
// come, and may queue a DPC then. All fields are guarded by the dispatcher lock.
type Timer struct {
	Header    Header
	DueTime   uint64     // interrupt time, 100 ns; see expiry
	Entry     list.Entry // in a timer table
	DPC       *dpc.Object
	Processor uint16 // whose table it is in
	Tolerance uint16 // ms that the expiry may come late, to share an interrupt
	Period    uint32 // ms; 0 for a one-shot timer
}

// Init makes t a timer of the given type, not set, not signalled
// (KeInitializeTimerEx).
//
// IRQL: <= DISPATCH_LEVEL
func (t *Timer) Init(typ Type) {
	t.Header.Init(typ, unsafe.Sizeof(Timer{}), 0)
	t.DueTime, t.DPC, t.Period, t.Tolerance, t.Processor = 0, nil, 0, 0, 0
}

// Set starts the timer (KeSetCoalescableTimer). due is in 100 ns units,
// relative if negative, absolute system time otherwise; period and tolerance
// are in ms. It reports whether the timer was set already; that setting is
// cancelled. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Timer) Set(due int64, period, tolerance uint32, d *dpc.Object) bool {
	old := LockDispatcher()
	was := t.SetLocked(due, period, tolerance, d)
	UnlockDispatcher(old)
	return was
}

// SetLocked is Set for those who hold the dispatcher lock.
func (t *Timer) SetLocked(due int64, period, tolerance uint32, d *dpc.Object) bool {
	was := t.stop()
	if t.DPC, t.Period = d, period; d != nil {
		d.AttachTimer()
	}
	t.Tolerance = uint16(min(tolerance, 1<<16-1))
	now := InterruptTime()
	at := dueAt(due, now)
	if at <= now {
		t.fire(now)
		if period != 0 {
			t.start(now + uint64(period)*Millisecond)
		}
	} else {
		// Only here: a timer that expires at once stays signalled if it was, also
		// for those who read its state without the lock.
		t.Header.SignalState = 0
		t.start(at)
	}
	return was
}

// Cancel stops the timer; its state stays as it is (KeCancelTimer). It reports
// whether the timer was set. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Timer) Cancel() bool {
	old := LockDispatcher()
	was := t.CancelLocked()
	UnlockDispatcher(old)
	return was
}

// CancelLocked is Cancel for those who hold the dispatcher lock.
func (t *Timer) CancelLocked() bool {
	was := t.stop()
	t.Period = 0
	return was
}

// dueTime turns a documented due time or timeout into an interrupt time.
func dueTime(t int64) uint64 { return dueAt(t, InterruptTime()) }

// dueAt is dueTime, where it is now.
func dueAt(t int64, now uint64) uint64 {
	if t <= 0 {
		return now + uint64(-t)
	}
	if d := t - bootTime; d > 0 {
		return uint64(d)
	}
	return 0
}

// fire signals the timer and queues its DPC. The DPC's arguments are the two
// halves of the time, as in NT.
func (t *Timer) fire(now uint64) {
	t.Header.SignalState = 1
	if !t.Header.WaitList.Empty() {
		t.Header.Signal(0)
	}
	if t.DPC != nil {
		sys := uint64(bootTime) + now
		t.DPC.Expire(unsafe.Pointer(uintptr(uint32(sys))), unsafe.Pointer(uintptr(sys>>32)))
	}
}

// start puts the timer into the running processor's table.
func (t *Timer) start(due uint64) {
	p := this()
	t.DueTime = due
	t.Processor = uint16(p.id)
	t.Header.Inserted = 1
	if p.timers.insert(t) && p.clock.later(t.expiry()) {
		p.rearm = true
	}
}

// expiry is when the timer is to expire: at DueTime, or with a tolerance at the
// next multiple of a power of two that fits into it, which neighbours share. The
// next period counts from DueTime all the same. What it depends on does not change
// while the timer is in a table.
func (t *Timer) expiry() uint64 {
	if t.Tolerance == 0 {
		return t.DueTime
	}
	tolerance := uint64(t.Tolerance)
	if t.Period != 0 {
		tolerance = min(tolerance, uint64(t.Period))
	}
	unit := uint64(1) << (bits.Len64(tolerance*Millisecond) - 1)
	return (t.DueTime + unit - 1) &^ (unit - 1)
}

// stop takes the timer out of its table and reports whether it was in one.
func (t *Timer) stop() bool {
	if t.Header.Inserted == 0 {
		return false
	}
	t.Header.Inserted = 0
	processors[t.Processor].timers.remove(t)
	return true
}

// Slots are 3.3 ms wide, so the table covers 210 ms ahead; timers further away
// share slots with nearer ones and sort behind them.
const (
	timerSlots = 64
	slotShift  = 15
)

// timerTable holds a processor's timers, hashed by the time of their expiry. Each
// slot's list is sorted.
type timerTable struct {
	due  uint64 // of the earliest timer; read without the lock by the clock interrupt
	used uint64 // bit n: slots[n] has timers
	slot [timerSlots]list.Entry
}

const never = ^uint64(0)

func (tt *timerTable) init() {
	for i := range tt.slot {
		tt.slot[i].Init()
	}
	tt.due = never
}

func slotOf(due uint64) uint { return uint(due>>slotShift) % timerSlots }

func timerOf(e *list.Entry) *Timer {
	return (*Timer)(e.Container(unsafe.Offsetof(Timer{}.Entry)))
}

// insert adds a timer and reports whether it is the earliest now.
func (tt *timerTable) insert(t *Timer) bool {
	due := t.expiry()
	i := slotOf(due)
	// From the end: most timers are set for later than those in the table.
	e := tt.slot[i].Blink
	for e != &tt.slot[i] && timerOf(e).expiry() > due {
		e = e.Blink
	}
	e.InsertHead(&t.Entry) // behind e
	tt.used |= 1 << i
	if due < tt.due {
		tt.due = due
		return true
	}
	return false
}

func (tt *timerTable) remove(t *Timer) {
	due := t.expiry()
	if t.Entry.Remove() {
		tt.used &^= 1 << slotOf(due)
	}
	if due == tt.due {
		// Not from the time that it is: others may be overdue as well.
		tt.due = tt.earliest(due)
	}
}

// earliest finds the earliest due time, given that nothing in the table is due
// before the given one.
func (tt *timerTable) earliest(from uint64) uint64 {
	first := slotOf(from)
	best := never
	for used := bits.RotateLeft64(tt.used, -int(first)); used != 0; used &= used - 1 {
		n := uint64(bits.TrailingZeros64(used))
		d := timerOf(tt.slot[(uint(n)+first)%timerSlots].Flink).expiry()
		best = min(best, d)
		if d>>slotShift <= from>>slotShift+n {
			break // due within this turn of the table: no later slot can beat it
		}
	}
	return best
}

// expire fires every timer that is due. Dispatcher lock held.
func (tt *timerTable) expire(now uint64) {
	for tt.due <= now {
		q := &tt.slot[slotOf(tt.due)]
		t := timerOf(q.Flink)
		t.stop()
		if t.Header.Abandoned == threadTimer {
			n := t.thread()
			n.unwait(ntstatus.Timeout, n.TimeoutBoost)
			continue
		}
		t.fire(now)
		if t.Period != 0 {
			t.DueTime += uint64(t.Period) * Millisecond
			if t.expiry() <= now {
				t.DueTime = now + 1
			}
			t.start(t.DueTime)
		}
	}
}

// thread returns the thread whose own timer t is.
func (t *Timer) thread() *Thread {
	return (*Thread)(unsafe.Pointer(uintptr(unsafe.Pointer(t)) - unsafe.Offsetof(Thread{}.Timer)))
}

// threadTimer marks the timer inside a thread, which ends its wait.
const threadTimer = 0x80

// CheckFree stops the machine if a timer that is set lies in [lo, hi), which is
// about to be freed. It is meant for pool.OnFree.
//
// IRQL: <= DISPATCH_LEVEL
func CheckFree(lo, hi uintptr) {
	if hi-lo < unsafe.Sizeof(Timer{}) {
		return
	}
	old := LockDispatcher()
	bad := uintptr(0)
	for cpu := range arch.NumCPUs {
		tt := &processors[cpu].timers
		for used := tt.used; used != 0; used &= used - 1 {
			q := &tt.slot[bits.TrailingZeros64(used)]
			for e := q.Flink; e != q; e = e.Flink {
				if a := uintptr(unsafe.Pointer(timerOf(e))); a < hi && a+unsafe.Sizeof(Timer{}) > lo {
					bad = a
				}
			}
		}
	}
	UnlockDispatcher(old)
	if bad != 0 {
		const timer = 0 // parameter 1: a timer object
		bugcheck.Stop(bugcheck.TimerOrDPCInvalid, timer, bad, lo, hi)
	}
}

// EachTimer calls fn for every timer of a processor's table, in no order, until
// it returns false. Dispatcher lock held.
func EachTimer(cpu uint32, fn func(*Timer) bool) {
	tt := &processors[cpu].timers
	for i := range tt.slot {
		for e := tt.slot[i].Flink; e != nil && e != &tt.slot[i]; e = e.Flink {
			if !fn(timerOf(e)) {
				return
			}
		}
	}
}

// TimerOf returns the address of a timer that is set and will queue d, or 0; it
// is meant for package dpc.
//
// IRQL: <= DISPATCH_LEVEL
func TimerOf(d *dpc.Object) (timer uintptr) {
	old := LockDispatcher()
	for cpu := range arch.NumCPUs {
		tt := &processors[cpu].timers
		for used := tt.used; used != 0; used &= used - 1 {
			q := &tt.slot[bits.TrailingZeros64(used)]
			for e := q.Flink; e != q; e = e.Flink {
				if t := timerOf(e); t.DPC == d {
					timer = uintptr(unsafe.Pointer(t))
				}
			}
		}
	}
	UnlockDispatcher(old)
	return timer
}
