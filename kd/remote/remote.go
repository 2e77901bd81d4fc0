// Package remote is a machine behind QEMU's gdb stub, as a target of package kd.
// It speaks as much of gdb's remote serial protocol as that takes. To the stub, a
// processor is a thread of one process.
package remote

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"irqlab/kd"
)

// Target is a machine that stands still while nobody lets it run.
type Target struct {
	stream    stream
	cpus      []string // thread IDs
	selected  string   // the thread that registers and memory are read of
	registers []register
}

// Dial connects to a stub, which stops the machine. It tries until ctx ends: a
// QEMU that was just started does not listen yet.
func Dial(ctx context.Context, address string) (*Target, error) {
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "tcp", address)
		if err == nil {
			return New(conn)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("no gdb stub answers at %s: %w", address, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// New begins to debug the machine at the other end of a connection, which stands
// still then.
func New(conn net.Conn) (*Target, error) {
	t := &Target{stream: stream{conn, bufio.NewReader(conn)}}
	if err := t.attach(); err != nil {
		conn.Close()
		return nil, err
	}
	return t, nil
}

func (t *Target) attach() error {
	if _, err := t.stream.exchange("qSupported:multiprocess+;vContSupported+"); err != nil {
		return fmt.Errorf("gdb stub: %w", err)
	}
	for query := "qfThreadInfo"; ; query = "qsThreadInfo" {
		answer, err := t.stream.exchange(query)
		if err != nil {
			return fmt.Errorf("gdb stub: %w", err)
		}
		list, more := strings.CutPrefix(answer, "m")
		if !more {
			break
		}
		t.cpus = append(t.cpus, strings.Split(list, ",")...)
	}
	if len(t.cpus) == 0 {
		return errors.New("gdb stub: no processors")
	}
	// The answer says why the machine stands still; nobody wants to know.
	if _, err := t.stream.exchange("?"); err != nil {
		return err
	}
	return t.describe()
}

// Detach lets the machine run and closes the connection.
func (t *Target) Detach() error {
	_, err := t.stream.exchange("D;1")
	return errors.Join(err, t.stream.conn.Close())
}

// Close closes the connection. The machine is left as it is.
func (t *Target) Close() error { return t.stream.conn.Close() }

// CPUs implements kd.Target.
func (t *Target) CPUs() int { return len(t.cpus) }

// ok sends a packet that is answered with OK.
func (t *Target) ok(packet string) error {
	answer, err := t.stream.exchange(packet)
	if err == nil && answer != "OK" {
		err = fmt.Errorf("gdb stub: %s is answered with %q", packet, answer)
	}
	return err
}

// choose makes a processor the one that is read.
func (t *Target) choose(cpu int) error {
	if cpu < 0 || cpu >= len(t.cpus) {
		return fmt.Errorf("there is no CPU %d", cpu)
	}
	if t.selected == t.cpus[cpu] {
		return nil
	}
	err := t.ok("Hg" + t.cpus[cpu])
	if err == nil {
		t.selected = t.cpus[cpu]
	}
	return err
}

// ReadMemory implements kd.Target, with the boot processor's translation tables:
// the others' are the same once they have any.
func (t *Target) ReadMemory(addr uint64, b []byte) error {
	if err := t.choose(0); err != nil {
		return err
	}
	for len(b) > 0 {
		n := min(len(b), maxRead)
		answer, err := t.stream.exchange(fmt.Sprintf("m%x,%x", addr, n))
		if err != nil {
			return err
		}
		data, err := hex.DecodeString(answer)
		if err != nil || len(data) == 0 || len(data) > n {
			return fmt.Errorf("gdb stub: no memory at %#x (%s)", addr, answer)
		}
		copy(b, data)
		addr += uint64(len(data))
		b = b[len(data):]
	}
	return nil
}

// WriteMemory implements kd.Control.
func (t *Target) WriteMemory(addr uint64, b []byte) error {
	if err := t.choose(0); err != nil {
		return err
	}
	return t.ok(fmt.Sprintf("M%x,%x:%x", addr, len(b), b))
}

// extra are the system registers that are worth a question of their own.
var extra = map[string]bool{"ttbr0_el1": true, "esr_el1": true, "far_el1": true}

// Registers implements kd.Target. Registers of more than eight bytes are left
// out.
func (t *Target) Registers(cpu int) (kd.Registers, error) {
	if err := t.choose(cpu); err != nil {
		return nil, err
	}
	answer, err := t.stream.exchange("g")
	if err != nil {
		return nil, err
	}
	block, err := hex.DecodeString(answer)
	if err != nil {
		return nil, fmt.Errorf("gdb stub: registers %q", answer)
	}
	regs := kd.Registers{}
	for _, r := range t.registers {
		switch {
		case r.bytes > 8:
		case r.block && r.offset+r.bytes <= len(block):
			regs[r.name] = little(block[r.offset : r.offset+r.bytes])
		case extra[r.name]:
			v, err := t.register(r)
			if err != nil {
				return nil, err
			}
			regs[r.name] = v
		}
	}
	return regs, nil
}

func (t *Target) register(r register) (uint64, error) {
	answer, err := t.stream.exchange(fmt.Sprintf("p%x", r.number))
	if err != nil {
		return 0, err
	}
	b, err := hex.DecodeString(answer)
	if err != nil || len(b) != r.bytes {
		return 0, fmt.Errorf("gdb stub: register %s is %q", r.name, answer)
	}
	return little(b), nil
}

// SetRegister implements kd.Control.
func (t *Target) SetRegister(cpu int, name string, v uint64) error {
	if err := t.choose(cpu); err != nil {
		return err
	}
	for _, r := range t.registers {
		if r.name == name && r.bytes <= 8 {
			b := make([]byte, r.bytes)
			for i := range b {
				b[i] = byte(v >> (8 * i))
			}
			return t.ok(fmt.Sprintf("P%x=%x", r.number, b))
		}
	}
	return fmt.Errorf("no register %s", name)
}

func little(b []byte) uint64 {
	var v uint64
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}
