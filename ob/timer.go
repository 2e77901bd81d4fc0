package ob

import (
	"unsafe"

	"irqlab/dpc"
	"irqlab/kernel"
	"irqlab/list"
	"irqlab/pool"
	"irqlab/sync"
	"irqlab/sync/spin"
)

// TimerBody is the body of a timer (ETIMER): a KTIMER that may have an alarm.
type TimerBody struct {
	sync.Timer
	dpc   dpc.Object
	alarm *Alarm
}

// Alarm is an APC that a timer queues when it expires, to the thread that set it.
// It belongs to its timer, which it keeps alive, until the timer is set again or
// cancelled, the thread ends, or, unless the timer is periodic, its APC is taken.
//
// The APC is to be initialised with the routines AlarmTaken and AlarmRunDown.
type Alarm struct {
	APC kernel.APC

	entry    list.Entry // in alarms
	timer    *TimerBody // nil once it is over
	since    uint64     // system time at which the timer was set
	periodic bool
	queued   bool // the APC has been inserted, and its kernel routine has not run
}

// alarms are those of timers that are set. The lock guards them, and the timers'
// alarm fields; it comes before the dispatcher lock.
//
// The DPC of a timer may run late, when the timer has been set again or is gone.
// So it does not touch the timer, but looks for an alarm that fits.
var alarms struct {
	lock spin.Lock
	list list.Entry
}

const alarmTag pool.Tag = 'A' | 'l'<<8 | 'r'<<16 | 'm'<<24

func initAlarms() {
	alarms.list.Init()
	kernel.ThreadEnds = cancelAlarms
}

// Init makes t a timer that is not set. It must be the body of an object.
//
// IRQL: <= DISPATCH_LEVEL
func (t *TimerBody) Init(synchronization bool) {
	if synchronization {
		t.InitSynchronization()
	} else {
		t.InitNotification()
	}
	t.dpc.Init(expired, unsafe.Pointer(t))
}

// NewAlarm returns an alarm to be given to SetAlarm, or nil if there is no
// memory.
//
// IRQL: <= DISPATCH_LEVEL
func NewAlarm() *Alarm {
	return (*Alarm)(pool.Alloc(unsafe.Sizeof(Alarm{}), alarmTag))
}

// setting carries a call into the kernel.
type setting struct {
	timer  *TimerBody
	alarm  *Alarm
	due    int64
	period uint32
	was    bool
}

// SetAlarm sets the timer and reports whether it was signalled. What it was set
// for before, its DPC and an alarm whose APC has not been taken are gone. Due and
// period are those of sync.Timer. The alarm, if not nil, belongs to the timer from
// now on (NtSetTimer).
//
// IRQL: <= DISPATCH_LEVEL
func (t *TimerBody) SetAlarm(due int64, period uint32, a *Alarm) bool {
	s := setting{timer: t, alarm: a, due: due, period: period}
	args := kernel.Args{P: unsafe.Pointer(&s)}
	kernel.Enter(setAlarm, &args)
	return s.was
}

func setAlarm(a *kernel.Args) {
	s := (*setting)(a.P)
	t := s.timer
	old := alarms.lock.Acquire()
	before := t.stop()
	s.was = t.State()
	d := (*dpc.Object)(nil)
	if n := s.alarm; n != nil {
		n.timer, n.periodic = t, s.period != 0
		n.since = uint64(kernel.SystemTime())
		alarms.list.InsertTail(&n.entry)
		t.alarm = n
		Reference(unsafe.Pointer(t))
		d = &t.dpc
	}
	t.Set(s.due, s.period, d)
	alarms.lock.Release(old)
	before.end()
}

// CancelAlarm cancels the timer and its alarm and reports whether the timer was
// signalled, which it stays (NtCancelTimer).
//
// IRQL: <= DISPATCH_LEVEL
func (t *TimerBody) CancelAlarm() bool {
	a := kernel.Args{P: unsafe.Pointer(t)}
	kernel.Enter(cancelAlarm, &a)
	return a.R != 0
}

func cancelAlarm(a *kernel.Args) {
	t := (*TimerBody)(a.P)
	old := alarms.lock.Acquire()
	before := t.stop()
	if t.State() {
		a.R = 1
	}
	alarms.lock.Release(old)
	before.end()
}

// over is what an alarm that is over leaves to be freed.
type over struct {
	timer *TimerBody
	alarm *Alarm // nil if its kernel routine, which runs already, frees it
}

func (o over) end() {
	if o.alarm != nil {
		pool.Free(unsafe.Pointer(o.alarm), alarmTag)
	}
	if o.timer != nil {
		Dereference(unsafe.Pointer(o.timer))
	}
}

// stop stops the timer and takes its alarm away. Alarm lock held.
func (t *TimerBody) stop() (o over) {
	t.Cancel()
	t.dpc.Remove()
	if a := t.alarm; a != nil {
		o = over{t, a}
		a.leave()
		if a.queued && !a.APC.Remove() {
			o.alarm = nil
		}
	}
	return o
}

// leave parts an alarm from its timer. Alarm lock held.
func (a *Alarm) leave() {
	a.entry.Remove()
	a.timer.alarm = nil
	a.timer = nil
}

// expired is the timers' DPC: it queues the alarm's APC.
func expired(_ *dpc.Object, timer, low, high unsafe.Pointer) {
	now := uint64(uintptr(low)) | uint64(uintptr(high))<<32
	alarms.lock.AcquireAtDpc()
	for e := alarms.list.Flink; e != &alarms.list; e = e.Flink {
		a := (*Alarm)(e.Container(unsafe.Offsetof(Alarm{}.entry)))
		if unsafe.Pointer(a.timer) == timer && now >= a.since && !a.queued {
			a.queued = a.APC.Insert(low, high, 0)
		}
	}
	alarms.lock.ReleaseFromDpc()
}

// AlarmTaken is the kernel routine of alarms' APCs.
//
// IRQL: APC_LEVEL
func AlarmTaken(apc *kernel.APC, normal *kernel.NormalRoutine, _, _, _ *unsafe.Pointer) {
	if !taken(apc) {
		*normal = nil // cancelled when it was out of its queue already
	}
}

// AlarmRunDown is the rundown routine of alarms' APCs.
//
// IRQL: PASSIVE_LEVEL
func AlarmRunDown(apc *kernel.APC) { taken(apc) }

// taken notes that an APC has left its queue to be called, and reports whether
// its alarm was still wanted.
func taken(apc *kernel.APC) bool {
	a := (*Alarm)(unsafe.Pointer(apc)) // APC is its first field
	old := alarms.lock.Acquire()
	a.queued = false
	t := a.timer
	o := over{}
	if t == nil {
		o.alarm = a
	} else if !a.periodic {
		a.leave()
		o = over{t, a}
	}
	alarms.lock.Release(old)
	o.end()
	return t != nil
}

// cancelAlarms cancels the timers whose alarms are for a thread that ends.
func cancelAlarms(t *kernel.Thread) {
	for !alarms.list.Empty() {
		var before over
		old := alarms.lock.Acquire()
		for e := alarms.list.Flink; e != &alarms.list; e = e.Flink {
			if a := (*Alarm)(e.Container(unsafe.Offsetof(Alarm{}.entry))); a.APC.Thread == t {
				before = a.timer.stop()
				break
			}
		}
		alarms.lock.Release(old)
		if before.timer == nil {
			return
		}
		before.end()
	}
}

// endTimer stops a timer that is about to go; it has no alarm, which would keep
// it.
func endTimer(body unsafe.Pointer) {
	t := (*TimerBody)(body)
	t.Cancel()
	t.dpc.Remove()
}

// Remaining returns the time until the timer expires, in units of 100 ns, 0 if it
// is not set (NtQueryTimer).
//
// IRQL: <= DISPATCH_LEVEL
func (t *TimerBody) Remaining() int64 {
	due, now := t.DueTime, kernel.InterruptTime()
	if t.Header.Inserted == 0 || due <= now {
		return 0
	}
	return int64(due - now)
}
