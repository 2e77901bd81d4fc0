// Package intr has interrupt objects: they tie an interrupt service routine to
// a device's line, or to a software-triggered vector, at a device level (DIRQL,
// 3 to 12).
//
// Package entry acknowledges an interrupt, raises to its level, calls Dispatch
// on the processor's interrupt stack with interrupts enabled, and signals its
// end afterwards. Higher levels nest.
//
// Lock order: connecting takes the table's lock and nothing under it. It is
// held at HIGH_LEVEL, since a vector may deliver as soon as the board knows it.
// Dispatch takes no lock to walk a chain: links are published and retracted
// atomically, and Disconnect waits until nobody can be looking at the object. An
// interrupt's own lock is held at its SynchronizeIrql while its routine runs;
// what the routine takes comes after it.
//
// Documentation: "Introduction to Interrupt Service Routines", "Registering an
// ISR", "Using Critical Sections", "KeSynchronizeExecution".
package intr

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/sync/spin"
)

// Routine is an interrupt service routine (KSERVICE_ROUTINE): it reports
// whether its device interrupted. It is resident code, like a deferred routine.
//
// IRQL: called at the interrupt's SynchronizeIrql, its lock held
type Routine func(i *Interrupt, context unsafe.Pointer) bool

// Mode says how a line signals (KINTERRUPT_MODE).
type Mode uint8

const (
	LevelSensitive Mode = 0 // until the device is served
	Latched        Mode = 1 // by an edge
)

// Config describes an interrupt, as the parameters of IoConnectInterrupt do.
type Config struct {
	Routine     Routine
	Context     unsafe.Pointer
	Line        int        // of the board, or negative: the software vector of Level
	Level       irql.Level // DIRQL
	Synchronize irql.Level // highest level of the interrupts that share Lock; 0: Level
	Mode        Mode
	Shared      bool       // others may connect to the line too
	CPU         uint32     // processor to deliver to
	Lock        *spin.Lock // shared with other interrupts, or nil
}

// Interrupt is an interrupt object. It lies in nonpaged pool. Connect and
// Disconnect write it with the table's lock held, and its connection with its
// own lock as well.
type Interrupt struct {
	next        uintptr // atomic: next of the chain
	routine     uintptr
	context     unsafe.Pointer
	lock        *spin.Lock
	own         spin.Lock
	line        int32
	vector      board.Vector
	cpu         uint32
	level       irql.Level
	synchronize irql.Level
	mode        Mode
	shared      bool
	connected   bool
	linked      bool   // in a chain
	count       uint64 // calls of the routine
	claimed     uint64 // calls that returned true
}

// Init makes i an interrupt that is not connected.
//
// IRQL: any
func (i *Interrupt) Init(c *Config) {
	*i = Interrupt{
		routine: *(*uintptr)(unsafe.Pointer(&c.Routine)),
		context: c.Context,
		lock:    c.Lock,
		line:    int32(max(c.Line, -1)),
		cpu:     c.CPU,
		level:   c.Level, synchronize: max(c.Level, c.Synchronize),
		mode: c.Mode, shared: c.Shared,
	}
	if i.lock == nil {
		i.lock = &i.own
	}
}

// Initialized reports whether i looks as Init leaves it.
//
// IRQL: any
func (i *Interrupt) Initialized() bool {
	return i.lock != nil && i.synchronize >= i.level && irql.DeviceMin <= i.level && i.level <= irql.High
}

// chain holds the interrupts of the vectors that have its index modulo the
// table's size, in the order in which they were connected.
type chain struct {
	first  uintptr
	active uint32 // processors that may be looking at an object of the chain
}

const numChains = 256

var (
	table  spin.Lock
	chains [numChains]chain
)

// chainOf returns the chain that a vector's interrupts are on.
func chainOf(v board.Vector) *chain { return &chains[v%numChains] }

func at(p uintptr) *Interrupt { return (*Interrupt)(unsafe.Pointer(p)) }

// Connect lets the interrupt happen (IoConnectInterrupt). It returns
// STATUS_INVALID_PARAMETER for a level that is no device level, a processor or
// a line that does not exist, and a line in use that both sides do not agree to
// share at the same level and mode.
//
// IRQL: PASSIVE_LEVEL
func (i *Interrupt) Connect() ntstatus.Status {
	r := operation{object: i}
	if arch.InKernel() {
		connect(unsafe.Pointer(&r))
	} else {
		arch.Gate(connect, unsafe.Pointer(&r))
	}
	return r.status
}

// operation carries Connect and Disconnect into kernel context.
type operation struct {
	object *Interrupt
	status ntstatus.Status
}

func connect(arg unsafe.Pointer) {
	r := (*operation)(arg)
	i := r.object
	irql.AssertAtMost(irql.Passive)
	old := table.AcquireTo(irql.High)
	r.status = i.connect()
	table.ReleaseTo(old)
}

// connect is Connect with the table's lock held.
func (i *Interrupt) connect() ntstatus.Status {
	if i.linked || i.routine == 0 ||
		i.level < irql.DeviceMin || i.level > irql.DeviceMax || i.synchronize > irql.High || i.line >= board.Lines ||
		i.cpu >= atomic.LoadUint32(&arch.NumCPUs) {
		return ntstatus.InvalidParameter
	}
	other := i.sameSource()
	switch {
	case other != nil:
		if !i.shared || !other.shared || i.mode != other.mode || i.level != other.level {
			return ntstatus.InvalidParameter
		}
		i.vector = other.vector
	case i.line < 0:
		i.vector = board.SoftVector(uintptr(i.level))
	default:
		i.vector = board.ConnectLine(int(i.line), uintptr(i.level), i.cpu)
	}
	i.next = 0
	i.linked, i.connected = true, true
	p := &chainOf(i.vector).first
	for *p != 0 {
		p = &at(*p).next
	}
	atomic.StoreUintptr(p, uintptr(unsafe.Pointer(i)))
	return ntstatus.Success
}

// sameSource returns another connected interrupt of the same line or software
// vector.
func (i *Interrupt) sameSource() *Interrupt {
	for n := range chains {
		for p := chains[n].first; p != 0; p = at(p).next {
			if o := at(p); o != i && o.line == i.line && (i.line >= 0 || o.level == i.level) {
				return o
			}
		}
	}
	return nil
}

// Disconnect ends what Connect began (IoDisconnectInterrupt). When it returns,
// the routine does not run and will not, and the object may be freed.
//
// IRQL: PASSIVE_LEVEL
func (i *Interrupt) Disconnect() {
	r := operation{object: i}
	if arch.InKernel() {
		disconnect(unsafe.Pointer(&r))
	} else {
		arch.Gate(disconnect, unsafe.Pointer(&r))
	}
}

func disconnect(arg unsafe.Pointer) {
	i := (*operation)(arg).object
	irql.AssertAtMost(irql.Passive)

	old := i.lock.AcquireTo(i.synchronize)
	i.connected = false
	i.lock.ReleaseTo(old)

	c := chainOf(i.vector)
	old = table.AcquireTo(irql.High)
	if i.linked {
		p := &c.first
		for *p != uintptr(unsafe.Pointer(i)) {
			p = &at(*p).next
		}
		atomic.StoreUintptr(p, i.next)
		i.linked = false
		if i.line >= 0 && i.sameSource() == nil {
			board.DisconnectLine(int(i.line))
		}
	}
	table.ReleaseTo(old)

	// A processor that found the object before it was unlinked still counts.
	for atomic.LoadUint32(&c.active) != 0 {
		arch.Pause()
	}
}

// Acquire raises to the interrupt's SynchronizeIrql, takes its lock and returns
// the level to give to Release (KeAcquireInterruptSpinLock).
//
// IRQL: <= SynchronizeIrql
func (i *Interrupt) Acquire() irql.Level { return i.lock.AcquireTo(i.synchronize) }

// Release ends what Acquire began (KeReleaseInterruptSpinLock).
//
// IRQL: SynchronizeIrql
func (i *Interrupt) Release(old irql.Level) { i.lock.ReleaseTo(old) }

// Lock returns the lock that Acquire takes, for what runs above the interrupt's
// SynchronizeIrql: it may only try.
//
// IRQL: any
func (i *Interrupt) Lock() *spin.Lock { return i.lock }

// Synchronize runs fn at the interrupt's SynchronizeIrql with its lock held, so
// that the service routine does not run meanwhile, and returns what fn returns,
// unchanged (KeSynchronizeExecution). Fn is resident code.
//
// IRQL: <= SynchronizeIrql
func (i *Interrupt) Synchronize(fn func(context unsafe.Pointer) uint8, context unsafe.Pointer) uint8 {
	old := i.lock.AcquireTo(i.synchronize)
	r := fn(context)
	if level := irql.Current(); level != i.synchronize {
		i.returnedAt(level, *(*uintptr)(unsafe.Pointer(&fn)))
	}
	i.lock.ReleaseTo(old)
	return r
}

// SynchronizeLevel returns the interrupt's SynchronizeIrql.
//
// IRQL: any
func (i *Interrupt) SynchronizeLevel() irql.Level { return i.synchronize }

// Vector returns the vector that a connected interrupt is delivered at.
//
// IRQL: any
func (i *Interrupt) Vector() board.Vector { return i.vector }

// Counts returns how often the routine was called and how often it claimed the
// interrupt.
//
// IRQL: any
func (i *Interrupt) Counts() (called, claimed uint64) { return i.count, i.claimed }

// returnedAt stops the machine because a routine, given by its func value, changed
// the level.
func (i *Interrupt) returnedAt(level irql.Level, routine uintptr) {
	const byInterrupt = 3 // UniqueValue; 0 and 1 are APCs, 2 DPCs
	bugcheck.Stop(bugcheck.IRQLUnexpectedValue, uintptr(level)<<16|uintptr(i.synchronize)<<8|byInterrupt,
		*(*uintptr)(unsafe.Pointer(routine)), uintptr(unsafe.Pointer(i)), 0)
}
