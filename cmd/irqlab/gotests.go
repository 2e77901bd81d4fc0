package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"irqlab/image"
	"irqlab/internal/gotests"
	"irqlab/qemu"
)

// Limits on one program and on one package's tests.
const (
	programLimit = 10 * time.Minute
	suiteLimit   = 30 * time.Minute
)

func gotestsCommand() *subcommand {
	t := &goTests{}
	fs := newFlagSet("gotests")
	t.machine.register(fs)
	// Some of the runtime's tests use hundreds of megabytes.
	t.machine.Memory = 2 << 30
	fs.Lookup("mem").DefValue = t.machine.Memory.String()
	fs.BoolVar(&t.short, "short", false, "run a representative selection")
	fs.IntVar(&t.workers, "p", runtime.NumCPU(), "how many machines run at a `time`")
	return &subcommand{
		name:  "gotests",
		usage: "gotests [flags] [package or prefix of a program's name ...]",
		help:  "run the Go distribution's own tests inside the machine",
		long: "These are the tests of standard library packages and the \"// run\" programs of\n" +
			"GOROOT/test. Without names it runs all of them; names are such as sync,\n" +
			"test/chan/ or test/ken/array.go. Packages run with go test's -short. It must run\n" +
			"in the irqlab module.",
		flags: fs,
		run: func(ctx context.Context, args []string) error {
			names, _, err := parse(fs, args)
			if err != nil {
				return err
			}
			if err := t.machine.Check(); err != nil {
				return &usageError{"gotests", err}
			}
			if t.workers < 1 {
				return &usageError{"gotests", fmt.Errorf("%d machines at a time run nothing (-p)", t.workers)}
			}
			if _, err := qemu.Find(t.machine.Arch); err != nil {
				return err
			}
			return t.run(ctx, names)
		},
	}
}

// goTests runs the Go distribution's tests and counts what becomes of them.
type goTests struct {
	machine machineFlags
	short   bool
	workers int

	goc    *goCommand
	dir    string // for binaries
	counts map[string]int
}

func (t *goTests) run(ctx context.Context, names []string) (err error) {
	if t.goc, err = newGoCommand(ctx, t.machine.Arch); err != nil {
		return err
	}
	if err := t.goc.checkModule(ctx); err != nil {
		return err
	}
	if t.dir, err = os.MkdirTemp("", "irqlab"); err != nil {
		return err
	}
	defer os.RemoveAll(t.dir)
	t.counts = make(map[string]int)

	selected := func(name string, short bool) bool {
		if len(names) == 0 {
			return short || !t.short
		}
		return slices.ContainsFunc(names, func(n string) bool {
			return name == n || strings.HasPrefix(n, "test/") && strings.HasPrefix(name, n)
		})
	}
	for _, s := range gotests.SuitesFor(string(t.machine.Arch), t.short) {
		if selected(s.Package, s.Short) {
			if err := t.suite(ctx, &s); err != nil {
				return err
			}
		}
	}
	t.goc.tags = nil
	programs, err := gotests.Programs(t.goc.goroot, string(t.machine.Arch))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("this Go installation comes without its tests (%w); use one from https://go.dev/dl", err)
	}
	if err != nil {
		return err
	}
	programs = slices.DeleteFunc(programs, func(p gotests.Program) bool { return !selected(p.Name, p.Short()) })
	if err := t.programs(ctx, programs); err != nil {
		return err
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", t.counts["pass"], t.counts["FAIL"], t.counts["skip"])
	switch {
	case t.counts["FAIL"] > 0:
		return guestStatus(1)
	case len(t.counts) == 0:
		return fmt.Errorf("nothing is called %s", strings.Join(names, " or "))
	}
	return nil
}

// report prints one outcome: pass, FAIL or skip.
func (t *goTests) report(outcome, name, why string) {
	t.counts[outcome]++
	if why != "" {
		name += " (" + strings.Join(strings.Fields(why), " ") + ")"
	}
	fmt.Println(outcome, name)
}

// suite runs the tests of a standard library package, all in one machine.
func (t *goTests) suite(ctx context.Context, s *gotests.Suite) error {
	t.goc.tags = s.Tags
	if _, err := t.goc.testPackages(ctx, []string{s.Package}); err != nil {
		return err
	}
	flags, err := t.goc.flags()
	if err != nil {
		return err
	}
	elf := filepath.Join(t.dir, "suite")
	cmd := t.goc.command(ctx, slices.Concat([]string{"test", "-c", "-vet=off", "-o", elf}, flags, []string{s.Package})...)
	if err := cmd.Run(); err != nil {
		return buildError(ctx, err)
	}
	args := []string{"-test.v", "-test.short", "-test.paniconexit0", "-test.timeout=" + suiteLimit.String()}
	if p := s.Pattern(); p != "" {
		args = append(args, "-test.skip="+p)
	}
	for _, skip := range s.Skip {
		t.report("skip", s.Package+"."+skip.Test, skip.Why)
	}
	output, err := t.boot(ctx, elf, args, suiteLimit+testGrace)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	failed := false
	for _, r := range gotests.Results(output) {
		name := s.Package + "." + r.Test
		switch r.Status {
		case "PASS":
			t.report("pass", name, "")
		case "SKIP":
			t.report("skip", name, r.Detail)
		default:
			failed = true
			t.report("FAIL", name, "")
			fmt.Println(r.Detail)
		}
	}
	if err != nil && !failed {
		t.report("FAIL", s.Package, err.Error())
		fmt.Print(output)
	}
	return nil
}

// programs builds the programs in batches, since one go command for many is
// much faster than many, and boots each in a machine of its own.
func (t *goTests) programs(ctx context.Context, programs []gotests.Program) error {
	const batch = 40
	var alike []gotests.Program // share their build flags
	flush := func() error {
		err := t.batch(ctx, alike)
		alike = nil
		return err
	}
	for _, p := range programs {
		if p.Skip != "" {
			t.report("skip", p.Name, p.Skip)
			continue
		}
		if len(alike) == batch || len(alike) > 0 && !slices.Equal(alike[0].Flags, p.Flags) {
			if err := flush(); err != nil {
				return err
			}
		}
		alike = append(alike, p)
	}
	return flush()
}

func (t *goTests) batch(ctx context.Context, programs []gotests.Program) error {
	if len(programs) == 0 {
		return nil
	}
	elfs, failure, err := t.build(ctx, programs)
	if err != nil {
		return err
	}
	problems := make([]error, len(programs))
	next := make(chan int)
	var workers sync.WaitGroup
	for range t.workers {
		workers.Go(func() {
			for i := range next {
				problems[i] = t.program(ctx, &programs[i], elfs[i])
			}
		})
	}
	for i := range programs {
		next <- i
	}
	close(next)
	workers.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i, p := range programs {
		switch {
		case problems[i] == nil:
			t.report("pass", p.Name, "")
		case errors.Is(problems[i], os.ErrNotExist):
			t.report("FAIL", p.Name, "it does not build")
			fmt.Print(failure)
			failure = ""
		default:
			t.report("FAIL", p.Name, "")
			fmt.Println(problems[i])
		}
	}
	return nil
}

// build links the programs. Each becomes a package of this module by way of
// the overlay. Those that do not build leave no file behind, and failure says
// why.
func (t *goTests) build(ctx context.Context, programs []gotests.Program) (elfs []string, failure string, err error) {
	const root = "zz_gotests"
	module, err := t.goc.moduleDir(ctx)
	if err != nil {
		return nil, "", err
	}
	config := t.goc.overlay.Clone()
	var patterns []string
	for _, p := range programs {
		name := strings.NewReplacer("/", "_", ".go", "").Replace(p.Name)
		dir := filepath.Join(module, root, name)
		for _, f := range p.Files {
			config.Replace[filepath.Join(dir, filepath.Base(f))] = f
		}
		if err := config.Add(filepath.Join(dir, entryFile), entrySource("main")); err != nil {
			return nil, "", err
		}
		patterns = append(patterns, "./"+root+"/"+name)
		elfs = append(elfs, filepath.Join(t.dir, name))
	}
	flags, err := t.goc.flagsWith(config)
	if err != nil {
		return nil, "", err
	}
	var stderr bytes.Buffer
	cmd := t.goc.command(ctx, slices.Concat([]string{"build"}, programs[0].Flags, flags,
		[]string{"-o", t.dir + string(filepath.Separator)}, patterns)...)
	cmd.Dir, cmd.Stderr = module, &stderr
	// A program that does not build is told by its missing binary.
	if err := cmd.Run(); err != nil && ctx.Err() != nil {
		return nil, "", ctx.Err()
	}
	return elfs, stderr.String(), nil
}

// program boots one program and compares what it prints.
func (t *goTests) program(ctx context.Context, p *gotests.Program, elf string) error {
	defer os.Remove(elf)
	output, err := t.boot(ctx, elf, p.Args, programLimit)
	if err != nil {
		return fmt.Errorf("%s%w", output, err)
	}
	// A guest that ends in mid-line ends the line before its exit status.
	if output != p.Want && output != p.Want+"\n" {
		return fmt.Errorf("it printed\n%s\ninstead of\n%s", output, p.Want)
	}
	return nil
}

// boot runs a linked program in a machine and returns its console. A guest
// that exits with anything but 0 is an error.
func (t *goTests) boot(ctx context.Context, elf string, args []string, limit time.Duration) (string, error) {
	img := elf + ".img"
	if _, err := image.Write(img, elf); err != nil {
		return "", err
	}
	defer os.Remove(img)
	noInput, err := qemu.StdinOption(nil)
	if err != nil {
		return "", err
	}
	// test/env.go expects some PATH.
	cmdline, err := t.machine.cmdline(args, noInput, "PATH=/bin")
	if err != nil {
		return "", err
	}
	var out, stderr bytes.Buffer
	status, err := t.machine.Run(ctx, img, cmdline, qemu.Console{Out: &out, Err: &stderr, HideExit: true}, limit)
	if err == nil && status != 0 {
		err = guestStatus(status)
	}
	return out.String() + stderr.String(), err
}
