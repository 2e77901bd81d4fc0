package qemu

import (
	"bytes"
	"io"
	"strconv"
)

// exitPrefix begins the line with which the kernel announces its exit status.
const exitPrefix = "irqlab: exit "

// output carries the guest's console to the user. It watches for the exit
// line, which counts only as the very last one, so it holds back whatever may
// still become that line.
type output struct {
	dst      io.Writer
	raw      bool // dst is a terminal in raw mode: it needs its carriage returns
	hideExit bool // the exit line is not shown

	alive chan struct{} // closed at the first byte of the guest
	woke  bool
	held  []byte // the start of an exit line, or all of one
	line  bool   // the last byte passed on did not end a line
	cr    bool   // a carriage return is waiting for its line feed
	buf   bytes.Buffer
}

func newOutput(dst io.Writer, raw, hideExit bool) *output {
	return &output{dst: dst, raw: raw, hideExit: hideExit, alive: make(chan struct{})}
}

// Write takes console bytes as QEMU emits them.
func (o *output) Write(p []byte) (int, error) {
	if !o.woke && len(p) > 0 {
		o.woke = true
		close(o.alive)
	}
	for _, c := range p {
		o.put(c)
	}
	return len(p), o.flush()
}

// put drops the NULs by which the kernel shows that its console is up without
// printing anything, and gives every line one ending: line feed, or carriage
// return and line feed on a raw terminal.
func (o *output) put(c byte) {
	switch {
	case c == 0:
		return
	case c == '\r' && !o.cr:
		o.cr = true
		return
	case o.cr && c != '\n':
		o.hold('\r')
	}
	o.cr = c == '\r'
	if !o.cr {
		o.hold(c)
	}
}

func (o *output) hold(c byte) {
	if len(o.held) > 0 && o.held[len(o.held)-1] == '\n' {
		o.release()
	}
	if o.line {
		o.emit(c)
		return
	}
	o.held = append(o.held, c)
	if !maybeExit(o.held) {
		o.release()
	}
}

// maybeExit reports whether b is an exit line or the start of one.
func maybeExit(b []byte) bool {
	if len(b) <= len(exitPrefix) {
		return bytes.HasPrefix([]byte(exitPrefix), b)
	}
	if !bytes.HasPrefix(b, []byte(exitPrefix)) {
		return false
	}
	digits := bytes.TrimSuffix(b[len(exitPrefix):], []byte("\n"))
	if len(digits) == 0 || len(digits) > 3 {
		return false
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return false
		}
	}
	return true
}

func (o *output) release() {
	held := o.held
	o.held = o.held[:0]
	for _, c := range held {
		o.emit(c)
	}
}

func (o *output) emit(c byte) {
	if c == '\n' && o.raw {
		o.buf.WriteByte('\r')
	}
	o.buf.WriteByte(c)
	o.line = c != '\n'
}

func (o *output) flush() error {
	_, err := o.buf.WriteTo(o.dst)
	return err
}

// close ends the console and returns the status its last line announces, or -1.
func (o *output) close() (status int, err error) {
	status = -1
	if n := len(o.held); n > len(exitPrefix) && o.held[n-1] == '\n' {
		if v, err := strconv.Atoi(string(o.held[len(exitPrefix) : n-1])); err == nil && v <= MaxStatus {
			status = v
		}
	}
	if o.cr {
		o.hold('\r')
	}
	if status < 0 || !o.hideExit {
		o.release()
	}
	return status, o.flush()
}
