// Package qemu is the host's side of a running irqlab kernel: it builds QEMU's
// command line, encodes the kernel's, carries the console, and decides from
// QEMU's exit status and the console's last line how the guest ended.
//
// It runs on the host only; nothing in an image imports it.
package qemu

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Limits and defaults of a machine.
const (
	MaxCPUs       = 8
	DefaultCPUs   = 2
	DefaultMemory = 128 << 20
)

// Machine describes the computer to emulate. The zero value of a field means
// its default; an empty Arch is AMD64.
type Machine struct {
	Arch   Arch
	Type   string  // QEMU machine type with its options; default q35 or virt; virt gets a GICv3
	Model  string  // CPU model; default max
	CPUs   int     // 1 to MaxCPUs
	Memory Size    // bytes
	Accel  string  // QEMU accelerator; default tcg
	Seed   *uint64 // reproducible run: all of the machine's time is counted in instructions
	Resets bool    // the machine may reset; else that ends the run
	Disk   string  // file with the disk's contents; none if empty
	GDB    string  // host:port of a gdb stub; the machine then waits for the debugger
	Extra  []string

	// Debugger, if set, is QEMU's end of a connection between its gdb stub and a
	// debugger, which the machine waits for. Run closes it.
	Debugger *os.File
}

// Check reports settings that QEMU or the kernel would reject, or accept and
// quietly not honour.
func (m *Machine) Check() error {
	if m.CPUs < 1 || m.CPUs > MaxCPUs {
		return fmt.Errorf("%d CPUs: irqlab runs on 1 to %d (-cpus)", m.CPUs, MaxCPUs)
	}
	if m.Seed != nil && !strings.HasPrefix(m.accel(), "tcg") {
		return fmt.Errorf("accelerator %s cannot repeat a run: -seed needs -accel tcg", m.Accel)
	}
	if gic, ok := m.option("gic-version"); m.isVirt() && ok && gic == "2" {
		return fmt.Errorf("machine %s: the kernel drives a GICv3 only: leave gic-version out", m.Type)
	}
	return nil
}

// Unused is how much of the memory the kernel will not use: on q35, what QEMU puts
// above 4 GiB. That is all above 2 GiB, if the memory does not fit below 2.75 GiB
// (pc_q35_init in QEMU's hw/i386/pc_q35.c).
func (m *Machine) Unused() Size {
	const fits, low Size = 0xb000_0000, 2 << 30
	if m.Arch == ARM64 || m.Memory < fits {
		return 0
	}
	return m.Memory - low
}

// isVirt reports whether the machine is QEMU's virt, of whatever version.
func (m *Machine) isVirt() bool {
	name, _, _ := strings.Cut(or(m.Type, m.defaultType()), ",")
	return m.Arch == ARM64 && (name == "virt" || strings.HasPrefix(name, "virt-"))
}

// option returns an option of the machine type.
func (m *Machine) option(name string) (value string, ok bool) {
	for o := range strings.SplitSeq(m.Type, ",") {
		if value, ok = strings.CutPrefix(o, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// machineType is the type with what the kernel needs of it.
func (m *Machine) machineType() string {
	if m.Type == "" {
		return m.defaultType()
	}
	if _, ok := m.option("gic-version"); m.isVirt() && !ok {
		return m.Type + ",gic-version=3"
	}
	return m.Type
}

func (m *Machine) accel() string {
	if m.Accel == "" {
		return "tcg"
	}
	return m.Accel
}

// Args is QEMU's command line, without the program's name, for booting image
// with the given encoded kernel command line. The console is QEMU's standard
// input and output.
func (m *Machine) Args(image, cmdline string) []string {
	args := []string{"-M", m.machineType()}
	args = append(args, m.timing()...)
	args = append(args,
		"-cpu", or(m.Model, "max"),
		"-m", m.Memory.String(),
		"-smp", strconv.Itoa(m.CPUs),
		"-nodefaults", "-display", "none",
	)
	if !m.Resets {
		args = append(args, "-no-reboot")
	}
	args = append(args, "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console")
	// What carries the guest's exit status to QEMU's.
	if m.Arch == ARM64 {
		args = append(args, "-semihosting-config", "enable=on,target=native")
	} else {
		args = append(args, "-device", "isa-debug-exit,iobase=0xf4,iosize=4")
	}
	args = append(args, m.disk()...)
	if m.GDB != "" {
		args = append(args, "-gdb", "tcp:"+m.GDB, "-S")
	}
	if m.Debugger != nil {
		args = append(args, "-chardev", fmt.Sprintf("socket,id=debugger,fd=%d", debuggerFD), "-gdb", "chardev:debugger", "-S")
	}
	args = append(args, m.Extra...)
	args = append(args, "-kernel", image)
	if cmdline != "" {
		args = append(args, "-append", cmdline)
	}
	return args
}

// debuggerFD is QEMU's descriptor of Machine.Debugger: the first that os/exec adds
// to the standard ones.
const debuggerFD = 3

// disk attaches the disk by the interface that the kernel drives: virtio without
// its legacy registers.
func (m *Machine) disk() []string {
	if m.Disk == "" {
		return nil
	}
	args := []string{"-drive", "if=none,id=disk,format=raw,file=" + strings.ReplaceAll(m.Disk, ",", ",,")}
	if m.Arch == ARM64 {
		return append(args, "-global", "virtio-mmio.force-legacy=false", "-device", "virtio-blk-device,drive=disk")
	}
	return append(args, "-device", "virtio-blk-pci,drive=disk,disable-legacy=on")
}

func (m *Machine) defaultType() string {
	if m.Arch == ARM64 {
		return "virt,gic-version=3"
	}
	return "q35"
}

// timing selects how guest time passes. With a seed, QEMU counts instructions
// and runs the CPUs in turns, so that a run repeats to the bit; the seed picks
// the length of an instruction, which moves every interrupt. Without one, each
// CPU is a host thread.
func (m *Machine) timing() []string {
	if m.Seed != nil {
		return []string{
			"-accel", m.accel(),
			"-icount", fmt.Sprintf("shift=%d,sleep=off", m.shift()),
			"-rtc", "base=2026-01-01T00:00:00,clock=vm",
		}
	}
	accel := m.accel()
	if accel == "tcg" {
		accel = "tcg,thread=multi"
	}
	return []string{"-accel", accel, "-rtc", "base=utc"}
}

// shift is the length of an instruction under a seed, as a power of two of
// nanoseconds.
func (m *Machine) shift() uint64 { return *m.Seed % 8 }

// GuestTime bounds how much time may pass in the guest while d passes on a host
// that emulates an instruction in a nanosecond, which is faster than any does.
func (m *Machine) GuestTime(d time.Duration) time.Duration {
	if m.Seed == nil {
		return d
	}
	return d << m.shift()
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
