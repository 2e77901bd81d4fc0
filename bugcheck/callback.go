package bugcheck

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
)

// Bug check callbacks. The records are the drivers', resident memory; they are
// linked by addresses, since they are no business of the garbage collector.

// CallbackState is where a record stands (BUGCHECK_BUFFER_STATE).
type CallbackState uint8

const (
	CallbackEmpty      CallbackState = iota // not registered
	CallbackInserted                        // registered
	CallbackStarted                         // its routine runs, or has failed
	CallbackFinished                        // its routine has returned
	CallbackIncomplete                      // the record was damaged: the routine was not called
)

// Callback is a KBUGCHECK_CALLBACK_RECORD, or with a reason other than 0 a
// KBUGCHECK_REASON_CALLBACK_RECORD.
type Callback struct {
	next, previous uintptr
	Routine        uintptr // the func value
	Buffer         unsafe.Pointer
	Length         uint32
	Reason         Reason
	Component      *uint8 // zero-terminated name
	checksum       uintptr
	State          CallbackState
}

// Reason says when a callback is called (KBUGCHECK_CALLBACK_REASON).
type Reason uint32

const (
	// AfterDump is for ordinary callbacks: after the crash data is written.
	AfterDump Reason = 0
	// SecondaryData is for those that add a block of data to the dump.
	SecondaryData Reason = 2
)

// callbacks is the list of records in order of registration, and its lock, held
// with interrupts disabled. Go code takes it too: what runs meanwhile is nosplit or
// inlined, for where a stack is checked the Go runtime can take the processor away.
var callbacks struct {
	lock        uint32
	first, last uintptr
}

func lockCallbacks() (enabled bool) {
	enabled = arch.DisableInterrupts()
	for !atomic.CompareAndSwapUint32(&callbacks.lock, 0, 1) {
		arch.Pause()
	}
	return enabled
}

//go:nosplit
func unlockCallbacks(enabled bool) {
	atomic.StoreUint32(&callbacks.lock, 0)
	if enabled {
		arch.EnableInterrupts()
	}
}

//go:nosplit
func callbackAt(a uintptr) *Callback { return (*Callback)(pointer(a)) }

//go:nosplit
func (c *Callback) sum() uintptr {
	return c.Routine + uintptr(c.Buffer) + uintptr(c.Length) + uintptr(c.Reason) + uintptr(unsafe.Pointer(c.Component)) + 1
}

// Register adds a record that was initialized (KeRegisterBugCheckCallback,
// KeRegisterBugCheckReasonCallback). It reports false for one that is registered.
//
// IRQL: any
func (c *Callback) Register() bool {
	on := lockCallbacks()
	ok := c.State == CallbackEmpty
	if ok {
		c.State, c.checksum = CallbackInserted, c.sum()
		a := uintptr(unsafe.Pointer(c))
		c.next, c.previous = 0, callbacks.last
		if callbacks.last != 0 {
			callbackAt(callbacks.last).next = a
		} else {
			callbacks.first = a
		}
		callbacks.last = a
	}
	unlockCallbacks(on)
	return ok
}

// Deregister removes a record. It reports false for one that is not registered.
//
// IRQL: any
func (c *Callback) Deregister() bool {
	on := lockCallbacks()
	ok := c.State == CallbackInserted
	if ok {
		c.State = CallbackEmpty
		if c.previous != 0 {
			callbackAt(c.previous).next = c.next
		} else {
			callbacks.first = c.next
		}
		if c.next != 0 {
			callbackAt(c.next).previous = c.previous
		} else {
			callbacks.last = c.previous
		}
	}
	unlockCallbacks(on)
	return ok
}

// maxCallbacks bounds how far the list is followed: a damaged one may be a circle.
const maxCallbacks = 4096

// runCallbacks calls the ordinary callbacks. A damaged list ends it.
func runCallbacks() {
	stage = "while running a bug check callback"
	a := callbacks.first
	for n := 0; a != 0 && n < maxCallbacks; n++ {
		c := callbackAt(a)
		if !c.readable() {
			return
		}
		if c.Reason == AfterDump && c.begin() {
			(*(*func(unsafe.Pointer, uint32))(unsafe.Pointer(&c.Routine)))(c.Buffer, c.Length)
			c.State = CallbackFinished
		}
		a = c.next
	}
}

// ReasonRoutine is a KBUGCHECK_REASON_CALLBACK_ROUTINE.
type ReasonRoutine func(reason Reason, c *Callback, data unsafe.Pointer, length uint32)

// CallReason calls the callbacks with a reason, which find their data at data, as
// before prepares it; after sees what they made of it. The writer of the dump
// calls it.
//
// IRQL: HIGH_LEVEL
func CallReason(reason Reason, data unsafe.Pointer, length uint32, before, after func()) {
	a := callbacks.first
	for n := 0; a != 0 && n < maxCallbacks; n++ {
		c := callbackAt(a)
		if !c.readable() {
			return
		}
		if c.Reason == reason && c.begin() {
			before()
			(*(*ReasonRoutine)(unsafe.Pointer(&c.Routine)))(reason, c, data, length)
			c.State = CallbackFinished
			after()
		}
		a = c.next
	}
}

// begin marks a callback as started, unless its record was damaged.
func (c *Callback) begin() bool {
	if c.State != CallbackInserted {
		return false
	}
	if c.checksum != c.sum() {
		c.State = CallbackIncomplete
		return false
	}
	c.State = CallbackStarted
	return true
}

// readable reports whether the record is in memory, from its first word to its
// last.
func (c *Callback) readable() bool {
	at := uintptr(unsafe.Pointer(c))
	return readableWord(at) && readableWord(at+unsafe.Sizeof(*c)-8)
}

func readableWord(va uintptr) bool { return va%8 == 0 && arch.Translated(va) && readable(va) }
