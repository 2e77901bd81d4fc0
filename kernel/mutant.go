package kernel

import (
	"math"
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/list"
	"irqlab/ntstatus"
)

// Mutant is a KMUTANT (56 bytes), the object behind KMUTEX: it belongs to one
// thread at a time, which may acquire it again and must release it as often.
// SignalState is 1 while it is free, and falls by one with each acquisition.
type Mutant struct {
	Header     Header
	Entry      list.Entry // in the owner's MutantList
	Owner      *Thread
	Abandoned  uint8 // its owner ended without releasing it
	APCDisable uint8 // 1 for a KMUTEX: its owner gets no normal kernel APCs
	_          [6]byte
}

// The public x64 layout.
const (
	_ = uint(56 - unsafe.Sizeof(Mutant{}))
	_ = uint(unsafe.Sizeof(Mutant{}) - 56)
	_ = uint(0x18 - unsafe.Offsetof(Mutant{}.Entry))
	_ = uint(0x28 - unsafe.Offsetof(Mutant{}.Owner))
	_ = uint(0x31 - unsafe.Offsetof(Mutant{}.APCDisable))
)

// mutantIncrement is the boost that a released mutant's new owner gets.
const mutantIncrement = 1

// InitMutex makes m a free KMUTEX (KeInitializeMutex).
//
// IRQL: any
func (m *Mutant) InitMutex() {
	m.Header.Init(TypeMutant, unsafe.Sizeof(Mutant{}), 1)
	m.Owner, m.Abandoned, m.APCDisable = nil, 0, 1
	m.initialized()
}

// InitMutant makes m a mutant that leaves its owner's APCs alone, free or owned
// by the running thread (KeInitializeMutant). Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func (m *Mutant) InitMutant(owned bool) {
	m.Header.Init(TypeMutant, unsafe.Sizeof(Mutant{}), 1)
	m.Owner, m.Abandoned, m.APCDisable = nil, 0, 0
	m.initialized()
	if owned {
		old := LockDispatcher()
		t := Current()
		t.WaitIRQL = old
		m.satisfy(t)
		UnlockDispatcher(old)
	}
}

// OnMutant, if set, is told of each mutant that is initialized. It is a top-level
// resident function.
var OnMutant func(*Mutant)

func (m *Mutant) initialized() {
	if OnMutant != nil {
		OnMutant(m)
	}
}

// NextMutant returns the mutant that t acquired after m, the first one if m is nil,
// or nil behind the last. t is the running thread, whose list is its own, or the
// dispatcher lock is held.
func (t *Thread) NextMutant(m *Mutant) *Mutant {
	e := t.MutantList.Flink
	if m != nil {
		e = m.Entry.Flink
	}
	if e == nil || e == &t.MutantList {
		return nil
	}
	return mutantOf(e)
}

// raised says, in a mutant's header, that it was acquired at DISPATCH_LEVEL by
// a wait that does not wait (DpcActive in the public headers). Such an
// acquisition must be released at that level too, and others must not be.
func raised(level irql.Level) uint8 {
	if level >= irql.Dispatch {
		return 1
	}
	return 0
}

// exhausted reports whether t has acquired the object so often that once more
// would overflow its count. Dispatcher lock held.
func (h *Header) exhausted(t *Thread) bool {
	return h.Type == TypeMutant && h.SignalState == math.MinInt32 && (*Mutant)(unsafe.Pointer(h)).Owner == t
}

// satisfy makes t the owner, or owner once more, and reports whether the mutant
// had been abandoned. t.WaitIRQL is the level of its wait. Dispatcher lock held.
func (m *Mutant) satisfy(t *Thread) (abandoned bool) {
	m.Header.SignalState--
	if m.Header.SignalState != 0 {
		return false
	}
	m.Owner = t
	m.Header.Inserted = raised(t.WaitIRQL)
	t.MutantList.InsertTail(&m.Entry)
	t.KernelAPCs -= int16(m.APCDisable)
	abandoned = m.Abandoned != 0
	m.Abandoned = 0
	return abandoned
}

// Release gives up one acquisition by t, the running thread, which called at the
// given level, and returns the state before (KeReleaseMutant). The last one
// hands the mutant to the first that waits. A thread that is not the owner, or
// not at the kind of level it acquired at, gets an error and changes nothing.
// Dispatcher lock held.
func (m *Mutant) Release(t *Thread, level irql.Level) (previous int32, s ntstatus.Status) {
	previous = m.Header.SignalState
	if m.Owner != t || m.Header.Inserted != raised(level) {
		if m.Abandoned != 0 {
			return previous, ntstatus.AbandonedWait0
		}
		return previous, ntstatus.MutantNotOwned
	}
	m.Header.SignalState++
	if m.Header.SignalState == 1 {
		m.Entry.Remove()
		if m.APCDisable != 0 {
			t.KernelAPCs++
			if t.UserAPCPending || !t.APCs[KernelMode].Empty() {
				t.regionLeft()
			}
		}
		m.free()
	}
	return previous, ntstatus.Success
}

// Abandon makes the mutant free, whoever owns it, has it say so to its next
// owner, and returns the state before (KeReleaseMutant with Abandoned). A KMUTEX
// must be the running thread's. Dispatcher lock held.
func (m *Mutant) Abandon() (previous int32, s ntstatus.Status) {
	t := Current()
	previous = m.Header.SignalState
	if m.APCDisable != 0 && m.Owner != t {
		return previous, ntstatus.MutantNotOwned
	}
	if m.Owner != nil {
		m.Entry.Remove()
		if m.APCDisable != 0 {
			t.KernelAPCs++
			t.regionLeft()
		}
	}
	m.Header.SignalState = 1
	m.Abandoned = 1
	m.free()
	return previous, ntstatus.Success
}

// free passes the mutant on after its owner has let go of it.
func (m *Mutant) free() {
	m.Owner = nil
	m.Header.Inserted = 0
	if !m.Header.WaitList.Empty() {
		m.Header.Signal(mutantIncrement)
	}
}

// refuseMutexes stops the machine if t, which is about to end, owns a KMUTEX. Its
// list is the thread's own, so no lock is needed.
func (t *Thread) refuseMutexes() {
	if m := t.OwnsMutex(); m != nil {
		bugcheck.Stop(bugcheck.ThreadTerminateHeldMutex, uintptr(unsafe.Pointer(t)), uintptr(unsafe.Pointer(m)), 0, 0)
	}
}

// OwnsMutex returns a KMUTEX that t, the running thread, owns, or nil.
//
// IRQL: any
func (t *Thread) OwnsMutex() *Mutant {
	for e := t.MutantList.Flink; e != &t.MutantList; e = e.Flink {
		if m := mutantOf(e); m.APCDisable != 0 {
			return m
		}
	}
	return nil
}

// abandonAll makes the mutants that an ending thread owns free, and has them say
// so to their next owner. Dispatcher lock held.
func abandonAll(t *Thread) {
	for e := t.MutantList.RemoveHead(); e != nil; e = t.MutantList.RemoveHead() {
		m := mutantOf(e)
		m.Header.SignalState = 1
		m.Abandoned = 1
		m.free()
	}
}

func mutantOf(e *list.Entry) *Mutant {
	return (*Mutant)(e.Container(unsafe.Offsetof(Mutant{}.Entry)))
}
