package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"irqlab/image"
	"irqlab/qemu"
)

// Limits on a test binary. The guest's own -test.timeout should strike first:
// it says which test hangs.
const (
	testLimit = 5 * time.Minute
	testGrace = 30 * time.Second
)

func execCommand() *subcommand {
	var m machineFlags
	fs := newFlagSet("exec")
	m.registerTest(fs)
	fs.DurationVar(&m.timeout, "timeout", 0, "end the run after this `time` (default from -test.timeout)")
	return &subcommand{
		name:     "exec",
		usage:    "exec [flags] <linked program> [arguments]",
		long:     "exec boots a program that is linked as a kernel. It is what irqlab test gives to go test -exec.",
		flags:    fs,
		internal: true,
		run: func(ctx context.Context, args []string) error {
			if err := fs.Parse(args); err != nil {
				return &usageError{"exec", err}
			}
			if fs.NArg() == 0 {
				return &usageError{"exec", fmt.Errorf("name the linked program")}
			}
			return execBinary(ctx, &m, fs.Arg(0), fs.Args()[1:])
		},
	}
}

func execBinary(ctx context.Context, m *machineFlags, elf string, args []string) error {
	args, limit, err := testArgs(args, m.GuestTime)
	if err != nil {
		return err
	}
	if m.timeout > 0 {
		limit = m.timeout
	}
	dir, err := os.MkdirTemp("", "irqlab")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	img := filepath.Join(dir, "image")
	goarch, err := image.Write(img, elf)
	if err != nil {
		return err
	}
	if goarch != string(m.Arch) {
		return fmt.Errorf("%s is built for %s, the machine is %s (-arch)", elf, goarch, m.Arch)
	}
	noInput, err := qemu.StdinOption(nil)
	if err != nil {
		return err
	}
	cmdline, err := m.cmdline(args, noInput)
	if err != nil {
		return err
	}
	// The host decides when a disk answers: a run that repeats has none, unless it
	// is asked for.
	ownDisk := m.Disk == "" && m.Seed == nil
	for _, m.CPUs = range m.counts {
		if ownDisk {
			m.Disk = filepath.Join(dir, fmt.Sprintf("disk%d", m.CPUs))
		}
		status, err := m.startInRoom(ctx, img, cmdline, limit)
		if err == nil && status != 0 {
			err = guestStatus(status)
		}
		if err != nil {
			if len(m.counts) > 1 {
				fmt.Fprintf(os.Stderr, "this was with -cpus %d\n", m.CPUs)
			}
			return err
		}
	}
	return nil
}

// startInRoom runs the machine when the host has room for it.
func (m *machineFlags) startInRoom(ctx context.Context, img, cmdline string, limit time.Duration) (status int, err error) {
	if m.room != "" {
		leave, err := m.room.enter(ctx, m.CPUs)
		if err != nil {
			return 0, err
		}
		defer leave()
	}
	return m.start(ctx, img, cmdline, qemu.Console{Out: os.Stdout, Err: os.Stderr, HideExit: true}, limit)
}

// testArgs adapts a test binary's arguments to a machine without files, whose
// time may pass faster, and derives the time limit on the host from them.
func testArgs(args []string, guestTime func(time.Duration) time.Duration) (guest []string, limit time.Duration, err error) {
	limit = testLimit
	for _, a := range args {
		name, value, _ := strings.Cut(strings.TrimPrefix(a, "-test."), "=")
		if !strings.HasPrefix(a, "-test.") {
			name = ""
		}
		switch name {
		case "testlogfile":
			continue // for go test's cache; a run in a machine is never cached
		case "coverprofile", "cpuprofile", "memprofile", "blockprofile", "mutexprofile", "trace", "gocoverdir":
			return nil, 0, fmt.Errorf("-%s writes a file, and the machine has no file system", name)
		case "timeout":
			d, err := time.ParseDuration(value)
			if err != nil {
				return nil, 0, fmt.Errorf("%s: %w", a, err)
			}
			limit = 0 // -test.timeout=0 asks for none
			if d > 0 {
				limit = d + testGrace
				a = "-test.timeout=" + guestTime(d).String()
			}
		}
		guest = append(guest, a)
	}
	return guest, limit, nil
}
