package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"irqlab/kd"
	"irqlab/qemu"
)

// runLimit bounds a run that nobody watches.
const runLimit = 10 * time.Minute

func runCommand() *subcommand {
	var m machineFlags
	fs := newFlagSet("run")
	m.register(fs)
	fs.BoolVar(&m.Resets, "restart", false, "start the machine anew after a stop")
	fs.DurationVar(&m.timeout, "timeout", 0, "end the run after this `time` (default none on a terminal, else 10m)")
	debugger := debuggerFlag(auto)
	fs.Var(&debugger, "kd", "kernel debugger on the console: `on`, off, or auto, which is on at a terminal")
	return &subcommand{
		name:  "run",
		usage: "run [flags] <package> [-- program arguments]",
		help:  "boot a main package on its kernel",
		long: "The guest's console is on the terminal; Ctrl-A X leaves, Ctrl-A B breaks into the\n" +
			"kernel debugger, as a bug check does (docs/kd.md). Piped input reaches the guest\n" +
			"unaltered; with -kd, Ctrl-A is special there too. The exit status is the guest's,\n" +
			"124 after a timeout, and 125 for any other failure.",
		flags: fs,
		run: func(ctx context.Context, args []string) error {
			words, program, err := parse(fs, args)
			if err != nil {
				return err
			}
			if err := m.Check(); err != nil {
				return &usageError{"run", err}
			}
			if n := m.Unused(); n > 0 {
				fmt.Fprintf(os.Stderr, "irqlab: the kernel will not use %v of the memory, which q35 puts above 4G (docs/caveats.md)\n", n)
			}
			if _, err := qemu.Find(m.Arch); err != nil {
				return err
			}
			p, err := build(ctx, "run", &m, words)
			if err != nil {
				return err
			}
			return boot(ctx, &m, p.image, program, runLimit, debugger.wanted())
		},
	}
}

// debuggerFlag says whether the kernel debugger shares the console.
type debuggerFlag string

const (
	on   = "on"
	off  = "off"
	auto = "auto"
)

func (f *debuggerFlag) String() string { return string(*f) }

// IsBoolFlag makes -kd mean -kd=on.
func (f *debuggerFlag) IsBoolFlag() bool { return true }

// Set implements flag.Value.
func (f *debuggerFlag) Set(s string) error {
	switch s {
	case "true":
		s = on
	case "false":
		s = off
	case on, off, auto:
	default:
		return errors.New("it is on, off or auto")
	}
	*f = debuggerFlag(s)
	return nil
}

func (f *debuggerFlag) wanted() bool {
	if *f == auto {
		return qemu.IsTerminal(os.Stdin) && qemu.IsTerminal(os.Stdout)
	}
	return *f == on
}

// boot runs an image with the tool's own input and output as its console, and if
// wanted with the kernel debugger there. Unless a user says otherwise, unattended
// limits a run that no user watches.
func boot(ctx context.Context, m *machineFlags, image string, program []string, unattended time.Duration, debugger bool) error {
	in := os.Stdin
	var options []string
	limit := m.timeout
	if !qemu.IsTerminal(os.Stdin) {
		if limit == 0 {
			limit = unattended
		}
		if m.Seed == nil {
			options = append(options, qemu.PipedInput)
		} else {
			option, err := seededInput(os.Stdin)
			if err != nil {
				return err
			}
			options = append(options, option)
			in = nil
		}
	}
	cmdline, err := m.cmdline(program, options...)
	if err != nil {
		return err
	}
	run := m.bootPlain
	if debugger {
		run = m.bootConsole
	}
	status, err := run(ctx, image, cmdline, in, limit)
	if err == nil && status != 0 {
		err = guestStatus(status)
	}
	return err
}

// bootPlain runs an image with its console only.
func (m *machineFlags) bootPlain(ctx context.Context, image, cmdline string, in *os.File, limit time.Duration) (status int, err error) {
	console := qemu.Console{Out: os.Stdout, Err: os.Stderr}
	if in != nil {
		console.In = in
		console.Keys = qemu.IsTerminal(in)
		console.Piped = !console.Keys
		if console.Keys {
			console.Raw = qemu.IsTerminal(os.Stdout)
			restore, err := qemu.RawMode(in)
			if err != nil {
				return 0, err
			}
			defer restore()
		}
	}
	return m.start(ctx, image, cmdline, console, limit)
}

// bootConsole runs an image with the kernel debugger on its console.
func (m *machineFlags) bootConsole(ctx context.Context, path, cmdline string, in *os.File, limit time.Duration) (status int, err error) {
	image, err := kd.Open(path)
	if err != nil {
		return 0, err
	}
	defer image.Close()
	s, err := newSession(in, true)
	if err != nil {
		return 0, err
	}
	defer s.close()
	status, ended, err := m.bootDebugged(ctx, image, cmdline, s, limit)
	if ended != nil {
		err = ended
	}
	return status, err
}

// seededInput reads piped input for a run that must repeat.
func seededInput(r io.Reader) (option string, err error) {
	var input bytes.Buffer
	if _, err := input.ReadFrom(io.LimitReader(r, qemu.MaxCmdline)); err != nil && !errors.Is(err, os.ErrClosed) {
		return "", err
	}
	return qemu.StdinOption(input.Bytes())
}
