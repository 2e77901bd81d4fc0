package sync

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
)

// Event is a KEVENT (24 bytes): signalled or not. A notification event stays
// signalled until it is reset, a synchronization event until it has let one
// wait through.
//
// Documentation: "Event Objects", "Defining and Using an Event Object".
type Event struct {
	Header kernel.Header
}

// InitNotification makes e a notification event (KeInitializeEvent).
//
// IRQL: any
func (e *Event) InitNotification(signalled bool) {
	e.init(kernel.TypeNotificationEvent, signalled)
}

// InitSynchronization makes e a synchronization event (KeInitializeEvent).
//
// IRQL: any
func (e *Event) InitSynchronization(signalled bool) {
	e.init(kernel.TypeSynchronizationEvent, signalled)
}

func (e *Event) init(t kernel.Type, signalled bool) {
	checkNew(&e.Header, unsafe.Sizeof(*e))
	state := int32(0)
	if signalled {
		state = 1
	}
	e.Header.Init(t, unsafe.Sizeof(*e), state)
}

// Set signals the event and returns its state before (KeSetEvent). A
// notification event releases all who wait, a synchronization event the first
// of them, and is not signalled then. Inc lifts the priority of those released.
//
// IRQL: <= DISPATCH_LEVEL
func (e *Event) Set(inc int8) int32 {
	p, old := kernel.LockInKernel()
	if p == nil {
		return e.setFromGo(inc)
	}
	was := e.Header.SignalState
	e.Header.SignalState = 1
	if !e.Header.WaitList.Empty() {
		e.Header.Signal(inc)
	}
	kernel.UnlockDispatcher(old)
	return was
}

func (e *Event) setFromGo(inc int8) int32 {
	a := kernel.Args{P: unsafe.Pointer(e), A: uintptr(uint8(inc))}
	kernel.EnterFromGo(setEvent, &a)
	return word(&a)
}

// SetBoosting is Set of a synchronization event that works like a lock: it lifts
// the thread that it releases to the caller's priority, at most to that of the
// highest a lock's owner may have, and returns it, or nil
// (KeSetEventBoostPriority). The thread may have ended when it is looked at.
//
// IRQL: <= DISPATCH_LEVEL
func (e *Event) SetBoosting() *kernel.Thread {
	a := kernel.Args{P: unsafe.Pointer(e)}
	kernel.Enter(setBoosting, &a)
	return (*kernel.Thread)(unsafe.Pointer(a.R))
}

// lockOwnerPriority is the highest that SetBoosting lifts to: it stays below
// what the system's own threads of the variable class have.
const lockOwnerPriority = kernel.LowRealtime - 3

func setBoosting(a *kernel.Args) {
	h := &(*Event)(a.P).Header
	old := kernel.LockDispatcher()
	h.SignalState = 1
	if !h.WaitList.Empty() {
		t := (*kernel.WaitBlock)(unsafe.Pointer(h.WaitList.Flink)).Thread // Entry is the block's first field
		h.Signal(max(min(kernel.Current().Priority, lockOwnerPriority)-t.BasePriority, 1))
		if t.State != kernel.StateWaiting {
			a.R = uintptr(unsafe.Pointer(t))
		}
	}
	kernel.UnlockDispatcher(old)
}

// SetBeforeWait is Set for a caller that goes on to wait at once: no other
// thread runs on this processor in between (KeSetEvent, Wait = TRUE). It
// returns at DISPATCH_LEVEL, and the wait restores the level.
//
// IRQL: <= APC_LEVEL
func (e *Event) SetBeforeWait(inc int8) int32 {
	a := kernel.Args{P: unsafe.Pointer(e), A: uintptr(uint8(inc))}
	beforeWait(&a, irql.APC)
	kernel.Enter(setBeforeWait, &a)
	return word(&a)
}

func setEvent(a *kernel.Args) {
	a.R = uintptr(uint32((*Event)(a.P).Set(int8(a.A))))
}

func setBeforeWait(a *kernel.Args) {
	h := &(*Event)(a.P).Header
	old := kernel.LockDispatcher()
	a.R = uintptr(uint32(h.SignalState))
	h.SignalState = 1
	if !h.WaitList.Empty() {
		h.Signal(int8(a.A))
	}
	finish(a, old)
}

// Pulse releases those who wait, as Set does, leaves the event not signalled
// and returns its state before (KePulseEvent).
//
// IRQL: <= DISPATCH_LEVEL
func (e *Event) Pulse(inc int8) int32 {
	a := kernel.Args{P: unsafe.Pointer(e), A: uintptr(uint8(inc))}
	kernel.Enter(pulseEvent, &a)
	return word(&a)
}

// PulseBeforeWait is Pulse as SetBeforeWait is Set (KePulseEvent, Wait = TRUE).
//
// IRQL: <= APC_LEVEL
func (e *Event) PulseBeforeWait(inc int8) int32 {
	a := kernel.Args{P: unsafe.Pointer(e), A: uintptr(uint8(inc))}
	beforeWait(&a, irql.APC)
	kernel.Enter(pulseEvent, &a)
	return word(&a)
}

func pulseEvent(a *kernel.Args) {
	h := &(*Event)(a.P).Header
	old := kernel.LockDispatcher()
	a.R = uintptr(uint32(h.SignalState))
	if !h.WaitList.Empty() {
		h.SignalState = 1
		h.Signal(int8(a.A))
	}
	h.SignalState = 0
	finish(a, old)
}

// Reset makes the event not signalled and returns its state before
// (KeResetEvent).
//
// IRQL: <= DISPATCH_LEVEL
func (e *Event) Reset() int32 {
	a := kernel.Args{P: unsafe.Pointer(e)}
	kernel.Enter(resetEvent, &a)
	return word(&a)
}

func resetEvent(a *kernel.Args) {
	h := &(*Event)(a.P).Header
	old := kernel.LockDispatcher()
	a.R = uintptr(uint32(h.SignalState))
	h.SignalState = 0
	kernel.UnlockDispatcher(old)
}

// Clear is Reset for those who do not care what the state was (KeClearEvent).
//
// IRQL: <= DISPATCH_LEVEL
func (e *Event) Clear() { e.Reset() }

// State returns the state, non-zero if signalled (KeReadStateEvent).
//
// IRQL: <= DISPATCH_LEVEL
func (e *Event) State() int32 { return e.Header.State() }

// Wait waits for the event; see the function Wait (KeWaitForSingleObject).
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout
func (e *Event) Wait(timeout *int64, alertable bool, mode kernel.Mode) ntstatus.Status {
	return Wait(&e.Header, timeout, alertable, mode)
}
