package sync

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/dpc"
	"irqlab/kernel"
	"irqlab/ntstatus"
)

// Timer is a KTIMER (64 bytes): it is signalled when its time has come, and may
// queue a DPC then. A notification timer releases all who wait and stays
// signalled until it is set again; a synchronization timer releases one, and
// counts as one signal however often it expired before a wait.
//
// Documentation: "Timer Objects and DPCs", "Using Timer Objects".
type Timer struct {
	kernel.Timer
}

// InitNotification makes t a notification timer (KeInitializeTimer).
//
// IRQL: <= DISPATCH_LEVEL
func (t *Timer) InitNotification() { t.init(kernel.TypeNotificationTimer) }

// InitSynchronization makes t a synchronization timer (KeInitializeTimerEx).
//
// IRQL: <= DISPATCH_LEVEL
func (t *Timer) InitSynchronization() { t.init(kernel.TypeSynchronizationTimer) }

func (t *Timer) init(typ kernel.Type) {
	checkNew(&t.Header, unsafe.Sizeof(*t))
	t.Timer.Init(typ)
}

// Set starts the timer and reports whether it was set already; that setting is
// cancelled (KeSetTimer, KeSetTimerEx). Due is in units of 100 ns, relative if
// negative and an absolute system time otherwise; a time in the past expires at
// once. A period in ms, if not 0, sets it again at each expiry. d, if not nil,
// is queued then; it must not be queued otherwise.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Timer) Set(due int64, period uint32, d *dpc.Object) bool {
	return t.SetCoalescable(due, period, 0, d)
}

// SetCoalescable is Set with a tolerance in ms by which the timer may expire
// late to share an interrupt with others (KeSetCoalescableTimer).
//
// IRQL: <= DISPATCH_LEVEL
func (t *Timer) SetCoalescable(due int64, period, tolerance uint32, d *dpc.Object) bool {
	if arch.InKernel() {
		return t.Timer.Set(due, period, tolerance, d)
	}
	a := kernel.Args{P: unsafe.Pointer(t), Q: unsafe.Pointer(d), A: uintptr(due), B: uintptr(period), C: uintptr(tolerance)}
	kernel.Enter(setTimer, &a)
	return a.R != 0
}

func setTimer(a *kernel.Args) {
	was := (*Timer)(a.P).Timer.Set(int64(a.A), uint32(a.B), uint32(a.C), (*dpc.Object)(a.Q))
	a.R = truth(was)
}

// Cancel stops the timer and reports whether it was set (KeCancelTimer). Its
// state stays as it is, and a DPC that it has queued already still runs.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Timer) Cancel() bool {
	if arch.InKernel() {
		return t.Timer.Cancel()
	}
	a := kernel.Args{P: unsafe.Pointer(t)}
	kernel.Enter(cancelTimer, &a)
	return a.R != 0
}

func cancelTimer(a *kernel.Args) { a.R = truth((*Timer)(a.P).Timer.Cancel()) }

func truth(b bool) uintptr {
	if b {
		return 1
	}
	return 0
}

// State reports whether the timer is signalled (KeReadStateTimer).
//
// IRQL: <= DISPATCH_LEVEL
func (t *Timer) State() bool { return t.Header.State() > 0 }

// Wait waits for the timer; see the function Wait (KeWaitForSingleObject).
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout
func (t *Timer) Wait(timeout *int64, alertable bool, mode kernel.Mode) ntstatus.Status {
	return Wait(&t.Header, timeout, alertable, mode)
}
