// Package core is a crash dump as a target of package kd.
package core

import (
	"debug/elf"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"time"

	"irqlab/dump"
	"irqlab/dump/load"
	"irqlab/kd"
	"irqlab/qemu"
)

// Target is a dump: a machine as it was when it stopped.
type Target struct {
	dump      *load.Dump
	registers map[int]kd.Registers // by processor
}

// Open opens a dump file.
func Open(name string) (*Target, error) {
	d, err := load.Open(name)
	if err != nil {
		return nil, err
	}
	return New(d), nil
}

// New makes a target of a dump that was read.
func New(d *load.Dump) *Target {
	t := &Target{dump: d, registers: map[int]kd.Registers{}}
	for _, s := range d.AMD64 {
		t.add(int(s.PID)-1, registersAMD64(&s.Registers), "rip", "rsp", "rbp", "fs_base", "gs_base")
	}
	for _, s := range d.ARM64 {
		t.add(int(s.PID)-1, registersARM64(&s.Registers), "pc", "sp", "x29")
	}
	return t
}

// add adds what is known of a processor's registers: nothing, if it did not
// answer, or those in kept, the first of which says whether there is anything, if
// it called to stop the machine.
func (t *Target) add(cpu int, r kd.Registers, kept ...string) {
	s := &t.dump.Stop
	if cpu < 0 || cpu >= dump.MaxCPUs || s.Answered>>cpu&1 == 0 {
		return
	}
	if s.Called>>cpu&1 != 0 {
		if r[kept[0]] == 0 {
			return
		}
		maps.DeleteFunc(r, func(name string, _ uint64) bool { return !slices.Contains(kept, name) })
	}
	// The tables are the same for all processors.
	r["cr3"], r["ttbr0_el1"] = s.RootTable, s.RootTable
	r["irql"] = uint64(s.Processors[cpu].IRQL)
	t.registers[cpu] = r
}

func registersAMD64(r *dump.RegistersAMD64) kd.Registers {
	return kd.Registers{
		"rax": r.AX, "rbx": r.BX, "rcx": r.CX, "rdx": r.DX, "rsi": r.SI, "rdi": r.DI, "rbp": r.BP, "rsp": r.SP,
		"r8": r.R8, "r9": r.R9, "r10": r.R10, "r11": r.R11, "r12": r.R12, "r13": r.R13, "r14": r.R14, "r15": r.R15,
		"rip": r.IP, "eflags": r.Flags, "cs": r.CS, "ss": r.SS, "ds": r.DS, "es": r.ES, "fs": r.FS, "gs": r.GS,
		"fs_base": r.FSBase, "gs_base": r.GSBase,
	}
}

func registersARM64(r *dump.RegistersARM64) kd.Registers {
	regs := kd.Registers{"sp": r.SP, "pc": r.PC, "cpsr": r.PState}
	for n, v := range r.X {
		regs[fmt.Sprintf("x%d", n)] = v
	}
	return regs
}

// Close closes the file.
func (t *Target) Close() error { return t.dump.Close() }

// CPUs implements kd.Target.
func (t *Target) CPUs() int { return int(t.dump.Stop.CPUs) }

// ReadMemory implements kd.Target.
func (t *Target) ReadMemory(addr uint64, b []byte) error {
	_, err := t.dump.ReadAt(b, addr)
	if errors.Is(err, load.ErrNotHeld) {
		return kd.ErrNotInDump
	}
	return err
}

// Registers implements kd.Target.
func (t *Target) Registers(cpu int) (kd.Registers, error) {
	r, ok := t.registers[cpu]
	if !ok {
		return nil, fmt.Errorf("the dump has no registers of CPU %d: it did not answer when the machine was stopped", cpu)
	}
	return r, nil
}

// BugCheck implements kd.Stopped.
func (t *Target) BugCheck() (kd.BugCheck, bool) {
	s := &t.dump.Stop
	return kd.BugCheck{Code: s.Code, CPU: int(s.CPU), Parameters: s.Parameters, Text: text(s.Text[:]),
		Thread: fmt.Sprintf("%d %s", s.ThreadID, text(s.ThreadName[:]))}, true
}

// Describe implements kd.Described.
func (t *Target) Describe() []string {
	s := &t.dump.Stop
	size := uint64(0)
	for _, m := range t.dump.Segments {
		size += m.Size
	}
	return []string{
		fmt.Sprintf("Dump of kind %s: %d KiB of memory in %d ranges", s.Kind.Name(), size>>10, len(t.dump.Segments)),
		fmt.Sprintf("Written on %s", time.Unix(s.Time, 0).UTC().Format(time.DateTime+" UTC")),
		fmt.Sprintf("%d CPUs, the registers of %d; thread %d %s on CPU %d stopped the machine", s.CPUs, bits.OnesCount32(s.Answered), s.ThreadID, text(s.ThreadName[:]), s.CPU),
	}
}

// Check reports an image that is not the program that the dump is of.
func (t *Target) Check(image string) error {
	f, err := elf.Open(image)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.Machine != t.dump.Machine {
		return fmt.Errorf("%s is for %v, the dump is of %v", image, f.Machine, t.dump.Machine)
	}
	id, err := load.ImageID(f)
	if err != nil {
		return fmt.Errorf("%s: %w", image, err)
	}
	if id != t.dump.Stop.ImageID {
		return fmt.Errorf("%s is not the program that the dump is of: it was built from other sources, or with other flags", image)
	}
	return nil
}

func text(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}

// Arch returns the architecture of the machine, under its Go name.
func (t *Target) Arch() qemu.Arch {
	if t.dump.Machine == elf.EM_AARCH64 {
		return qemu.ARM64
	}
	return qemu.AMD64
}
