package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"irqlab/kd"
)

// breakIn is the byte that stops a running machine.
const breakIn = 0x03

// Resume implements kd.Control.
func (t *Target) Resume(ctx context.Context) (kd.Stop, error) {
	if err := t.stream.send("vCont;c"); err != nil {
		return t.lost(err)
	}
	stopped := context.AfterFunc(ctx, func() { t.stream.conn.Write([]byte{breakIn}) })
	defer stopped()
	return t.stop(0)
}

// stepTime bounds a step: a processor that halts does not make any.
const stepTime = 5 * time.Second

// Step implements kd.Control. The stub keeps interrupts away meanwhile.
func (t *Target) Step(cpu int) error {
	if cpu < 0 || cpu >= len(t.cpus) {
		return fmt.Errorf("there is no CPU %d", cpu)
	}
	if err := t.stream.send("vCont;s:" + t.cpus[cpu]); err != nil {
		return err
	}
	s, err := t.stop(stepTime)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if _, err := t.stream.conn.Write([]byte{breakIn}); err != nil {
			return err
		}
		if _, err := t.stop(answerTime); err != nil {
			return err
		}
		return fmt.Errorf("CPU %d executes nothing: it halts", cpu)
	}
	if err == nil && s.Exited {
		err = kd.ErrGone
	}
	return err
}

// stop waits until the machine stands still.
func (t *Target) stop(limit time.Duration) (kd.Stop, error) {
	t.selected = ""
	for {
		answer, err := t.stream.receive(limit)
		if err != nil {
			return t.lost(err)
		}
		switch {
		case strings.HasPrefix(answer, "W"), strings.HasPrefix(answer, "X"):
			return kd.Stop{Exited: true}, nil
		case strings.HasPrefix(answer, "T"), strings.HasPrefix(answer, "S"):
			return kd.Stop{CPU: t.stopped(answer)}, nil
		}
	}
}

// lost tells an ended machine from a failed connection.
func (t *Target) lost(err error) (kd.Stop, error) {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return kd.Stop{Exited: true}, nil
	}
	return kd.Stop{}, err
}

// stopped returns the processor that an answer such as T05thread:p01.02; names.
func (t *Target) stopped(answer string) int {
	if len(answer) < 3 {
		return 0
	}
	for part := range strings.SplitSeq(answer[3:], ";") {
		if id, ok := strings.CutPrefix(part, "thread:"); ok {
			return max(0, slices.Index(t.cpus, id))
		}
	}
	return 0
}

// SetBreakpoint implements kd.Control. QEMU keeps breakpoints outside the
// machine's memory.
func (t *Target) SetBreakpoint(addr uint64) error { return t.ok(fmt.Sprintf("Z0,%x,1", addr)) }

// ClearBreakpoint implements kd.Control.
func (t *Target) ClearBreakpoint(addr uint64) error { return t.ok(fmt.Sprintf("z0,%x,1", addr)) }

// Execute implements kd.Probe for ARM64.
func (t *Target) Execute(cpu int, addr uint64, register string) (v uint64, err error) {
	before, err := t.Registers(cpu)
	if err != nil {
		return 0, err
	}
	if err := t.SetRegister(cpu, "pc", addr); err != nil {
		return 0, err
	}
	err = t.Step(cpu)
	if err == nil {
		var after kd.Registers
		if after, err = t.Registers(cpu); err == nil {
			v = after[register]
			if after["pc"] != addr+4 {
				err = fmt.Errorf("CPU %d did not execute the instruction at %#x", cpu, addr)
			}
		}
	}
	for _, name := range []string{register, "pc"} {
		err = errors.Join(err, t.SetRegister(cpu, name, before[name]))
	}
	return v, err
}
