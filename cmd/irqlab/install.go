package main

import (
	"context"
	"os"

	"irqlab/qemu"
)

func installCommand() *subcommand {
	fs := newFlagSet("install-qemu")
	return &subcommand{
		name:     "install-qemu",
		usage:    "install-qemu",
		long:     "install-qemu installs QEMU if it is missing, with apt-get as root or by sudo. On other\nsystems it says how to.",
		flags:    fs,
		internal: true,
		run: func(ctx context.Context, args []string) error {
			if _, _, err := parse(fs, args); err != nil {
				return err
			}
			return qemu.Install(ctx, os.Stderr)
		},
	}
}
