package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"irqlab/qemu"
)

func debugCommand() *subcommand {
	var m machineFlags
	fs := newFlagSet("debug")
	m.register(fs)
	fs.DurationVar(&m.timeout, "timeout", 0, "end the run after this `time` (default none)")
	port := fs.Int("port", 0, "TCP `port` of the gdb stub on 127.0.0.1 (default any free one)")
	attach := fs.Bool("attach", false, "do not start gdb: say how to, and give this terminal to the guest")
	return &subcommand{
		name:  "debug",
		usage: "debug [flags] <package> [-- program arguments]",
		help:  "boot a main package under gdb",
		long: "The machine stops before its first instruction and gdb connects to it, with the\n" +
			"program's Go symbols; the guest's output appears between gdb's. With -attach, or\n" +
			"without gdb, the machine waits for a debugger from elsewhere.",
		flags: fs,
		run: func(ctx context.Context, args []string) error {
			words, program, err := parse(fs, args)
			if err != nil {
				return err
			}
			if err := m.Check(); err != nil {
				return &usageError{"debug", err}
			}
			if _, err := qemu.Find(m.Arch); err != nil {
				return err
			}
			p, err := build(ctx, "debug", &m, words)
			if err != nil {
				return err
			}
			if m.GDB, err = loopback(*port); err != nil {
				return err
			}
			gdb := findGDB(ctx, m.Arch)
			if *attach || gdb == "" {
				return waitForDebugger(ctx, &m, p, program, gdb)
			}
			return debug(ctx, &m, p, program, gdb)
		},
	}
}

// loopback picks an address for the gdb stub, which gives its clients the
// whole machine: it must not be reachable from outside.
func loopback(port int) (string, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return "", fmt.Errorf("gdb stub: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// findGDB returns a gdb that knows the architecture, or "".
func findGDB(ctx context.Context, arch qemu.Arch) string {
	names, set := []string{"gdb", "gdb-multiarch"}, "set architecture i386:x86-64"
	if arch == qemu.ARM64 {
		names, set = []string{"gdb-multiarch", "aarch64-linux-gnu-gdb", "gdb"}, "set architecture aarch64"
	}
	for _, name := range names {
		out, err := exec.CommandContext(ctx, name, "-nx", "-batch", "-ex", set).CombinedOutput()
		if err == nil && !strings.Contains(string(out), "Undefined item") {
			return name
		}
	}
	return ""
}

func gdbArgs(m *machineFlags, p *program) []string {
	return []string{"-q",
		// Go's own extension: goroutines, strings, slices, maps.
		"-iex", "add-auto-load-safe-path " + filepath.Join(p.goroot, "src", "runtime"),
		"-ex", "set confirm off", "-ex", "target remote " + m.GDB, p.elf}
}

func waitForDebugger(ctx context.Context, m *machineFlags, p *program, args []string, gdb string) error {
	if gdb == "" {
		name := "gdb"
		if m.Arch == qemu.ARM64 {
			name = "gdb-multiarch"
		}
		gdb = name
		fmt.Fprintf(os.Stderr, "no gdb for %s found; on Debian: sudo apt-get install %s\n", m.Arch, name)
	}
	fmt.Fprintf(os.Stderr, "the machine waits for a debugger:\n\t%s\n", shellWords(append([]string{gdb}, gdbArgs(m, p)...)))
	return boot(ctx, m, p.image, args, 0, false)
}

// debug runs gdb in the foreground and the machine behind it until gdb ends.
func debug(ctx context.Context, m *machineFlags, p *program, args []string, gdb string) error {
	cmdline, err := m.cmdline(args)
	if err != nil {
		return err
	}
	if err := ensureDisk(m); err != nil { // gdb would only say that nobody answers
		return err
	}
	// Ctrl-C is gdb's: it stops the guest, not this tool.
	ctx, stop := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()

	type result struct {
		status int
		err    error
	}
	done := make(chan result, 1)
	go func() {
		status, err := m.start(ctx, p.image, cmdline, qemu.Console{Out: os.Stdout, Err: os.Stderr}, m.timeout)
		done <- result{status, err}
	}()

	cmd := exec.CommandContext(ctx, gdb, gdbArgs(m, p)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	gdbErr := cmd.Run()
	stop()
	// Unless the guest exited, the machine ended because gdb left or killed it,
	// or QEMU has said why it failed.
	if r := <-done; r.err == nil && r.status != 0 {
		return guestStatus(r.status)
	}
	return gdbErr
}
