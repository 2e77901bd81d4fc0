package kd

import (
	"context"
	"errors"
	"fmt"
)

// Arch is an architecture under its Go name.
type Arch string

// The architectures.
const (
	AMD64 Arch = "amd64"
	ARM64 Arch = "arm64"
)

// Target is a stopped machine.
type Target interface {
	// CPUs returns the number of processors.
	CPUs() int
	// ReadMemory fills b from a virtual address. What it cannot read is an
	// error; b may have been filled in part.
	ReadMemory(addr uint64, b []byte) error
	// Registers returns what is known of a processor's registers. The caller
	// must not change them.
	Registers(cpu int) (Registers, error)
}

// Control is a Target that can run.
type Control interface {
	Target
	// Resume lets all processors run until one stops. When ctx ends it stops
	// them itself.
	Resume(ctx context.Context) (Stop, error)
	// Step executes one instruction on one processor; the others stand still.
	Step(cpu int) error
	// SetBreakpoint and ClearBreakpoint apply to all processors.
	SetBreakpoint(addr uint64) error
	ClearBreakpoint(addr uint64) error
	// WriteMemory changes memory at a virtual address.
	WriteMemory(addr uint64, b []byte) error
	// SetRegister changes a register.
	SetRegister(cpu int, name string, v uint64) error
}

// Stop is why a machine that ran does not any more.
type Stop struct {
	CPU    int
	Exited bool // there is no machine any more
}

// ErrGone reports a command for a machine that has ended.
var ErrGone = errors.New("the machine has ended")

// ErrNotInDump is the error of a read from memory that a dump does not hold.
var ErrNotInDump = errors.New("not in this dump")

// Described is a Target that has something to say of itself.
type Described interface {
	Describe() []string
}

// Registers are a processor's registers by their lower-case names: rax, rip,
// cr8 and so on; x0, sp, pc, cpsr and so on. Two more may be there on any
// architecture: irql, if the target knows it, and thread, the address of the
// running thread.
type Registers map[string]uint64

// machine is what differs between the architectures.
type machine struct {
	arch       Arch
	pc, sp, fp string
	link       string // "" where calls push the return address
	g          string // has the g of Go code, and that of kernel context
	shown      [][]string
	flags      string
	canonical  func(addr uint64) bool
}

var machines = map[Arch]*machine{
	AMD64: {
		arch: AMD64, pc: "rip", sp: "rsp", fp: "rbp", g: "r14", flags: "eflags",
		shown: [][]string{
			{"rax", "rbx", "rcx"}, {"rdx", "rsi", "rdi"}, {"rip", "rsp", "rbp"},
			{"r8", "r9", "r10"}, {"r11", "r12", "r13"}, {"r14", "r15"},
		},
		canonical: func(addr uint64) bool { return addr == uint64(int64(addr)<<16>>16) },
	},
	ARM64: {
		arch: ARM64, pc: "pc", sp: "sp", fp: "x29", link: "x30", g: "x28", flags: "cpsr",
		shown: [][]string{
			{"x0", "x1", "x2", "x3"}, {"x4", "x5", "x6", "x7"}, {"x8", "x9", "x10", "x11"},
			{"x12", "x13", "x14", "x15"}, {"x16", "x17", "x18", "x19"}, {"x20", "x21", "x22", "x23"},
			{"x24", "x25", "x26", "x27"}, {"x28", "x29", "x30", "sp"}, {"pc"},
		},
		canonical: func(addr uint64) bool { return addr>>48 == 0 },
	},
}

// register returns the name of the register that a pseudo-register is.
func (m *machine) register(name string) string {
	switch name {
	case "$ip":
		return m.pc
	case "$csp":
		return m.sp
	}
	return name
}

// memoryError is an address that cannot be read.
type memoryError struct {
	addr uint64
	err  error
}

func (e *memoryError) Error() string {
	text := fmt.Sprintf("memory access error at %s", address(e.addr))
	if errors.Is(e.err, ErrNotInDump) {
		text += ": " + ErrNotInDump.Error()
	}
	return text
}

func (e *memoryError) Unwrap() error { return e.err }

// address writes an address as WinDbg does.
func address(a uint64) string { return fmt.Sprintf("%08x`%08x", a>>32, uint32(a)) }
