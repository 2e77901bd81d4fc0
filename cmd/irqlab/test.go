package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"irqlab/internal/resident"
	"irqlab/qemu"
)

func testCommand() *subcommand {
	var m machineFlags
	fs := newFlagSet("test")
	m.registerTest(fs)
	return &subcommand{
		name:  "test",
		usage: "test [flags] [packages] [flags of go test]",
		help:  "run Go tests inside the machine",
		long: "Each test binary is booted as a kernel. It is built with the tag irqlab: test files\n" +
			"that need the kernel are marked //go:build irqlab. Everything that is not one of\n" +
			"the flags below goes to go test: -run, -v, -json, -bench, -count, -timeout, ...\n" +
			"A -cpu with numbers only is go test's; any other is the CPU model.\n" +
			"With several numbers of CPUs, -cpus 1,2,4, a binary is booted on each in turn,\n" +
			"until it fails.",
		flags: fs,
		run: func(ctx context.Context, args []string) error {
			own, rest, err := splitTestArgs(args)
			if err != nil {
				return &usageError{"test", err}
			}
			if err := fs.Parse(own); err != nil {
				return usageOrHelp("test", err)
			}
			for _, m.CPUs = range m.counts {
				if err := m.Check(); err != nil {
					return &usageError{"test", err}
				}
			}
			if _, err := qemu.Find(m.Arch); err != nil {
				return err
			}
			return goTest(ctx, &m, rest)
		},
	}
}

// goTest runs go test with this tool to execute the binaries.
func goTest(ctx context.Context, m *machineFlags, args []string) error {
	g, err := newGoCommand(ctx, m.Arch)
	if err != nil {
		return err
	}
	asked := args
	g.tags, args = takeTags(args)
	if err := g.checkModule(ctx); err != nil {
		return err
	}
	args, patterns, binaryArgs := splitPatterns(args)
	if !slices.ContainsFunc(args, func(a string) bool { name, _, _ := flagName(a); return name == "p" }) {
		// What tests say about time suffers when there are too many machines
		// (hostRoom). More packages are built meanwhile, or wait.
		if m.room == "" {
			dir, err := os.MkdirTemp("", "irqlab")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			m.room = room(dir)
		}
		args = append(args, fmt.Sprintf("-p=%d", runtime.NumCPU()+2))
	}
	pkgs, err := g.testPackages(ctx, patterns)
	if err != nil || len(pkgs) == 0 {
		return err
	}
	flags, err := g.flags()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	executor := append([]string{quote(self), "exec", "-room=" + string(m.room)}, m.argv()...)
	for i, w := range executor[2:] {
		executor[2+i] = quote(w)
	}
	// The vet that go test runs first cannot load a package that exists only
	// in an overlay.
	flags = append(flags, "-vet=off")
	cmd := g.command(ctx, slices.Concat([]string{"test"}, flags,
		[]string{"-exec=" + strings.Join(executor, " ")}, args, pkgs, binaryArgs)...)
	cmd.Stdout = os.Stdout
	err = cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if m.Seed != nil {
		fmt.Fprintf(os.Stderr, "repeat with: irqlab test %s\n", shellWords(slices.Concat(m.argv(), asked)))
	}
	return guestStatus(max(exit.ExitCode(), 1))
}

// quote protects a word from go's splitting of -exec, which knows quotes but
// no escapes.
func quote(w string) string {
	switch {
	case !strings.ContainsAny(w, " \t\n'\""):
		return w
	case !strings.Contains(w, "'"):
		return "'" + w + "'"
	default:
		return `"` + w + `"`
	}
}

// shellWords joins words to a line that a shell takes apart into the same ones.
func shellWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%") != "" {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted[i] = w
	}
	return strings.Join(quoted, " ")
}

// testPackages makes every test that the patterns name import the kernel, and
// returns the packages to test.
func (g *goCommand) testPackages(ctx context.Context, patterns []string) ([]string, error) {
	pkgs, err := g.list(ctx, patterns...)
	if err != nil {
		return nil, err
	}
	program, err := g.list(ctx, append([]string{"-deps", "-test"}, patterns...)...)
	if err != nil {
		return nil, err
	}
	if err := g.addTamaGo(program); err != nil {
		return nil, err
	}
	var paths []string
	for _, p := range pkgs {
		if len(p.TestGoFiles) > 0 && slices.Contains(resident.Packages, p.ImportPath) {
			// Tests inside the package would be compiled as resident code.
			fmt.Fprintf(os.Stderr, "?   \t%s\t[resident code: go test runs its tests on the host]\n", p.ImportPath)
			continue
		}
		if p.ImportPath == "command-line-arguments" {
			return patterns, nil // files, which import the kernel themselves or do not link
		}
		paths = append(paths, p.ImportPath)
		// The go command refuses overlays in the module cache; tests there
		// must import the kernel themselves.
		if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 || within(p.Dir, g.modules) {
			continue
		}
		if err := g.overlay.Add(filepath.Join(p.Dir, "zz_irqlab_test.go"), entrySource(p.Name+"_test")); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// ownTestFlags are the flags of irqlab test that take a value.
var ownTestFlags = []string{"arch", "cpus", "mem", "seed", "accel", "machine", "disk", "env", "opt", "qemu", "room"}

// takenFlags are flags of go test that carry the kernel.
var takenFlags = map[string]string{
	"exec":         "irqlab test boots the binaries itself",
	"overlay":      "irqlab test has an overlay of its own",
	"ldflags":      "the linker's flags place the kernel",
	"c":            "use irqlab test without it, or irqlab build",
	"o":            "use irqlab test without it, or irqlab build",
	"race":         "the race detector needs an operating system",
	"cover":        noFiles,
	"coverprofile": noFiles,
	"covermode":    noFiles,
	"coverpkg":     noFiles,
}

const noFiles = "the machine has no file system for its result"

// splitTestArgs separates the tool's flags from go test's.
func splitTestArgs(args []string) (own, rest []string, err error) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		name, value, hasValue := flagName(a)
		if name == "args" {
			return own, append(rest, args[i:]...), nil
		}
		if why, ok := takenFlags[name]; ok {
			return nil, nil, fmt.Errorf("-%s cannot be given: %s", name, why)
		}
		switch {
		case name == "h" || name == "help":
			return []string{a}, nil, nil
		case name == "" || hasValue || boolTestFlags[name]:
		case i+1 < len(args):
			i++
			value = args[i]
		default:
			return nil, nil, fmt.Errorf("flag needs an argument: -%s", name)
		}
		isOwn := slices.Contains(ownTestFlags, name) ||
			name == "cpu" && strings.Trim(value, "0123456789,") != ""
		switch {
		case isOwn:
			own = append(own, "-"+name+"="+value)
		case name == "" || hasValue || boolTestFlags[name]:
			rest = append(rest, a)
		default:
			rest = append(rest, a, value)
		}
	}
	return own, rest, nil
}

// boolTestFlags are the flags of go test that stand alone. Every other flag
// takes the next word for its value.
var boolTestFlags = map[string]bool{
	"a": true, "asan": true, "benchmem": true, "failfast": true, "fullpath": true, "json": true,
	"linkshared": true, "modcacherw": true, "msan": true, "n": true, "short": true,
	"trimpath": true, "v": true, "work": true, "x": true, "artifacts": true, "buildvcs": true,
}

// flagName takes a flag apart; a word that is none has no name.
func flagName(a string) (name, value string, hasValue bool) {
	if len(a) < 2 || a[0] != '-' || a == "--" {
		return "", "", false
	}
	a = strings.TrimPrefix(a[1:], "-")
	name, value, hasValue = strings.Cut(a, "=")
	return strings.TrimPrefix(name, "test."), value, hasValue
}

// splitPatterns takes the packages out of go test's arguments. What follows
// -args, with it, is the test binary's.
func splitPatterns(args []string) (flags, patterns, binaryArgs []string) {
	for i := 0; i < len(args); i++ {
		name, _, hasValue := flagName(args[i])
		switch {
		case name == "args":
			return flags, patterns, args[i:]
		case name == "":
			patterns = append(patterns, args[i])
		case !hasValue && !boolTestFlags[name] && i+1 < len(args):
			flags = append(flags, args[i], args[i+1])
			i++
		default:
			flags = append(flags, args[i])
		}
	}
	return flags, patterns, nil
}

// takeTags removes -tags from go test's arguments. The tool sets tags of its
// own, and only the last such flag counts.
func takeTags(args []string) (tags, rest []string) {
	for i := 0; i < len(args); i++ {
		name, value, hasValue := flagName(args[i])
		switch {
		case name == "args":
			return tags, append(rest, args[i:]...)
		case name != "tags":
			rest = append(rest, args[i])
			continue
		case !hasValue && i+1 < len(args):
			i++
			value = args[i]
		}
		tags = append(tags, strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	return tags, rest
}
