package main

import (
	"context"
	"fmt"
)

// overlayCommand serves tools that load the kernel's packages without building
// a kernel, such as go vet.
func overlayCommand() *subcommand {
	var m machineFlags
	fs := newFlagSet("overlay")
	m.registerArch(fs)
	return &subcommand{
		name:     "overlay",
		usage:    "overlay",
		long:     "overlay prints the path for the go command's -overlay flag with which TamaGo's packages compile.",
		flags:    fs,
		internal: true,
		run: func(ctx context.Context, args []string) error {
			if _, _, err := parse(fs, args); err != nil {
				return err
			}
			g, err := newGoCommand(ctx, m.Arch)
			if err != nil {
				return err
			}
			path, err := g.overlay.Write()
			if err != nil {
				return err
			}
			fmt.Println(path)
			return nil
		},
	}
}
