package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"irqlab/image"
)

func buildCommand() *subcommand {
	var m machineFlags
	fs := newFlagSet("build")
	m.registerArch(fs)
	out := fs.String("o", "", "image `file` to write (default the package's name with .img)")
	return &subcommand{
		name:  "build",
		usage: "build [flags] <package>",
		help:  "build a bootable image of a main package",
		flags: fs,
		run: func(ctx context.Context, args []string) error {
			words, program, err := parse(fs, args)
			if err != nil {
				return err
			}
			if len(program) > 0 {
				return &usageError{"build", fmt.Errorf("arguments after -- belong to irqlab run")}
			}
			p, err := build(ctx, "build", &m, words)
			if err != nil {
				return err
			}
			if *out == "" {
				*out = p.name + ".img"
			}
			_, err = image.Write(*out, p.elf)
			return err
		},
	}
}

// program is a built main package.
type program struct {
	name       string
	elf, image string
	goroot     string
}

// build builds the main package that the words name: an import path, a
// directory, or Go files of one.
func build(ctx context.Context, command string, m *machineFlags, words []string) (*program, error) {
	if err := checkWords(command, words); err != nil {
		return nil, err
	}
	g, err := newGoCommand(ctx, m.Arch)
	if err != nil {
		return nil, err
	}
	p, hasEntry, err := g.mainPackage(ctx, words)
	if err != nil {
		return nil, err
	}
	sources := words
	if !hasEntry {
		if err := g.checkModule(ctx); err != nil {
			return nil, err
		}
		if err := g.overlay.Add(filepath.Join(p.Dir, entryFile), entrySource("main")); err != nil {
			return nil, err
		}
		if strings.HasSuffix(words[0], ".go") {
			sources = append(slices.Clone(words), filepath.Join(filepath.Dir(words[0]), entryFile))
		}
	}

	// One place per program and architecture, so that the linker runs only
	// when something changed. There, kd finds the program of a dump, too.
	id := sha256.Sum256([]byte(strings.Join(append(words, p.Dir), "\x00")))
	builds := filepath.Join(g.cache, string(m.Arch))
	prune(builds, time.Now().Add(-keepBuilds))
	dir := filepath.Join(builds, fmt.Sprintf("%.8x", id))
	unlock, err := lock(dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	name := imageName(words, p)
	prog := &program{name: name, elf: filepath.Join(dir, name+".elf"), image: filepath.Join(dir, name+".img"), goroot: g.goroot}
	flags, err := g.flags()
	if err != nil {
		return nil, err
	}
	cmd := g.command(ctx, slices.Concat([]string{"build"}, flags, []string{"-o", prog.elf}, sources)...)
	cmd.Stdout = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, buildError(ctx, err)
	}
	if err := os.WriteFile(filepath.Join(dir, sourceFile), []byte(p.Dir), 0o666); err != nil {
		return nil, err
	}
	_, err = image.Write(prog.image, prog.elf)
	return prog, err
}

// sourceFile says, beside a program that was built, where its package is.
const sourceFile = "source"

func checkWords(command string, words []string) error {
	if len(words) == 0 {
		return &usageError{command, fmt.Errorf("name the main package, such as ./demos/mutex")}
	}
	isFile := func(w string) bool { return strings.HasSuffix(w, ".go") }
	if len(words) > 1 && !(isFile(words[0]) && !slices.ContainsFunc(words, func(w string) bool { return !isFile(w) })) {
		return &usageError{command, fmt.Errorf("one package at a time, not %q; arguments for the program go after --", words)}
	}
	return nil
}

// buildError describes a failed go command, whose own words are already on
// standard error.
func buildError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("the program does not build")
	}
	return err
}

// mainPackage finds the package the words name and whether it already imports
// the kernel.
func (g *goCommand) mainPackage(ctx context.Context, words []string) (p pkg, hasEntry bool, err error) {
	pkgs, err := g.list(ctx, append([]string{"-deps"}, words...)...)
	if err != nil {
		return p, false, err
	}
	if err := errors.Join(checkSums(pkgs), g.addTamaGo(pkgs)); err != nil {
		return p, false, err
	}
	found := 0
	for _, q := range pkgs {
		if q.ImportPath == entryPackage {
			hasEntry = true
		}
		if !q.DepOnly {
			p, found = q, found+1
		}
	}
	switch {
	case found != 1:
		return p, false, fmt.Errorf("%s names %d packages; name one main package", strings.Join(words, " "), found)
	case (p.Dir == "" || len(p.GoFiles) == 0) && p.Error != nil:
		return p, false, errors.New(p.Error.Err)
	case p.Name != "main" && p.Name != "":
		return p, false, fmt.Errorf("%s is package %s, not a main package: it can be tested (irqlab test) but not run",
			p.ImportPath, p.Name)
	}
	return p, hasEntry, nil
}
