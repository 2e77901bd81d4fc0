package linux

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/dpc"
	"irqlab/intr"
	"irqlab/irql"
	"irqlab/kernel"
)

// The console is descriptors 0, 1 and 2: the UART.
//
// Input takes the way that a driver's input takes. The UART interrupts; the
// service routine moves what there is into a ring at the device's level and
// queues a DPC; the DPC wakes the readers. When the ring is full, the receive
// interrupt is turned off and the UART holds back its sender, until a reader
// has made room: not a byte is lost.
//
// Lock order: files lock, then the interrupt's lock, at consoleLevel; a clock
// interrupt may only try that one (receiveLate). The ring and masked are guarded by
// it. Output has a lock of another kind, an event that is signalled while nobody
// writes, because writing may take long; raised code writes without it.
var console struct {
	free    kernel.Header // synchronization event
	midLine bool          // the last byte written was not the end of a line

	interrupt intr.Interrupt
	deferred  dpc.Object
	ring      ring
	masked    bool
	typed     string // option stdin=, percent-encoded, what is left of it
	piped     bool   // input is no keyboard: endOfInput ends it
	literal   bool   // the last byte read was literalNext
	ended     bool   // endOfInput was read
}

// consoleLevel is the UART's DIRQL.
const consoleLevel irql.Level = 4

func initConsole() {
	c := &console
	c.free.Init(kernel.TypeSynchronizationEvent, unsafe.Sizeof(c.free), 1)
	c.typed, c.piped = Option("stdin")
	if kind, _ := Option("input"); kind == "pipe" {
		c.piped = true
	}
	c.deferred.Init(consoleDeferred, nil)
	c.interrupt.Init(&intr.Config{
		Routine: consoleInterrupt,
		Line:    board.ConsoleLine(),
		Level:   consoleLevel,
	})
	c.interrupt.Connect()
	board.ConsoleInput(true)
	kernel.OnClock = watchKeys
	// The host holds input back until the console shows a sign of life: what
	// comes before the UART is set up is lost. A NUL shows on no terminal.
	board.PutByte(0)
}

// InputIsPiped reports whether the console's input is no keyboard, but what a
// program on the host has sent.
func InputIsPiped() bool { return console.piped }

// consoleInterrupt is the service routine.
//
// IRQL: consoleLevel
func consoleInterrupt(_ *intr.Interrupt, _ unsafe.Pointer) bool {
	atomic.AddUint32(&keys.served, 1)
	return receive() || console.masked
}

// receive moves what there is into the ring, and reports whether there was any.
// The interrupt's lock is held.
//
// IRQL: consoleLevel or above
func receive() (any bool) {
	c := &console
	for {
		if c.ring.full() {
			board.ConsoleInput(false)
			c.masked = true
			break
		}
		b, ok := board.GetByte()
		if !ok {
			break
		}
		typed(b)
		c.ring.put(b)
		any = true
	}
	if any {
		c.deferred.Insert(nil, nil)
	}
	return any
}

// consoleDeferred wakes who reads.
//
// IRQL: DISPATCH_LEVEL
func consoleDeferred(_ *dpc.Object, _, _, _ unsafe.Pointer) {
	files.lock.AcquireAtDpc()
	changed()
	files.lock.ReleaseFromDpc()
}

// What a pipe's end is to a terminal, Ctrl-D, and what the host puts in front of a
// byte that is not meant so, Ctrl-V (POSIX.1-2017 11.1.9 VEOF, termios(3) VLNEXT).
// At a keyboard they are the program's to make sense of.
const (
	endOfInput  = 0x04
	literalNext = 0x16
)

// takeInput moves up to len(b) bytes of input to b. It reports the end of input
// once there is none left before it.
func takeInput(b []byte) (n int, end bool) {
	c := &console
	for !c.ended {
		n = takeBytes(b)
		if n == 0 || !c.piped {
			return n, false
		}
		if n = unquote(b[:n]); n > 0 {
			return n, false
		}
	}
	return 0, true
}

// unquote takes out of a pipe's bytes what is not the program's, and returns how
// many are left.
func unquote(b []byte) (n int) {
	c := &console
	for _, x := range b {
		switch {
		case c.literal:
			c.literal = false
		case x == literalNext:
			c.literal = true
			continue
		case x == endOfInput:
			c.ended = true
			return n
		}
		b[n] = x
		n++
	}
	return n
}

func takeBytes(b []byte) int {
	c := &console
	n := 0
	for n < len(b) && c.typed != "" {
		b[n], c.typed = unescape(c.typed)
		n++
	}
	if n != 0 {
		return n
	}
	old := c.interrupt.Acquire()
	for n < len(b) && !c.ring.empty() {
		b[n] = c.ring.get()
		n++
	}
	if c.masked && n != 0 {
		c.masked = false
		board.ConsoleInput(true)
	}
	c.interrupt.Release(old)
	return n
}

// readTerminal waits for input and takes what there is. Files lock held.
func (s *state) readTerminal(f *arch.Frame, level *irql.Level, fd int32, p, n uintptr) uintptr {
	var b [64]byte // the program's memory is not touched at the device's level
	if n == 0 {
		return 0
	}
	for {
		file := lookup(fd)
		if file == nil || file.kind != terminal {
			return eBADF.result()
		}
		if got, end := takeInput(b[:min(n, uintptr(len(b)))]); got > 0 || end {
			copy(bytesAt(p, n), b[:got])
			return uintptr(got)
		}
		switch {
		case file.nonblock:
			return eAGAIN.result()
		case s.interrupted():
			return eINTR.result()
		}
		mayWait(f, *level)
		s.await(level, 0)
	}
}

// writeBytes is write(2) to the console: all of it, in one piece as long as the
// level permits to wait for others.
func writeBytes(b []byte) {
	c := &console
	raised := irql.Current() >= irql.Dispatch
	if !raised {
		kernel.WaitHeader(&c.free, nil, false)
	}
	for _, x := range b {
		board.PutByte(x)
	}
	if len(b) > 0 {
		c.midLine = b[len(b)-1] != '\n'
	}
	if !raised {
		kernel.SignalHeader(&c.free, 0)
	}
}

// seizeTime bounds the wait for the end of what others write, in 100 ns.
const seizeTime = kernel.Second / 10

// seizeConsole takes the console for good, at the beginning of a line.
func seizeConsole() {
	c := &console
	if irql.Current() < irql.Dispatch {
		timeout := int64(-seizeTime)
		kernel.WaitHeader(&c.free, &timeout, false)
	}
	if c.midLine {
		board.PutByte('\n')
	}
}

func putString(s string) {
	for i := range len(s) {
		board.PutByte(s[i])
	}
}

func putDecimal(v uint32) {
	if v >= 10 {
		putDecimal(v / 10)
	}
	board.PutByte(byte('0' + v%10))
}

// ring is a queue of bytes.
type ring struct {
	bytes      [4096]byte
	head, tail uint32 // bytes ever put, got
}

func (r *ring) empty() bool { return r.head == r.tail }
func (r *ring) full() bool  { return r.head-r.tail == uint32(len(r.bytes)) }

func (r *ring) put(b byte) {
	r.bytes[r.head%uint32(len(r.bytes))] = b
	r.head++
}

func (r *ring) get() byte {
	b := r.bytes[r.tail%uint32(len(r.bytes))]
	r.tail++
	return b
}
