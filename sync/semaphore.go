package sync

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
)

// Semaphore is a KSEMAPHORE (32 bytes): a count that each wait lowers by one
// and that is signalled while above zero.
//
// Documentation: "Semaphore Objects".
type Semaphore struct {
	Header kernel.Header
	Limit  int32
	_      int32
}

// Init gives the semaphore a count and the most it may be
// (KeInitializeSemaphore). It raises STATUS_INVALID_PARAMETER unless
// 0 <= count <= limit and limit > 0.
//
// IRQL: PASSIVE_LEVEL
func (s *Semaphore) Init(count, limit int32) {
	checkNew(&s.Header, unsafe.Sizeof(*s))
	if count < 0 || limit <= 0 || count > limit {
		kernel.RaiseStatus(ntstatus.InvalidParameter)
	}
	s.Header.Init(kernel.TypeSemaphore, unsafe.Sizeof(*s), count)
	s.Limit = limit
}

// Release adds n to the count and returns what it was (KeReleaseSemaphore). It
// raises STATUS_SEMAPHORE_LIMIT_EXCEEDED, and changes nothing, if the count
// would pass the limit or n is negative. Inc lifts the priority of those
// released.
//
// IRQL: <= DISPATCH_LEVEL
func (s *Semaphore) Release(inc int8, n int32) int32 {
	a := kernel.Args{P: unsafe.Pointer(s), Q: unsafe.Pointer(&n), A: uintptr(uint8(inc))}
	previous, status := s.tryRelease(&a)
	if status != ntstatus.Success {
		kernel.RaiseStatus(status)
	}
	return previous
}

// ReleaseBeforeWait is Release for a caller that goes on to wait at once
// (KeReleaseSemaphore, Wait = TRUE). It returns at DISPATCH_LEVEL, and the wait
// restores the level.
//
// IRQL: PASSIVE_LEVEL
func (s *Semaphore) ReleaseBeforeWait(inc int8, n int32) int32 {
	a := kernel.Args{P: unsafe.Pointer(s), Q: unsafe.Pointer(&n), A: uintptr(uint8(inc))}
	beforeWait(&a, irql.Passive)
	previous, status := s.tryRelease(&a)
	if status != ntstatus.Success {
		kernel.RaiseStatus(status)
	}
	return previous
}

// TryRelease is Release that returns what Release raises (NtReleaseSemaphore).
//
// IRQL: <= DISPATCH_LEVEL
func (s *Semaphore) TryRelease(inc int8, n int32) (previous int32, status ntstatus.Status) {
	a := kernel.Args{P: unsafe.Pointer(s), Q: unsafe.Pointer(&n), A: uintptr(uint8(inc))}
	return s.tryRelease(&a)
}

// TryReleaseBeforeWait is ReleaseBeforeWait that returns what that raises, at the
// level that it was called at (NtSignalAndWaitForSingleObject).
//
// IRQL: PASSIVE_LEVEL
func (s *Semaphore) TryReleaseBeforeWait(inc int8, n int32) (previous int32, status ntstatus.Status) {
	a := kernel.Args{P: unsafe.Pointer(s), Q: unsafe.Pointer(&n), A: uintptr(uint8(inc))}
	beforeWait(&a, irql.Passive)
	return s.tryRelease(&a)
}

func (s *Semaphore) tryRelease(a *kernel.Args) (previous int32, status ntstatus.Status) {
	kernel.Enter(releaseSemaphore, a)
	if a.P == nil {
		status = ntstatus.SemaphoreLimit
		if a.B != 0 {
			irql.Lower(irql.Level(a.C))
		}
	}
	return word(a), status
}

// releaseSemaphore leaves a.P nil if the count would pass the limit.
func releaseSemaphore(a *kernel.Args) {
	s := (*Semaphore)(a.P)
	n := *(*int32)(a.Q)
	old := kernel.LockDispatcher()
	h := &s.Header
	count := h.SignalState
	a.R = uintptr(uint32(count))
	if n < 0 || n > s.Limit-count {
		a.P = nil
		kernel.UnlockDispatcher(old)
		return
	}
	h.SignalState = count + n
	if !h.WaitList.Empty() {
		h.Signal(int8(a.A))
	}
	finish(a, old)
}

// State returns the count (KeReadStateSemaphore).
//
// IRQL: any
func (s *Semaphore) State() int32 { return s.Header.State() }

// Wait waits until the count is above zero and lowers it; see the function
// Wait (KeWaitForSingleObject).
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout
func (s *Semaphore) Wait(timeout *int64, alertable bool, mode kernel.Mode) ntstatus.Status {
	return Wait(&s.Header, timeout, alertable, mode)
}
