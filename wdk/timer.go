package wdk

import (
	"unsafe"

	"irqlab/irql"
)

// KeInitializeTimer makes Timer a notification timer that is not set.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeInitializeTimer function (wdm.h)"
func KeInitializeTimer(Timer PKTIMER) {
	atMost(irql.Dispatch)
	mayBecome(&aTimer, unsafe.Pointer(Timer))
	Timer.InitNotification()
}

// KeInitializeTimerEx makes Timer one of the given type that is not set.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeInitializeTimerEx function (wdm.h)"
func KeInitializeTimerEx(Timer PKTIMER, Type TIMER_TYPE) {
	atMost(irql.Dispatch)
	mayBecome(&aTimer, unsafe.Pointer(Timer))
	if Type == SynchronizationTimer {
		Timer.InitSynchronization()
	} else {
		Timer.InitNotification()
	}
}

// KeSetTimer sets the timer to be signalled once, at DueTime: in units of 100
// ns, relative if negative, else absolute system time. Dpc, if any, is queued
// then. It reports whether the timer was set already; that setting is gone.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeSetTimer function (wdm.h)"
func KeSetTimer(Timer PKTIMER, DueTime LARGE_INTEGER, Dpc PKDPC) BOOLEAN {
	atMostWith(irql.Dispatch, &aTimer, unsafe.Pointer(Timer))
	if Dpc != nil {
		mustBe(&aDPC, unsafe.Pointer(Dpc))
	}
	return Timer.Set(DueTime, 0, Dpc)
}

// KeSetTimerEx is KeSetTimer with a period in milliseconds, 0 for none. It is not
// negative.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeSetTimerEx function (wdm.h)"
func KeSetTimerEx(Timer PKTIMER, DueTime LARGE_INTEGER, Period LONG, Dpc PKDPC) BOOLEAN {
	atMostWith(irql.Dispatch, &aTimer, unsafe.Pointer(Timer))
	if Dpc != nil {
		mustBe(&aDPC, unsafe.Pointer(Dpc))
	}
	mustTake(Period >= 0, uintptr(Period))
	return Timer.Set(DueTime, uint32(Period), Dpc)
}

// KeSetCoalescableTimer is KeSetTimerEx with a tolerance: the timer may expire
// up to TolerableDelay milliseconds late, to share an interrupt with others.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeSetCoalescableTimer function (wdm.h)"
func KeSetCoalescableTimer(Timer PKTIMER, DueTime LARGE_INTEGER, Period, TolerableDelay ULONG, Dpc PKDPC) BOOLEAN {
	atMostWith(irql.Dispatch, &aTimer, unsafe.Pointer(Timer))
	if Dpc != nil {
		mustBe(&aDPC, unsafe.Pointer(Dpc))
	}
	return Timer.SetCoalescable(DueTime, Period, TolerableDelay, Dpc)
}

// KeCancelTimer stops the timer and reports whether it was set. A DPC that it
// has queued already still runs.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeCancelTimer function (wdm.h)"
func KeCancelTimer(Timer PKTIMER) BOOLEAN {
	atMostWith(irql.Dispatch, &aTimer, unsafe.Pointer(Timer))
	return Timer.Cancel()
}

// KeReadStateTimer reports whether the timer is signalled.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeReadStateTimer function (wdm.h)"
func KeReadStateTimer(Timer PKTIMER) BOOLEAN {
	atMostWith(irql.Dispatch, &aTimer, unsafe.Pointer(Timer))
	return Timer.State()
}
