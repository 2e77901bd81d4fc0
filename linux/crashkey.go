package linux

import (
	"sync/atomic"

	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/kernel"
)

// crashKey, Ctrl-\, typed twice in a row at a keyboard stops the machine with
// MANUALLY_INITIATED_CRASH, as Ctrl and Scroll Lock twice do on Windows.
//
// The console's service routine sees it, at consoleLevel on the processor that
// takes the UART's interrupts. If that masks them for a second or so, the clock
// interrupts of all processors do the service routine's work. So it works as long
// as one processor takes clock interrupts, at CLOCK_LEVEL - 1 or below, and nobody
// is stuck with the console's interrupt lock.
const crashKey = 0x1c

var keys struct {
	pressed uint32 // the last byte was crashKey
	served  uint32 // counts runs of the service routine
	seen    uint32 // value of served when input was found waiting
	since   uint64 // interrupt time of that; 0 if none waits
	looking uint32 // a processor is at it
}

// lateTime is how long input must wait for the service routine before it is taken,
// in 100 ns.
const lateTime = kernel.Second

// typed looks at a byte of input.
func typed(b byte) {
	if console.piped {
		return
	}
	pressed := uint32(0)
	if b == crashKey {
		pressed = 1
	}
	if atomic.SwapUint32(&keys.pressed, pressed) == 1 && b == crashKey {
		bugcheck.Stop(bugcheck.ManuallyInitiatedCrash, 0, 0, 0, 0)
	}
}

// watchKeys takes input that the service routine does not come to take.
//
// IRQL: CLOCK_LEVEL
func watchKeys() {
	k := &keys
	if console.piped || !atomic.CompareAndSwapUint32(&k.looking, 0, 1) {
		return
	}
	now := kernel.InterruptTime()
	switch served := atomic.LoadUint32(&k.served); {
	case !board.ConsoleReady():
		k.since = 0
	case k.since == 0 || served != k.seen || console.masked:
		k.seen, k.since = served, now
	case now-k.since >= lateTime:
		receiveLate()
	}
	atomic.StoreUint32(&k.looking, 0)
}

// receiveLate does the service routine's work, unless somebody is just at it.
//
// It is all of the work: the processor that should have come may be one that the
// host does not run, and what was typed is still for the reader.
//
// IRQL: CLOCK_LEVEL
func receiveLate() {
	lock := console.interrupt.Lock()
	// A first look, since trying a lock that this processor holds, in what the
	// clock interrupted, is a stop.
	if lock.Test() && lock.TryAtDpc() {
		receive()
		lock.ReleaseFromDpc()
	}
}
