package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"irqlab/internal/resident"
	"irqlab/internal/residentcheck"
)

func checkImageCommand() *subcommand {
	var m machineFlags
	fs := newFlagSet("check-image")
	m.registerArch(fs)
	return &subcommand{
		name:  "check-image",
		usage: "check-image [flags] [image ...]",
		help:  "prove that resident code is resident",
		long: "Reports every function of a resident package that can reach the Go allocator, its\n" +
			"scheduler or a write barrier. Without images it builds and checks one that holds\n" +
			"all the resident code of the kernel.",
		flags: fs,
		run: func(ctx context.Context, args []string) error {
			images, _, err := parse(fs, args)
			if err != nil {
				return err
			}
			if len(images) == 0 {
				dir, err := os.MkdirTemp("", "irqlab")
				if err != nil {
					return err
				}
				defer os.RemoveAll(dir)
				images = []string{filepath.Join(dir, "kernel.elf")}
				if err := buildWholeKernel(ctx, &m, images[0]); err != nil {
					return err
				}
			}
			return checkImages(images)
		},
	}
}

func checkImages(images []string) error {
	found := 0
	for _, path := range images {
		violations, functions, err := residentcheck.Check(path, resident.Packages)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, v := range violations {
			fmt.Println(v)
		}
		if len(violations) == 0 {
			fmt.Printf("%s: %d functions are fit for any IRQL\n", filepath.Base(path), functions)
		}
		found += len(violations)
	}
	if found > 0 {
		return fmt.Errorf("resident code breaks its rules in %d places", found)
	}
	return nil
}

// buildWholeKernel links a program in which the linker finds nothing of the
// resident packages to leave out.
func buildWholeKernel(ctx context.Context, m *machineFlags, path string) error {
	g, err := newGoCommand(ctx, m.Arch)
	if err != nil {
		return err
	}
	if err := g.checkModule(ctx); err != nil {
		return err
	}
	module, err := g.moduleDir(ctx)
	if err != nil {
		return err
	}
	pkgs, err := g.list(ctx, resident.Packages...)
	if err != nil {
		return err
	}
	var sources []residentcheck.Source
	for _, p := range pkgs {
		if p.Error != nil {
			return errors.New(p.Error.Err)
		}
		s := residentcheck.Source{Path: p.ImportPath}
		for _, f := range p.GoFiles {
			s.Files = append(s.Files, filepath.Join(p.Dir, f))
		}
		sources = append(sources, s)
	}
	whole, err := residentcheck.Whole(sources)
	if err != nil {
		return err
	}
	const dir = "zz_kernel"
	if err := g.overlay.Add(filepath.Join(module, dir, "main.go"), whole); err != nil {
		return err
	}
	flags, err := g.flags()
	if err != nil {
		return err
	}
	cmd := g.command(ctx, slices.Concat([]string{"build"}, flags, []string{"-o", path, "./" + dir})...)
	cmd.Dir = module
	if err := cmd.Run(); err != nil {
		return buildError(ctx, err)
	}
	return nil
}
