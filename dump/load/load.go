// Package load reads crash dumps, on the host.
package load

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"irqlab/dump"
)

// Dump is an open crash dump.
type Dump struct {
	Machine  elf.Machine
	Stop     dump.Stop
	AMD64    []dump.PRStatusAMD64 // registers of the processors, on x86-64
	ARM64    []dump.PRStatusARM64 // on ARM64
	Added    []Added              // data that drivers added
	Segments []Segment

	file   io.ReaderAt
	closer io.Closer
}

// Added is a block of data that a driver added to the dump
// (KbCallbackSecondaryDumpData).
type Added struct {
	GUID [16]byte
	Data []byte
}

// Segment is a range of memory that the dump holds.
type Segment struct {
	Virtual, Physical uint64
	Size              uint64
	Offset            int64 // in the file
}

// ErrNotHeld is the error of a read from memory that the dump does not hold.
var ErrNotHeld = errors.New("memory is not in the dump")

// Open opens a dump file.
func Open(name string) (*Dump, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	d, err := Read(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d.closer = f
	return d, nil
}

// Close closes what Open opened.
func (d *Dump) Close() error {
	if d.closer == nil {
		return nil
	}
	return d.closer.Close()
}

// Read reads the description of a dump; its memory is read when asked for.
func Read(r io.ReaderAt) (*Dump, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return nil, fmt.Errorf("not a crash dump: %w", err)
	}
	if f.Type != elf.ET_CORE {
		return nil, fmt.Errorf("not a crash dump: ELF type %v", f.Type)
	}
	d := &Dump{Machine: f.Machine, file: r}
	found := false
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_LOAD:
			d.Segments = append(d.Segments, Segment{p.Vaddr, p.Paddr, p.Filesz, int64(p.Off)})
		case elf.PT_NOTE:
			b := make([]byte, p.Filesz)
			if _, err := p.ReadAt(b, 0); err != nil {
				return nil, fmt.Errorf("notes: %w", err)
			}
			stop, err := d.notes(b)
			if err != nil {
				return nil, err
			}
			found = found || stop
		}
	}
	if !found {
		return nil, errors.New("a core file, but not one of irqlab: it has no note of a stop")
	}
	return d, nil
}

// notes reads a note segment and reports whether it has the stop.
func (d *Dump) notes(b []byte) (stop bool, err error) {
	for len(b) >= dump.NoteOverhead {
		name, size := int(binary.LittleEndian.Uint32(b)), int(binary.LittleEndian.Uint32(b[4:]))
		kind := binary.LittleEndian.Uint32(b[8:])
		at := dump.NoteOverhead + (name+3)&^3
		end := at + (size+3)&^3
		if name < 0 || size < 0 || end > len(b) {
			return stop, errors.New("a note runs beyond its segment")
		}
		owner, content := string(bytes.TrimRight(b[dump.NoteOverhead:dump.NoteOverhead+name], "\x00")), b[at:at+size]
		b = b[end:]
		switch {
		case owner == dump.CoreOwner && kind == dump.TypePRStatus:
			err = d.registers(content)
		case owner == dump.Owner && kind == dump.TypeStop:
			// A later version has more; an earlier one would have less.
			padded := make([]byte, max(size, binary.Size(d.Stop)))
			copy(padded, content)
			_, err = binary.Decode(padded, binary.LittleEndian, &d.Stop)
			stop = true
		case owner == dump.Owner && kind == dump.TypeSecondary && size >= 16:
			d.Added = append(d.Added, Added{[16]byte(content), content[16:]})
		}
		if err != nil {
			return stop, err
		}
	}
	return stop, nil
}

func (d *Dump) registers(content []byte) error {
	switch d.Machine {
	case elf.EM_X86_64:
		var s dump.PRStatusAMD64
		if _, err := binary.Decode(content, binary.LittleEndian, &s); err != nil {
			return err
		}
		d.AMD64 = append(d.AMD64, s)
	case elf.EM_AARCH64:
		var s dump.PRStatusARM64
		if _, err := binary.Decode(content, binary.LittleEndian, &s); err != nil {
			return err
		}
		d.ARM64 = append(d.ARM64, s)
	default:
		return fmt.Errorf("a dump of machine %v, which irqlab does not run on", d.Machine)
	}
	return nil
}

// ReadAt reads memory at a virtual address. It stops where the dump holds no
// more, with ErrNotHeld.
func (d *Dump) ReadAt(b []byte, va uint64) (n int, err error) {
	for n < len(b) {
		s := d.find(va, func(s *Segment) uint64 { return s.Virtual })
		if s == nil {
			return n, ErrNotHeld
		}
		at := va - s.Virtual
		part := min(uint64(len(b)-n), s.Size-at)
		m, err := d.file.ReadAt(b[n:n+int(part)], s.Offset+int64(at))
		n += m
		va += uint64(m)
		if err != nil && (err != io.EOF || uint64(m) < part) {
			return n, err
		}
	}
	return n, nil
}

// ReadPhysical reads memory at a physical address, within one segment.
func (d *Dump) ReadPhysical(b []byte, pa uint64) (n int, err error) {
	s := d.find(pa, func(s *Segment) uint64 { return s.Physical })
	if s == nil || pa-s.Physical+uint64(len(b)) > s.Size {
		return 0, ErrNotHeld
	}
	return d.file.ReadAt(b, s.Offset+int64(pa-s.Physical))
}

func (d *Dump) find(addr uint64, base func(*Segment) uint64) *Segment {
	for i := range d.Segments {
		if s := &d.Segments[i]; addr-base(s) < s.Size && addr >= base(s) {
			return s
		}
	}
	return nil
}

// ImageID computes what Stop.ImageID would be for a program, the file that the
// linker made or its image.
func ImageID(f *elf.File) (uint64, error) {
	symbols, err := f.Symbols()
	if err != nil {
		return 0, err
	}
	var text, end uint64
	for _, s := range symbols {
		switch s.Name {
		case "runtime.text":
			text = s.Value
		case "runtime.etext":
			end = s.Value
		}
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && text != 0 && p.Vaddr <= text && end <= p.Vaddr+p.Filesz {
			b := make([]byte, (end-text)&^7)
			if _, err := p.ReadAt(b, int64(text-p.Vaddr)); err != nil {
				return 0, err
			}
			return dump.ImageID(func(i int) uint64 { return binary.LittleEndian.Uint64(b[i*8:]) }, len(b)/8), nil
		}
	}
	return 0, errors.New("the program has no text")
}
