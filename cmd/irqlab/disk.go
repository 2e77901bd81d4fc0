package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"irqlab/disk/layout"
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
		return makeDisk(m.Disk, diskSize(m.Memory))
	}
	if err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	f, _, err := openDisk(m.Disk, os.O_RDONLY)
	if err != nil {
		return err
	}
	return f.Close()
}

func diskSize(memory qemu.Size) int64 { return 2*(int64(memory)+dumpExtra) + layout.PageSize }

// makeDisk makes an empty disk of size bytes.
func makeDisk(name string, size int64) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	h := layout.Make(uint64(size))
	err = f.Truncate(size)
	for _, part := range []struct {
		offset uint64
		v      any
	}{
		{0, h},
		{h.PageFile.Offset, layout.File{Magic: layout.FileMagic}},
		{h.DumpFile.Offset, layout.File{Magic: layout.FileMagic}},
	} {
		if err == nil {
			err = writeAt(f, part.offset, part.v)
		}
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(name)
		return fmt.Errorf("disk: %w", err)
	}
	return nil
}

func writeAt(f *os.File, offset uint64, v any) error {
	b, err := binary.Append(nil, binary.LittleEndian, v)
	if err == nil {
		_, err = f.WriteAt(b, int64(offset))
	}
	return err
}

func readAt(f *os.File, offset uint64, v any) error {
	b := make([]byte, binary.Size(v))
	if _, err := f.ReadAt(b, int64(offset)); err != nil {
		return err
	}
	_, err := binary.Decode(b, binary.LittleEndian, v)
	return err
}

// openDisk opens a disk of irqlab and returns its header.
func openDisk(name string, flag int) (*os.File, *layout.Header, error) {
	f, err := os.OpenFile(name, flag, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("disk: %w", err)
	}
	var h layout.Header
	info, err := f.Stat()
	if err == nil {
		err = readAt(f, 0, &h)
	}
	if err != nil || !h.Valid(uint64(info.Size())) {
		f.Close()
		return nil, nil, fmt.Errorf("%s is no disk that irqlab has made; give -disk a new file name, or an old disk of its own", name)
	}
	return f, &h, nil
}
