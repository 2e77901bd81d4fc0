package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// noteEntry is XEN_ELFNOTE_PHYS32_ENTRY: the note's descriptor is the 32-bit
// physical address at which a PVH loader enters the program (Xen,
// public/elfnote.h). It has 8 bytes, as Linux writes it: QEMU reads that many
// (hw/i386/x86.c, read_pvh_start_addr), and crashes where the file ends before.
const noteEntry = 18

// Sizes and offsets in an ELF64 file (System V ABI, "Object Files").
const (
	headerSize   = 64
	phentsize    = 56
	offPhoff     = 32
	offPhentsize = 54
	offPhnum     = 56
)

// addPVHNote makes QEMU boot the program by the PVH protocol. A program header
// for the note must be found among those the linker wrote, since the space
// behind them is taken; PT_GNU_STACK says nothing to a kernel.
func addPVHNote(b []byte, entry uint64) ([]byte, error) {
	if entry>>32 != 0 {
		return nil, fmt.Errorf("entry %#x lies above 4 GiB, PVH enters in 32-bit mode", entry)
	}
	header, err := findProg(b, elf.PT_GNU_STACK)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	note := le.AppendUint32(nil, 4) // length of the name
	note = le.AppendUint32(note, 8) // length of the descriptor
	note = le.AppendUint32(note, noteEntry)
	note = append(note, "Xen\x00"...)
	note = le.AppendUint64(note, entry)

	const align = 4
	b = append(b, make([]byte, -len(b)&(align-1))...)
	prog := elf.Prog64{
		Type:   uint32(elf.PT_NOTE),
		Flags:  uint32(elf.PF_R),
		Off:    uint64(len(b)),
		Filesz: uint64(len(note)),
		Memsz:  uint64(len(note)),
		Align:  align,
	}
	var w bytes.Buffer
	binary.Write(&w, le, &prog) // a bytes.Buffer takes everything
	copy(b[header:], w.Bytes())
	return append(b, note...), nil
}

// findProg returns the file offset of the first program header of a type.
func findProg(b []byte, t elf.ProgType) (uint64, error) {
	le := binary.LittleEndian
	if len(b) < headerSize {
		return 0, fmt.Errorf("truncated ELF header")
	}
	off, n := le.Uint64(b[offPhoff:]), uint64(le.Uint16(b[offPhnum:]))
	if size := le.Uint16(b[offPhentsize:]); size != phentsize {
		return 0, fmt.Errorf("program headers of %d bytes, want %d", size, phentsize)
	}
	if off > uint64(len(b)) || n*phentsize > uint64(len(b))-off {
		return 0, fmt.Errorf("truncated program headers")
	}
	for ; n > 0; n, off = n-1, off+phentsize {
		if elf.ProgType(le.Uint32(b[off:])) == t {
			return off, nil
		}
	}
	return 0, fmt.Errorf("no %v program header to spare", t)
}
