package sync

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
)

// Mutex is a KMUTEX (56 bytes): it belongs to the thread that waited for it
// last, which may wait for it again and must release it as often. Its owner
// gets no normal kernel APCs, so that it cannot deadlock with itself, and must
// not end before it has released it.
//
// A system thread may own mutexes; a goroutine that is not locked to one may
// not, since it changes threads without notice.
//
// Documentation: "Mutex Objects", "Introduction to Mutex Objects".
type Mutex struct {
	kernel.Mutant
}

// Init makes m a free mutex (KeInitializeMutex).
//
// IRQL: any
func (m *Mutex) Init() {
	checkNew(&m.Header, unsafe.Sizeof(*m))
	m.InitMutex()
}

// InitMutant makes m a mutant, the object behind mutexes that have handles
// (KeInitializeMutant): its owner's APCs are left alone, and if the owner ends
// it is abandoned and becomes free. It is free to begin with, or the caller's.
//
// IRQL: <= DISPATCH_LEVEL
func (m *Mutex) InitMutant(owned bool) {
	checkNew(&m.Header, unsafe.Sizeof(*m))
	a := kernel.Args{P: unsafe.Pointer(m)}
	if owned {
		a.A = 1
	}
	kernel.Enter(initMutant, &a)
}

func initMutant(a *kernel.Args) { (*Mutex)(a.P).Mutant.InitMutant(a.A != 0) }

// Release gives up one acquisition and returns the state before
// (KeReleaseMutex): 0 if that made the mutex free, below if the caller still
// owns it. The first of those who wait gets it then.
//
// A caller that is not the owner raises STATUS_MUTANT_NOT_OWNED, or
// STATUS_ABANDONED if the last owner ended without a release; so does one below
// DISPATCH_LEVEL that acquired the mutex there, or the reverse.
//
// IRQL: <= DISPATCH_LEVEL
func (m *Mutex) Release() int32 {
	p, old := kernel.LockInKernel()
	if p == nil {
		return m.releaseFromGo()
	}
	previous, s := m.Mutant.Release(p.Thread(), old)
	kernel.UnlockDispatcher(old)
	if s != ntstatus.Success {
		kernel.RaiseStatus(s)
	}
	return previous
}

func (m *Mutex) releaseFromGo() int32 {
	a := kernel.Args{P: unsafe.Pointer(m)}
	a.C = uintptr(irql.Current())
	previous, s := m.try(releaseMutex, &a)
	if s != ntstatus.Success {
		kernel.RaiseStatus(s)
	}
	return previous
}

// ReleaseBeforeWait is Release for a caller that goes on to wait at once
// (KeReleaseMutex, Wait = TRUE). It returns at DISPATCH_LEVEL, and the wait
// restores the level.
//
// IRQL: <= APC_LEVEL
func (m *Mutex) ReleaseBeforeWait() int32 {
	a := kernel.Args{P: unsafe.Pointer(m)}
	beforeWait(&a, irql.APC)
	previous, s := m.try(releaseMutex, &a)
	if s != ntstatus.Success {
		kernel.RaiseStatus(s)
	}
	return previous
}

// TryRelease is Release that returns what Release raises (NtReleaseMutant).
//
// IRQL: <= DISPATCH_LEVEL
func (m *Mutex) TryRelease() (previous int32, s ntstatus.Status) {
	a := kernel.Args{P: unsafe.Pointer(m), C: uintptr(irql.Current())}
	return m.try(releaseMutex, &a)
}

// TryReleaseBeforeWait is ReleaseBeforeWait that returns what that raises, at the
// level that it was called at (NtSignalAndWaitForSingleObject).
//
// IRQL: <= APC_LEVEL
func (m *Mutex) TryReleaseBeforeWait() (previous int32, s ntstatus.Status) {
	a := kernel.Args{P: unsafe.Pointer(m)}
	beforeWait(&a, irql.APC)
	return m.try(releaseMutex, &a)
}

// try has the kernel give the mutex up, and goes back to the level before
// beforeWait if it did not.
func (m *Mutex) try(release func(*kernel.Args), a *kernel.Args) (previous int32, s ntstatus.Status) {
	kernel.Enter(release, a)
	s = ntstatus.Status(int32(a.A))
	if s != ntstatus.Success && a.B != 0 {
		irql.Lower(irql.Level(a.C))
	}
	return word(a), s
}

// Abandon makes the mutant free, whoever owns it, has it say so to its next owner,
// and returns the state before (KeReleaseMutant with Abandoned). A mutex that is
// not the caller's raises STATUS_MUTANT_NOT_OWNED.
//
// IRQL: <= DISPATCH_LEVEL
func (m *Mutex) Abandon() int32 {
	a := kernel.Args{P: unsafe.Pointer(m)}
	return m.abandon(&a)
}

// AbandonBeforeWait is Abandon for a caller that goes on to wait at once; see
// ReleaseBeforeWait.
//
// IRQL: <= APC_LEVEL
func (m *Mutex) AbandonBeforeWait() int32 {
	a := kernel.Args{P: unsafe.Pointer(m)}
	beforeWait(&a, irql.APC)
	return m.abandon(&a)
}

func (m *Mutex) abandon(a *kernel.Args) int32 {
	previous, s := m.try(abandonMutex, a)
	if s != ntstatus.Success {
		kernel.RaiseStatus(s)
	}
	return previous
}

func abandonMutex(a *kernel.Args) {
	old := kernel.LockDispatcher()
	previous, s := (*Mutex)(a.P).Mutant.Abandon()
	endRelease(a, old, previous, s)
}

// Query returns the state, whether the mutant is the running thread's, and whether
// it was abandoned (NtQueryMutant).
//
// IRQL: <= DISPATCH_LEVEL
func (m *Mutex) Query() (state int32, owned, abandoned bool) {
	a := kernel.Args{P: unsafe.Pointer(m)}
	kernel.Enter(queryMutex, &a)
	return word(&a), a.A != 0, a.B != 0
}

func queryMutex(a *kernel.Args) {
	m := (*Mutex)(a.P)
	old := kernel.LockDispatcher()
	a.R = uintptr(uint32(m.Header.SignalState))
	a.A, a.B = truth(m.Owner == kernel.Current()), truth(m.Abandoned != 0)
	kernel.UnlockDispatcher(old)
}

func releaseMutex(a *kernel.Args) {
	m := (*Mutex)(a.P)
	old := kernel.LockDispatcher()
	previous, s := m.Mutant.Release(kernel.Current(), irql.Level(a.C))
	endRelease(a, old, previous, s)
}

// endRelease is finish with the result of a release, which may have failed.
func endRelease(a *kernel.Args, old irql.Level, previous int32, s ntstatus.Status) {
	a.R, a.A = uintptr(uint32(previous)), uintptr(uint32(s))
	if s != ntstatus.Success {
		kernel.UnlockDispatcher(old)
		return
	}
	finish(a, old)
}

// State returns the state, 1 if the mutex is free, less if it is owned
// (KeReadStateMutex).
//
// IRQL: <= DISPATCH_LEVEL
func (m *Mutex) State() int32 { return m.Header.State() }

// Wait waits for the mutex and makes the caller its owner; see the function
// Wait (KeWaitForMutexObject). Mode is kernel.KernelMode for a Mutex.
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout
func (m *Mutex) Wait(timeout *int64, alertable bool, mode kernel.Mode) ntstatus.Status {
	return Wait(&m.Header, timeout, alertable, mode)
}
