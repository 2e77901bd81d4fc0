package wdk

import (
	"unsafe"

	"irqlab/apc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ob"
)

// Rights for timers.
const (
	TIMER_QUERY_STATE  ACCESS_MASK = ob.QueryState
	TIMER_MODIFY_STATE ACCESS_MASK = ob.ModifyState
	TIMER_ALL_ACCESS   ACCESS_MASK = 0x1F_0003
)

// PTIMER_APC_ROUTINE is called in the thread that set a timer when that has
// expired: ordinary Go, in the middle of what the thread does. The two values are
// the time of expiry.
//
// IRQL: PASSIVE_LEVEL
type PTIMER_APC_ROUTINE = func(TimerContext PVOID, TimerLowValue ULONG, TimerHighValue LONG)

// ZwCreateTimer makes a timer of the given type and stores a handle to it. Names
// and statuses are as with ZwCreateEvent.
//
// IRQL: PASSIVE_LEVEL
func ZwCreateTimer(TimerHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES, TimerType TIMER_TYPE) NTSTATUS {
	passiveWithAPCs()
	return createTimer(KernelMode, TimerHandle, DesiredAccess, ObjectAttributes, TimerType)
}

// NtCreateTimer is ZwCreateTimer for the previous mode.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtCreateTimer(TimerHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES, TimerType TIMER_TYPE) NTSTATUS {
	return createTimer(KeGetPreviousMode(), TimerHandle, DesiredAccess, ObjectAttributes, TimerType)
}

func createTimer(mode KPROCESSOR_MODE, h PHANDLE, access ACCESS_MASK, a *OBJECT_ATTRIBUTES, t TIMER_TYPE) NTSTATUS {
	atMost(irql.Passive)
	if t != NotificationTimer && t != SynchronizationTimer {
		return STATUS_INVALID_PARAMETER_4
	}
	return create(mode, h, access, a, ExTimerObjectType, unsafe.Sizeof(ob.TimerBody{}), func(body PVOID) {
		(*ob.TimerBody)(body).Init(t == SynchronizationTimer)
	})
}

// ZwOpenTimer stores a handle to the timer that has the name. Statuses are those of
// ZwOpenEvent.
//
// IRQL: PASSIVE_LEVEL
func ZwOpenTimer(TimerHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES) NTSTATUS {
	passiveWithAPCs()
	return open(KernelMode, TimerHandle, DesiredAccess, ObjectAttributes, ExTimerObjectType)
}

// NtOpenTimer is ZwOpenTimer for the previous mode.
//
// IRQL: PASSIVE_LEVEL
func NtOpenTimer(TimerHandle PHANDLE, DesiredAccess ACCESS_MASK, ObjectAttributes *OBJECT_ATTRIBUTES) NTSTATUS {
	return open(KeGetPreviousMode(), TimerHandle, DesiredAccess, ObjectAttributes, ExTimerObjectType)
}

// ZwSetTimer sets the timer of a handle to expire at DueTime, in units of 100 ns,
// relative if negative, else absolute system time, and then every Period
// milliseconds if that is not 0. TimerApcRoutine, if not nil, is called then, in a
// normal kernel APC to the running thread. What the timer was set for before is
// gone, with an APC that has not been delivered. PreviousState, if not nil, gets
// whether the timer was signalled.
//
// It returns STATUS_INVALID_PARAMETER_6 for a negative period,
// STATUS_TIMER_RESUME_IGNORED, a success, with ResumeTimer, STATUS_INVALID_THREAD
// for an APC to a goroutine that may move between threads,
// STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_HANDLE and
// STATUS_OBJECT_TYPE_MISMATCH.
//
// IRQL: PASSIVE_LEVEL
func ZwSetTimer(TimerHandle HANDLE, DueTime PLARGE_INTEGER, TimerApcRoutine PTIMER_APC_ROUTINE, TimerContext PVOID, ResumeTimer BOOLEAN, Period LONG, PreviousState PBOOLEAN) NTSTATUS {
	passiveWithAPCs()
	return setTimer(KernelMode, TimerHandle, DueTime, TimerApcRoutine, TimerContext, ResumeTimer, Period, PreviousState)
}

// NtSetTimer is ZwSetTimer for the previous mode. For UserMode the handle must have
// TIMER_MODIFY_STATE, else STATUS_ACCESS_DENIED, and the APC is a user APC.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtSetTimer(TimerHandle HANDLE, DueTime PLARGE_INTEGER, TimerApcRoutine PTIMER_APC_ROUTINE, TimerContext PVOID, ResumeTimer BOOLEAN, Period LONG, PreviousState PBOOLEAN) NTSTATUS {
	return setTimer(KeGetPreviousMode(), TimerHandle, DueTime, TimerApcRoutine, TimerContext, ResumeTimer, Period, PreviousState)
}

func setTimer(mode KPROCESSOR_MODE, h HANDLE, at PLARGE_INTEGER, routine PTIMER_APC_ROUTINE, context PVOID, resume BOOLEAN, period LONG, previous PBOOLEAN) NTSTATUS {
	atMost(irql.Passive)
	if period < 0 {
		return STATUS_INVALID_PARAMETER_6
	}
	due, s := read(mode, at)
	if !NT_SUCCESS(s) {
		return s
	}
	if s := probeOptional(mode, previous); !NT_SUCCESS(s) {
		return s
	}
	var set NTSTATUS
	s = with(mode, h, TIMER_MODIFY_STATE, ExTimerObjectType, func(t *ob.TimerBody) {
		var a *ob.Alarm
		if a, set = newAlarm(mode, routine, context); set == STATUS_SUCCESS {
			store(previous, t.SetAlarm(due, uint32(period), a))
		}
	})
	switch {
	case !NT_SUCCESS(s):
		return s
	case set == STATUS_SUCCESS && resume:
		return STATUS_TIMER_RESUME_IGNORED
	}
	return set
}

// newAlarm returns an alarm that calls the routine in the running thread, or nil
// without a routine.
func newAlarm(mode KPROCESSOR_MODE, routine PTIMER_APC_ROUTINE, context PVOID) (*ob.Alarm, NTSTATUS) {
	if routine == nil {
		return nil, STATUS_SUCCESS
	}
	if !kernel.RunsLocked() {
		return nil, STATUS_INVALID_THREAD
	}
	a := ob.NewAlarm()
	if a == nil {
		return nil, STATUS_INSUFFICIENT_RESOURCES
	}
	apc.Init(&a.APC, kernel.Current(), ob.AlarmTaken, ob.AlarmRunDown, func(context, low, high PVOID) {
		routine(context, ULONG(uintptr(low)), LONG(uintptr(high)))
	}, mode, context)
	return a, STATUS_SUCCESS
}

// ZwCancelTimer stops the timer of a handle and takes back an APC of it that has
// not been delivered. CurrentState, if not nil, gets whether the timer is
// signalled, which it stays.
//
// It returns STATUS_INVALID_HANDLE and STATUS_OBJECT_TYPE_MISMATCH.
//
// IRQL: PASSIVE_LEVEL
func ZwCancelTimer(TimerHandle HANDLE, CurrentState PBOOLEAN) NTSTATUS {
	passiveWithAPCs()
	return cancelTimer(KernelMode, TimerHandle, CurrentState)
}

// NtCancelTimer is ZwCancelTimer for the previous mode: for UserMode the handle
// must have TIMER_MODIFY_STATE, else STATUS_ACCESS_DENIED.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtCancelTimer(TimerHandle HANDLE, CurrentState PBOOLEAN) NTSTATUS {
	return cancelTimer(KeGetPreviousMode(), TimerHandle, CurrentState)
}

func cancelTimer(mode KPROCESSOR_MODE, h HANDLE, state PBOOLEAN) NTSTATUS {
	atMost(irql.Passive)
	if s := probeOptional(mode, state); !NT_SUCCESS(s) {
		return s
	}
	return with(mode, h, TIMER_MODIFY_STATE, ExTimerObjectType, func(t *ob.TimerBody) {
		store(state, t.CancelAlarm())
	})
}

// TIMER_INFORMATION_CLASS says what NtQueryTimer tells.
type TIMER_INFORMATION_CLASS int32

// TimerBasicInformation is TIMER_BASIC_INFORMATION.
const TimerBasicInformation TIMER_INFORMATION_CLASS = 0

// TIMER_BASIC_INFORMATION is the time until a timer expires, in units of 100 ns, 0
// if it is not set, and whether it is signalled.
type TIMER_BASIC_INFORMATION struct {
	RemainingTime LARGE_INTEGER
	TimerState    BOOLEAN
}

// ZwQueryTimer stores when the timer of a handle expires, and its state. Statuses
// are those of ZwQueryEvent.
//
// IRQL: PASSIVE_LEVEL
func ZwQueryTimer(TimerHandle HANDLE, TimerInformationClass TIMER_INFORMATION_CLASS, TimerInformation PVOID, TimerInformationLength ULONG, ReturnLength PULONG) NTSTATUS {
	passiveWithAPCs()
	return query(KernelMode, TimerHandle, ExTimerObjectType, int32(TimerInformationClass), TimerInformation, TimerInformationLength, ReturnLength, describeTimer)
}

// NtQueryTimer is ZwQueryTimer for the previous mode: for UserMode the handle must
// have TIMER_QUERY_STATE, else STATUS_ACCESS_DENIED.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtQueryTimer(TimerHandle HANDLE, TimerInformationClass TIMER_INFORMATION_CLASS, TimerInformation PVOID, TimerInformationLength ULONG, ReturnLength PULONG) NTSTATUS {
	return query(KeGetPreviousMode(), TimerHandle, ExTimerObjectType, int32(TimerInformationClass), TimerInformation, TimerInformationLength, ReturnLength, describeTimer)
}

func describeTimer(t *ob.TimerBody) TIMER_BASIC_INFORMATION {
	return TIMER_BASIC_INFORMATION{t.Remaining(), t.State()}
}
