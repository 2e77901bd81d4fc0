package wdk

import (
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/irql"
)

// KeInitializeEvent makes Event an event of the given type and state.
//
// IRQL: any
//
// Documentation: "KeInitializeEvent function (wdm.h)"
func KeInitializeEvent(Event PRKEVENT, Type EVENT_TYPE, State BOOLEAN) {
	mayBecome(&anEvent, unsafe.Pointer(Event))
	mustTake(Type == NotificationEvent || Type == SynchronizationEvent, uintptr(Type))
	if Type == SynchronizationEvent {
		Event.InitSynchronization(State)
	} else {
		Event.InitNotification(State)
	}
}

// KeSetEvent signals the event and returns its state before. Increment lifts the
// priority of those it releases. With Wait the caller goes on to wait at once:
// the level stays raised until then.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL with Wait
//
// Documentation: "KeSetEvent function (wdm.h)"
func KeSetEvent(Event PRKEVENT, Increment KPRIORITY, Wait BOOLEAN) LONG {
	if Checked {
		if l := irql.Current(); l > irql.Dispatch {
			bugcheck.Stop(bugcheck.VerifierDetectedViolation, setEventTooHigh, uintptr(l), 0, 0)
		}
	}
	mustBe(&anEvent, unsafe.Pointer(Event))
	if Wait {
		atMost(irql.APC)
		return Event.SetBeforeWait(int8(Increment))
	}
	return Event.Set(int8(Increment))
}

// KeSetEventBoostPriority signals a synchronization event, lifts the priority of
// the thread that it releases to the caller's, as for the owner of a lock, and
// stores that thread, or nil, at Thread, which may be nil.
//
// It is not documented; this follows the ReactOS kernel.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeSetEventBoostPriority(Event PRKEVENT, Thread *PKTHREAD) {
	atMostWith(irql.Dispatch, &anEvent, unsafe.Pointer(Event))
	mayReach(unsafe.Pointer(Thread), unsafe.Sizeof(*Thread))
	if t := Event.SetBoosting(); Thread != nil {
		*Thread = t
	}
}

// KePulseEvent releases who waits, as KeSetEvent does, leaves the event not
// signalled and returns its state before.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL with Wait
//
// Documentation: "KePulseEvent function (ntddk.h)"
func KePulseEvent(Event PRKEVENT, Increment KPRIORITY, Wait BOOLEAN) LONG {
	mustBe(&anEvent, unsafe.Pointer(Event))
	if Wait {
		atMost(irql.APC)
		return Event.PulseBeforeWait(int8(Increment))
	}
	atMost(irql.Dispatch)
	return Event.Pulse(int8(Increment))
}

// KeResetEvent makes the event not signalled and returns its state before.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeResetEvent function (wdm.h)"
func KeResetEvent(Event PRKEVENT) LONG {
	atMostWith(irql.Dispatch, &anEvent, unsafe.Pointer(Event))
	return Event.Reset()
}

// KeClearEvent makes the event not signalled.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeClearEvent function (wdm.h)"
func KeClearEvent(Event PRKEVENT) {
	atMostWith(irql.Dispatch, &anEvent, unsafe.Pointer(Event))
	Event.Clear()
}

// KeReadStateEvent returns the event's state, non-zero if it is signalled.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeReadStateEvent function (wdm.h)"
func KeReadStateEvent(Event PRKEVENT) LONG {
	atMostWith(irql.Dispatch, &anEvent, unsafe.Pointer(Event))
	return Event.State()
}
