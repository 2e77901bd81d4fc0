package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"irqlab/disk/layout"
	"irqlab/internal/diskimage"
	"irqlab/qemu"
)

// noDisk is the name of no disk, for machines that get one unasked.
const noDisk = "none"

// dumpExtra is what a complete dump needs besides the memory, at most: headers
// and notes.
const dumpExtra = 16 << 20

// start boots an image with the disk that the flags ask for; see qemu.Machine.Run.
func (m *machineFlags) start(ctx context.Context, image, cmdline string, c qemu.Console, limit time.Duration) (int, error) {
	if err := ensureDisk(m); err != nil {
		return 0, err
	}
	return m.Run(ctx, image, cmdline, c, limit)
}

// ensureDisk makes the disk that m names if there is none, large enough for a
// complete dump. It takes no room on the host until it is written to.
func ensureDisk(m *machineFlags) error {
	if m.Disk == noDisk {
		m.Disk = ""
	}
	if m.Disk == "" {
		return nil
	}
	_, err := os.Stat(m.Disk)
	if errors.Is(err, fs.ErrNotExist) {
		return diskimage.Make(m.Disk, diskSize(m.Memory))
	}
	if err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	f, _, err := diskimage.Open(m.Disk, os.O_RDONLY)
	if err != nil {
		return err
	}
	return f.Close()
}

func diskSize(memory qemu.Size) int64 { return 2*(int64(memory)+dumpExtra) + layout.PageSize }
