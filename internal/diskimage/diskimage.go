// Package diskimage makes the files that hold a machine's disk, and fetches crash
// dumps from them, on the host.
package diskimage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"irqlab/disk/layout"
	"irqlab/dump/load"
)

// Make makes an empty disk of size bytes. It takes no room on the host until it is
// written to.
func Make(name string, size int64) error {
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

// Open opens a disk of irqlab and returns its header.
func Open(name string, flag int) (*os.File, *layout.Header, error) {
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

// Dump is a crash dump that was on a disk.
type Dump struct{ layout.File }

// Fetch copies the oldest dump of a disk to a file, which must not exist, and marks
// it as fetched.
func Fetch(disk, out string) (*Dump, error) {
	f, h, err := Open(disk, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fetched := false
	for _, a := range []layout.Area{h.DumpFile, h.PageFile} {
		var d Dump
		if err := readAt(f, a.Offset, &d.File); err != nil {
			return nil, fmt.Errorf("%s: %w", disk, err)
		}
		if d.Magic != layout.FileMagic || d.Length > a.Room() {
			continue
		}
		fetched = fetched || d.State == layout.Read
		if d.State != layout.Unread {
			continue
		}
		if err := copyDump(out, io.NewSectionReader(f, int64(a.Offset)+layout.PageSize, int64(d.Length))); err != nil {
			return nil, err
		}
		d.State = layout.Read
		if err := writeAt(f, a.Offset, d.File); err != nil {
			return nil, fmt.Errorf("%s: %w", disk, err)
		}
		return &d, nil
	}
	if fetched {
		return nil, fmt.Errorf("%s holds no dump but one that was fetched before", disk)
	}
	return nil, fmt.Errorf("%s holds no dump", disk)
}

// copyDump writes the dump to a new file, whole or not at all. A dump that
// cannot be read is one that should not count as fetched.
func copyDump(name string, r *io.SectionReader) (err error) {
	if _, err := load.Read(r); err != nil {
		return fmt.Errorf("the dump on the disk is damaged: %w", err)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists; move it away or name another file (-o)", name)
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(name)
	}
	return err
}
