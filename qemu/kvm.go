package qemu

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
)

// errKVM ends a machine that KVM has given up.
var errKVM = errors.New("KVM cannot run this guest here; use -accel tcg")

// kvmFailures begin the lines in which QEMU says that KVM has given up (kvm_cpu_exec in
// QEMU's accel/kvm/kvm-all.c). It then shows the registers and pauses the machine, for
// ever: no option has it end instead.
var kvmFailures = []string{"KVM internal error", "KVM: ", "error: kvm run failed"}

// kvmDump is how long QEMU may take to show the registers.
const kvmDump = time.Second

// kvmWatch passes on what QEMU says, and calls failed some time after such a line.
type kvmWatch struct {
	io.Writer
	failed func()

	line []byte
	seen bool
}

func (w *kvmWatch) Write(p []byte) (int, error) {
	w.line = append(w.line, p...)
	for {
		line, rest, ok := bytes.Cut(w.line, []byte("\n"))
		if !ok {
			return w.Writer.Write(p)
		}
		w.line = rest
		if !w.seen && slices.ContainsFunc(kvmFailures, func(s string) bool { return strings.HasPrefix(string(line), s) }) {
			w.seen = true
			time.AfterFunc(kvmDump, w.failed)
		}
	}
}
