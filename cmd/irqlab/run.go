package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"

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
	return &subcommand{
		name:  "run",
		usage: "run [flags] <package> [-- program arguments]",
		help:  "boot a main package on its kernel",
		long: "The guest's console is on the terminal; Ctrl-A X leaves. Piped input reaches the\n" +
			"guest unaltered and ends with a Ctrl-D. The exit status is the guest's, 124 after\n" +
			"a timeout, and 125 for any other failure.",
		flags: fs,
		run: func(ctx context.Context, args []string) error {
			words, program, err := parse(fs, args)
			if err != nil {
				return err
			}
			if err := m.Check(); err != nil {
				return &usageError{"run", err}
			}
			if _, err := qemu.Find(m.Arch); err != nil {
				return err
			}
			p, err := build(ctx, "run", &m, words)
			if err != nil {
				return err
			}
			return boot(ctx, &m, p.image, program, runLimit)
		},
	}
}

// boot runs an image with the tool's own input and output as its console.
// Unless a user says otherwise, unattended limits a run that no user watches.
func boot(ctx context.Context, m *machineFlags, image string, program []string, unattended time.Duration) error {
	console := qemu.Console{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	var options []string
	limit := m.timeout
	if qemu.IsTerminal(os.Stdin) {
		console.Keys, console.Raw = true, qemu.IsTerminal(os.Stdout)
		restore, err := qemu.RawMode(os.Stdin)
		if err != nil {
			return err
		}
		defer restore()
	} else {
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
			console.In = nil
		}
	}
	cmdline, err := m.cmdline(program, options...)
	if err != nil {
		return err
	}
	status, err := m.start(ctx, image, cmdline, console, limit)
	if err != nil {
		return err
	}
	if status != 0 {
		return guestStatus(status)
	}
	return nil
}

// seededInput reads piped input for a run that must repeat.
func seededInput(r io.Reader) (option string, err error) {
	var input bytes.Buffer
	if _, err := input.ReadFrom(io.LimitReader(r, qemu.MaxCmdline)); err != nil && !errors.Is(err, os.ErrClosed) {
		return "", err
	}
	return qemu.StdinOption(input.Bytes())
}
