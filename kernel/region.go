package kernel

import (
	"irqlab/arch"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/ntstatus"
)

// Owner returns the running thread on behalf of a caller that is about to own
// something of it: a lock, a region. A goroutine that may move between threads
// cannot; it raises STATUS_INVALID_THREAD.
//
// IRQL: any
func Owner() *Thread {
	if t, ok := OwnerInKernel(); ok {
		return t
	}
	t := Current()
	if !t.Locked {
		RaiseStatus(ntstatus.InvalidThread)
	}
	return t
}

// OwnerInKernel is Owner for kernel context, where every caller can own things.
// For Go code of a thread it reports false.
//
// IRQL: any
func OwnerInKernel() (*Thread, bool) {
	c := arch.KernelContext()
	return ThreadOf(c), c != nil
}

// EnterCriticalRegion disables the running thread's user and normal kernel APCs
// until the matching LeaveCriticalRegion (KeEnterCriticalRegion). Regions nest.
//
// IRQL: <= APC_LEVEL
func EnterCriticalRegion() { Owner().KernelAPCs-- }

// LeaveCriticalRegion undoes one EnterCriticalRegion (KeLeaveCriticalRegion).
// Without one it is bug check APC_INDEX_MISMATCH.
//
// IRQL: <= APC_LEVEL
func LeaveCriticalRegion() {
	t := Owner()
	if t.KernelAPCs >= 0 {
		t.unbalanced()
	}
	t.KernelAPCs++
	if t.SpecialAPCs == 0 && t.HeldBack() {
		t.lookAfterRegion()
	}
}

// EnterGuardedRegion disables all of the running thread's APCs until the
// matching LeaveGuardedRegion (KeEnterGuardedRegion). Regions nest.
//
// IRQL: <= APC_LEVEL
func EnterGuardedRegion() { Owner().SpecialAPCs-- }

// LeaveGuardedRegion undoes one EnterGuardedRegion (KeLeaveGuardedRegion).
// Without one it is bug check APC_INDEX_MISMATCH.
//
// IRQL: <= APC_LEVEL
func LeaveGuardedRegion() { Owner().LeaveGuardedRegion() }

// LeaveGuardedRegion is the function LeaveGuardedRegion for t, the running thread.
//
// IRQL: <= APC_LEVEL
func (t *Thread) LeaveGuardedRegion() {
	if t.SpecialAPCs >= 0 {
		t.unbalanced()
	}
	t.SpecialAPCs++
	if t.SpecialAPCs == 0 && t.HeldBack() {
		t.lookAfterRegion()
	}
}

// HeldBack reports whether something may be due for the running thread that its
// regions hold back.
//
// IRQL: any
func (t *Thread) HeldBack() bool { return t.UserAPCPending || !t.APCs[KernelMode].Empty() }

// lookAfterRegion delivers what the regions that the running thread has left held
// back.
//
//go:noinline
func (t *Thread) lookAfterRegion() {
	var a Args
	Enter(leftRegion, &a)
}

func leftRegion(*Args) {
	t := Current()
	if irql.Current() > irql.Dispatch {
		// The dispatcher lock is out of reach. What is left to do will be done
		// by the interrupt.
		t.APCPending = true
		t.Context.Attention = 1
		board.RequestSelf(uintptr(irql.APC))
		return
	}
	old := LockDispatcher()
	t.regionLeft()
	UnlockDispatcher(old)
	t.lookForAPCs()
}

// regionLeft notes what can be delivered to the running thread now that it was
// in a region until now. Dispatcher lock held.
func (t *Thread) regionLeft() {
	if t.specialReady() || t.normalReady() {
		t.APCPending = true
		board.RequestSelf(uintptr(irql.APC))
	}
	if t.normalReady() || t.userReady() {
		t.Context.Attention = 1
	}
}

// unbalanced stops the machine for a region that is left but was not entered.
func (t *Thread) unbalanced() {
	bugcheck.Stop(bugcheck.APCIndexMismatch, 0, 0,
		uintptr(uint16(t.KernelAPCs))|uintptr(uint16(t.SpecialAPCs))<<16, 0)
}

// APCsDisabled reports whether the thread is in a critical or guarded region
// (KeAreApcsDisabled); the level does not count.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Thread) APCsDisabled() bool { return t.KernelAPCs != 0 || t.SpecialAPCs != 0 }

// AllAPCsDisabled reports whether no APC can reach the running thread now: it is
// in a guarded region, or its level masks them (KeAreAllApcsDisabled).
//
// IRQL: <= DISPATCH_LEVEL
func (t *Thread) AllAPCsDisabled() bool {
	return t.SpecialAPCs != 0 || irql.Current() >= irql.APC
}
