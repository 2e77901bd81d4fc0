package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"irqlab/qemu"
)

// machineFlags are the flags that describe the computer and what its kernel is
// told.
type machineFlags struct {
	qemu.Machine
	counts  []int // numbers of CPUs, if one machine after the other is asked for
	room    room  // shared with other runs, if any
	options words // kernel options and environment
	timeout time.Duration
}

// words is a flag that may be given more than once.
type words []string

func (w *words) String() string     { return strings.Join(*w, " ") }
func (w *words) Set(s string) error { *w = append(*w, s); return nil }

func newFlagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors are reported once, by report
	fs.Usage = func() {}
	return fs
}

func (m *machineFlags) register(fs *flag.FlagSet) {
	m.registerRest(fs)
	fs.Func("cpus", "number of CPUs, 1 to 8 (default 2)", func(s string) (err error) {
		if m.CPUs, err = strconv.Atoi(s); err != nil {
			return fmt.Errorf("not a number")
		}
		return nil
	})
}

// Check reports settings that do not make a machine.
func (m *machineFlags) Check() error {
	if m.timeout < 0 {
		return fmt.Errorf("a run cannot end after %v (-timeout)", m.timeout)
	}
	return m.Machine.Check()
}

// registerTest is register for tests, which run on one machine after the other if
// -cpus names several, as go test's -cpu does.
func (m *machineFlags) registerTest(fs *flag.FlagSet) {
	m.registerRest(fs)
	m.counts = []int{m.CPUs}
	fs.Func("cpus", "number of CPUs, 1 to 8, or several: `1,2,4` runs the tests on each (default 2)", m.setCounts)
	fs.StringVar((*string)(&m.room), "room", "", "machines with the same `directory` share the host's processors")
}

func (m *machineFlags) setCounts(s string) error {
	m.counts = nil
	for w := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(w)
		if err != nil {
			return fmt.Errorf("not a number, nor numbers with commas")
		}
		m.counts = append(m.counts, n)
	}
	m.CPUs = slices.Max(m.counts)
	return nil
}

func (m *machineFlags) registerRest(fs *flag.FlagSet) {
	m.registerArch(fs)
	m.CPUs, m.Memory = qemu.DefaultCPUs, qemu.DefaultMemory
	fs.Var(&m.Memory, "mem", "guest memory, such as 64M or 1G")
	fs.Func("seed", "repeat a run exactly: `N` decides its interrupt timing and schedule points", m.setSeed)
	fs.StringVar(&m.Accel, "accel", "tcg", "QEMU accelerator")
	fs.StringVar(&m.Model, "cpu", "max", "QEMU CPU `model`")
	fs.StringVar(&m.Disk, "disk", "", "`file` with the machine's disk, for paging and crash dumps; made if there is none")
	fs.StringVar(&m.Type, "machine", "", "QEMU machine `type` (default q35 or virt, with a GICv3)")
	fs.Func("env", "environment variable `NAME=value` for the guest; repeatable", m.setEnv)
	fs.Func("opt", "kernel option `name=value`: checks, dump, fault, special, specialat or verifier; repeatable", m.setOption)
	fs.Var((*words)(&m.Extra), "qemu", "one more `argument` for QEMU; repeatable")
}

func (m *machineFlags) registerArch(fs *flag.FlagSet) {
	m.Arch = qemu.AMD64
	fs.Var(&m.Arch, "arch", "architecture, amd64 or arm64")
}

func (m *machineFlags) setSeed(s string) error {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return fmt.Errorf("not a number from 0 up")
	}
	m.Seed = &n
	return nil
}

// The kernel tells its options from environment variables by the first letter.

func (m *machineFlags) setEnv(s string) error {
	if strings.IndexByte(s, '=') <= 0 || s[0] < 'A' || s[0] > 'Z' {
		return fmt.Errorf("write it as NAME=value, the name beginning with an upper-case letter")
	}
	m.options = append(m.options, s)
	return nil
}

func (m *machineFlags) setOption(s string) error {
	if err := checkOption(s); err != nil {
		return err
	}
	m.options = append(m.options, s)
	return nil
}

// cmdline assembles what the kernel is told.
func (m *machineFlags) cmdline(args []string, more ...string) (string, error) {
	options := slices.Concat(m.options, more)
	if m.Resets {
		options = append(options, "stop=restart")
	}
	if m.Seed != nil {
		options = append(options, fmt.Sprintf("seed=%d", *m.Seed))
	}
	return qemu.Cmdline{Options: options, Args: args}.Encode()
}

// argv gives the flags as they would be written on a command line, leaving out
// those that have their defaults.
func (m *machineFlags) argv() []string {
	cpus := strconv.Itoa(m.CPUs)
	if m.counts != nil {
		cpus = strings.ReplaceAll(strings.Trim(fmt.Sprint(m.counts), "[]"), " ", ",")
	}
	args := []string{"-arch=" + string(m.Arch), "-cpus=" + cpus, "-mem=" + m.Memory.String()}
	add := func(name, value, fallback string) {
		if value != fallback {
			args = append(args, "-"+name+"="+value)
		}
	}
	if m.Seed != nil {
		add("seed", strconv.FormatUint(*m.Seed, 10), "")
	}
	add("accel", m.Accel, "tcg")
	add("cpu", m.Model, "max")
	add("machine", m.Type, "")
	add("disk", m.Disk, "")
	for _, o := range m.options {
		if 'A' <= o[0] && o[0] <= 'Z' {
			add("env", o, "")
		} else {
			add("opt", o, "")
		}
	}
	for _, a := range m.Extra {
		add("qemu", a, "")
	}
	return args
}

// parse parses flags wherever they stand among the words. What follows a "--"
// is the guest program's.
func parse(fs *flag.FlagSet, args []string) (words, program []string, err error) {
	if i := slices.Index(args, "--"); i >= 0 {
		args, program = args[:i], args[i+1:]
	}
	for {
		if err := fs.Parse(args); err != nil {
			return nil, nil, usageOrHelp(fs.Name(), err)
		}
		args = fs.Args()
		if len(args) == 0 {
			return words, program, nil
		}
		words, args = append(words, args[0]), args[1:]
	}
}

func usageOrHelp(command string, err error) error {
	if err == flag.ErrHelp {
		return err
	}
	return &usageError{command, err}
}
