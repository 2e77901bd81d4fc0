package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/sync"
)

type (
	// EX_TIMER is a timer that the system allocates. A PEX_TIMER can be waited
	// for like any other object.
	EX_TIMER  = sync.CallbackTimer
	PEX_TIMER = *EX_TIMER

	// PEXT_CALLBACK is what an EX_TIMER calls when it expires: resident code. It
	// may set, cancel and delete the timer.
	//
	// IRQL: DISPATCH_LEVEL
	PEXT_CALLBACK = sync.TimerCallback

	// PEXT_DELETE_CALLBACK is what ExDeleteTimer has called: resident code.
	//
	// IRQL: DISPATCH_LEVEL
	PEXT_DELETE_CALLBACK = sync.TimerDeleted
)

// EXT_SET_PARAMETERS go with ExSetTimer.
type EXT_SET_PARAMETERS struct {
	Version         ULONG
	Reserved        ULONG
	NoWakeTolerance LONGLONG
}

// EXT_DELETE_PARAMETERS go with ExDeleteTimer.
type EXT_DELETE_PARAMETERS struct {
	Version        ULONG
	Reserved       ULONG
	DeleteCallback PEXT_DELETE_CALLBACK
	DeleteContext  PVOID
}

// Attributes of ExAllocateTimer.
const (
	EX_TIMER_HIGH_RESOLUTION ULONG = 0x4
	EX_TIMER_NO_WAKE         ULONG = 0x8
	EX_TIMER_NOTIFICATION    ULONG = 1 << 31
)

// EX_TIMER_UNLIMITED_TOLERANCE is a NoWakeTolerance.
const EX_TIMER_UNLIMITED_TOLERANCE LONGLONG = -1

// ExInitializeSetTimerParameters fills in the defaults.
//
// IRQL: any
//
// Documentation: "ExInitializeSetTimerParameters function (wdm.h)"
func ExInitializeSetTimerParameters(Parameters *EXT_SET_PARAMETERS) {
	mustReach(unsafe.Pointer(Parameters), unsafe.Sizeof(*Parameters))
	*Parameters = EXT_SET_PARAMETERS{}
}

// ExInitializeDeleteTimerParameters fills in the defaults.
//
// IRQL: any
//
// Documentation: "ExInitializeDeleteTimerParameters function (wdm.h)"
func ExInitializeDeleteTimerParameters(Parameters *EXT_DELETE_PARAMETERS) {
	mustReach(unsafe.Pointer(Parameters), unsafe.Sizeof(*Parameters))
	*Parameters = EXT_DELETE_PARAMETERS{}
}

// ExAllocateTimer returns a timer that is not set, or nil if there is no memory:
// a synchronization timer, unless Attributes have EX_TIMER_NOTIFICATION.
// EX_TIMER_HIGH_RESOLUTION together with EX_TIMER_NO_WAKE is a bug check.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExAllocateTimer function (wdm.h)"
func ExAllocateTimer(Callback PEXT_CALLBACK, CallbackContext PVOID, Attributes ULONG) PEX_TIMER {
	atMost(irql.Dispatch)
	t := sync.NewCallbackTimer(sync.TimerKind{
		Notification:   Attributes&EX_TIMER_NOTIFICATION != 0,
		HighResolution: Attributes&EX_TIMER_HIGH_RESOLUTION != 0,
		NoWake:         Attributes&EX_TIMER_NO_WAKE != 0,
	}, Callback, CallbackContext)
	if t != nil {
		hold(unsafe.Pointer(t), Callback, CallbackContext)
	}
	return t
}

// ExSetTimer starts the timer and reports whether that cancelled an earlier
// setting. DueTime and Period are in units of 100 ns; a period is rounded up to
// whole milliseconds. Parameters may be nil: nothing here sleeps too deeply for a
// timer. A high-resolution timer takes relative times only; else it is a bug
// check.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExSetTimer function (wdm.h)"
func ExSetTimer(Timer PEX_TIMER, DueTime, Period LONGLONG, Parameters *EXT_SET_PARAMETERS) BOOLEAN {
	atMostWith(irql.Dispatch, &anExTimer, unsafe.Pointer(Timer))
	mayReach(unsafe.Pointer(Parameters), unsafe.Sizeof(*Parameters))
	return Timer.Set(DueTime, Period)
}

// ExCancelTimer stops the timer and reports whether it was set. Parameters is
// reserved.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "ExCancelTimer function (wdm.h)"
func ExCancelTimer(Timer PEX_TIMER, Parameters PVOID) BOOLEAN {
	atMostWith(irql.Dispatch, &anExTimer, unsafe.Pointer(Timer))
	return Timer.Cancel()
}

// ExDeleteTimer ends the timer. With Cancel it is stopped, and the routine
// reports whether it was set. With Wait, which needs Cancel, it returns when the
// callback will not be called any more, and the callback must not do that. The
// DeleteCallback of the parameters, which may be nil, is called then.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL with Wait
//
// Documentation: "ExDeleteTimer function (wdm.h)"
func ExDeleteTimer(Timer PEX_TIMER, Cancel, Wait BOOLEAN, Parameters *EXT_DELETE_PARAMETERS) BOOLEAN {
	if Wait {
		atMost(irql.APC)
	} else {
		atMost(irql.Dispatch)
	}
	mustBe(&anExTimer, unsafe.Pointer(Timer))
	mayReach(unsafe.Pointer(Parameters), unsafe.Sizeof(*Parameters))
	var p EXT_DELETE_PARAMETERS
	if Parameters != nil {
		p = *Parameters
		hold(unsafe.Pointer(Timer.DeletionKey()), p.DeleteCallback, p.DeleteContext)
	}
	return Timer.Delete(Cancel, Wait, p.DeleteCallback, p.DeleteContext)
}
