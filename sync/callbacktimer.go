package sync

import (
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/pool"
)

// CallbackTimer is an EX_TIMER, a timer that the system allocates: it calls a
// routine when it expires, and is deleted when nobody can call that any more.
// Its first field makes it an object that threads can wait for.
//
// Documentation: "ExXxxTimer Routines and EX_TIMER Objects", "Deleting a
// System-Allocated Timer Object".
type CallbackTimer struct {
	Timer
	expire            dpc.Object
	callback, context uintptr // of type TimerCallback
	highResolution    bool

	// The dispatcher lock guards what follows.
	deleted  bool // no more settings
	ending   bool // the barrier is on its way
	wait     bool // the one who deletes frees the memory
	finally  uintptr
	argument uintptr // of finally
	gone     kernel.Header
	barrier  dpc.Barrier // behind the last call of the callback
}

// TimerCallback is what a CallbackTimer calls (EXT_CALLBACK): resident code.
//
// IRQL: DISPATCH_LEVEL
type TimerCallback func(t *CallbackTimer, context unsafe.Pointer)

// TimerDeleted is called when a CallbackTimer has ended (EXT_DELETE_CALLBACK):
// resident code.
//
// IRQL: DISPATCH_LEVEL
type TimerDeleted func(context unsafe.Pointer)

const callbackTimerTag pool.Tag = 'E' | 'x'<<8 | 'T'<<16 | 'm'<<24

// Parameter 1 of bug check TIMER_OR_DPC_INVALID. The documentation promises a
// bug check for these and leaves its code open.
const (
	timerFlags        = 7 // attributes that exclude each other
	timerAbsolute     = 8 // an absolute time for a high-resolution timer
	timerDeleteForced = 9 // a wait for the end of a timer that is not cancelled
)

// TimerKind says what a CallbackTimer is like.
type TimerKind struct {
	Notification   bool // stays signalled; else a wait resets it
	HighResolution bool // takes relative times only
	NoWake         bool // does not wake a sleeping processor; none sleeps here
}

// Initialized reports whether t looks as NewCallbackTimer leaves it.
//
// IRQL: any
func (t *CallbackTimer) Initialized() bool {
	return t.Header.Plausible() && t.expire.Type == dpc.Ordinary && t.expire.Routine != 0
}

// NewCallbackTimer returns a timer that is not set, or nil if there is no memory
// (ExAllocateTimer). Callback may be nil; else it, and its context, obey the
// rules of a DPC's routine and context. A high-resolution timer that must not
// wake anybody is bug check TIMER_OR_DPC_INVALID.
//
// IRQL: <= DISPATCH_LEVEL
func NewCallbackTimer(kind TimerKind, callback TimerCallback, context unsafe.Pointer) *CallbackTimer {
	if kind.HighResolution && kind.NoWake {
		bugcheck.StopBecause("a timer cannot both have high resolution and not wake the processor (ExAllocateTimer)",
			bugcheck.TimerOrDPCInvalid, timerFlags, 0, 0, 0)
	}
	t := (*CallbackTimer)(pool.Alloc(unsafe.Sizeof(CallbackTimer{}), callbackTimerTag))
	if t == nil {
		return nil
	}
	if kind.Notification {
		t.InitNotification()
	} else {
		t.InitSynchronization()
	}
	t.highResolution = kind.HighResolution
	t.callback, t.context = *(*uintptr)(unsafe.Pointer(&callback)), uintptr(context)
	t.expire.Init(timerExpired, unsafe.Pointer(t))
	t.gone.Init(kernel.TypeNotificationEvent, unsafe.Sizeof(kernel.Header{}), 0)
	return t
}

// Set starts the timer and reports whether that cancelled an earlier setting
// (ExSetTimer). Due and period are in units of 100 ns; a period is rounded up to
// whole milliseconds. After Delete it does nothing. An absolute due time for a
// high-resolution timer is bug check TIMER_OR_DPC_INVALID.
//
// IRQL: <= DISPATCH_LEVEL
func (t *CallbackTimer) Set(due, period int64) bool {
	if t.highResolution && due >= 0 {
		bugcheck.StopBecause("a high-resolution timer was set to an absolute time (ExSetTimer)",
			bugcheck.TimerOrDPCInvalid, timerAbsolute, uintptr(unsafe.Pointer(t)), uintptr(due), 0)
	}
	ms := min((max(period, 0)+kernel.Millisecond-1)/kernel.Millisecond, 1<<31-1)
	a := kernel.Args{P: unsafe.Pointer(t), A: uintptr(due), B: uintptr(ms)}
	kernel.Enter(setCallbackTimer, &a)
	return a.R != 0
}

func setCallbackTimer(a *kernel.Args) {
	t := (*CallbackTimer)(a.P)
	old := kernel.LockDispatcher()
	if !t.deleted {
		a.R = truth(t.SetLocked(int64(a.A), uint32(a.B), 0, &t.expire))
	}
	kernel.UnlockDispatcher(old)
}

// Cancel stops the timer and reports whether it was set (ExCancelTimer). After
// Delete it does nothing.
//
// IRQL: <= DISPATCH_LEVEL
func (t *CallbackTimer) Cancel() bool {
	a := kernel.Args{P: unsafe.Pointer(t)}
	kernel.Enter(cancelCallbackTimer, &a)
	return a.R != 0
}

func cancelCallbackTimer(a *kernel.Args) {
	t := (*CallbackTimer)(a.P)
	old := kernel.LockDispatcher()
	if !t.deleted {
		a.R = truth(t.CancelLocked())
	}
	kernel.UnlockDispatcher(old)
}

// timerExpired is the routine of every CallbackTimer's DPC.
func timerExpired(_ *dpc.Object, context, _, _ unsafe.Pointer) {
	t := (*CallbackTimer)(context)
	if t.callback != 0 {
		(*(*TimerCallback)(unsafe.Pointer(&t.callback)))(t, unsafe.Pointer(t.context))
	}
	old := kernel.LockDispatcher()
	end := t.deleted && t.endsLocked()
	kernel.UnlockDispatcher(old)
	if end {
		t.barrier.Begin(timerGone)
	}
}

// endsLocked reports, once, that the timer is deleted and will not expire again.
func (t *CallbackTimer) endsLocked() bool {
	if t.ending || t.Header.Inserted != 0 {
		return false
	}
	t.ending = true
	return true
}

// Delete ends the timer (ExDeleteTimer). With cancel it is stopped, and Delete
// reports whether it was set; without, it expires once more if it is set. With
// wait, Delete returns when its callback will not be called any more, which only
// goes with cancel: else it is bug check TIMER_OR_DPC_INVALID. Finally, if not
// nil, is called when that is so, and the timer must not be used any more.
//
// IRQL: <= APC_LEVEL with wait; <= DISPATCH_LEVEL without
func (t *CallbackTimer) Delete(cancel, wait bool, finally TimerDeleted, argument unsafe.Pointer) bool {
	if wait {
		irql.AssertAtMost(irql.APC)
		if !cancel {
			bugcheck.StopBecause("a timer that is not cancelled was to be waited for (ExDeleteTimer)",
				bugcheck.TimerOrDPCInvalid, timerDeleteForced, uintptr(unsafe.Pointer(t)), 0, 0)
		}
	}
	d := deletion{cancel: cancel, wait: wait, finally: *(*uintptr)(unsafe.Pointer(&finally)), argument: uintptr(argument)}
	a := kernel.Args{P: unsafe.Pointer(t), Q: unsafe.Pointer(&d)}
	kernel.Enter(deleteTimer, &a)
	if wait && d.first {
		Wait(&t.gone, nil, false, kernel.KernelMode)
		pool.Free(unsafe.Pointer(t), callbackTimerTag)
	}
	return d.was
}

// deletion carries a Delete into the kernel.
type deletion struct {
	cancel, wait      bool
	finally, argument uintptr
	was, first        bool
}

func deleteTimer(a *kernel.Args) {
	t, d := (*CallbackTimer)(a.P), (*deletion)(a.Q)
	old := kernel.LockDispatcher()
	d.first = !t.deleted
	end := false
	if d.first {
		t.deleted, t.wait, t.finally, t.argument = true, d.wait, d.finally, d.argument
		t.Period = 0
		if d.cancel {
			d.was = t.CancelLocked()
		}
		end = t.endsLocked()
	}
	kernel.UnlockDispatcher(old)
	if end {
		t.barrier.Begin(timerGone)
	}
}

// timerGone is called when no DPC of the timer is queued or running.
func timerGone(b *dpc.Barrier) {
	t := (*CallbackTimer)(unsafe.Add(unsafe.Pointer(b), -int(unsafe.Offsetof(CallbackTimer{}.barrier))))
	old := irql.Raise(irql.Dispatch)
	if t.finally != 0 {
		(*(*TimerDeleted)(unsafe.Pointer(&t.finally)))(unsafe.Pointer(t.argument))
	}
	if t.wait {
		kernel.SignalHeader(&t.gone, 0)
	} else {
		pool.Free(unsafe.Pointer(t), callbackTimerTag)
	}
	irql.Lower(old)
}

// DeletionKey returns what stands for the timer's deletion where references to
// finally and its argument are kept.
func (t *CallbackTimer) DeletionKey() unsafe.Pointer { return unsafe.Pointer(&t.finally) }
