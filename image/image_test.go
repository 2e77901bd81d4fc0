package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	textAddr  = 0x201000
	entryAddr = textAddr + 0x10
)

// symbol is one of a synthetic program's.
type symbol struct {
	name string
	addr uint64
}

var kernelSymbols = []symbol{
	{Entry, entryAddr},
	{"irqlab/arch.symAsyncSafePoint", textAddr + 0x20},
	{"runtime.isAsyncSafePoint", 0x11223344},
	{"irqlab/arch.symDebugCall", textAddr + 0x28},
	{"runtime.debugCallV2", 0x55667788},
}

// program links a synthetic ELF file: one 64-byte segment at textAddr, a
// GNU_STACK header, and a symbol table.
func program(machine elf.Machine, entry uint64, symbols []symbol) []byte {
	le := binary.LittleEndian
	const (
		segment = headerSize + 2*phentsize
		size    = 64
	)
	strtab := []byte{0}
	var symtab bytes.Buffer
	binary.Write(&symtab, le, elf.Sym64{})
	for _, s := range symbols {
		binary.Write(&symtab, le, elf.Sym64{Name: uint32(len(strtab)), Value: s.addr, Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC), Shndx: 1})
		strtab = append(strtab, s.name+"\x00"...)
	}
	strtab = append(strtab, ".symtab\x00.strtab\x00"...)
	names := uint32(len(strtab))
	symOff := uint64(segment + size)
	strOff := symOff + uint64(symtab.Len())

	header := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Entry: entry,
		Phoff: headerSize, Ehsize: headerSize, Phentsize: phentsize, Phnum: 2,
		Shoff: strOff + uint64(len(strtab)), Shentsize: 64, Shnum: 3, Shstrndx: 2,
	}
	var b bytes.Buffer
	for _, v := range []any{
		header,
		elf.Prog64{Type: uint32(elf.PT_LOAD), Off: segment, Vaddr: textAddr, Paddr: textAddr, Filesz: size, Memsz: size},
		elf.Prog64{Type: uint32(elf.PT_GNU_STACK)},
		[size]byte{},
		symtab.Bytes(),
		strtab,
		elf.Section64{},
		elf.Section64{Name: names - 16, Type: uint32(elf.SHT_SYMTAB), Off: symOff, Size: uint64(symtab.Len()), Link: 2, Entsize: 24},
		elf.Section64{Name: names - 8, Type: uint32(elf.SHT_STRTAB), Off: strOff, Size: uint64(len(strtab))},
	} {
		binary.Write(&b, le, v)
	}
	return b.Bytes()
}

func TestConvertAMD64(t *testing.T) {
	b, goarch, err := Convert(program(elf.EM_X86_64, entryAddr, kernelSymbols))
	if err != nil || goarch != "amd64" {
		t.Fatal(goarch, err)
	}
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	note := f.Progs[1]
	got := make([]byte, note.Filesz)
	if _, err := note.ReadAt(got, 0); err != nil {
		t.Fatal(err)
	}
	want := []byte{4, 0, 0, 0, 8, 0, 0, 0, 18, 0, 0, 0, 'X', 'e', 'n', 0, 0x10, 0x10, 0x20, 0, 0, 0, 0, 0}
	if diff := cmp.Diff(want, got); note.Type != elf.PT_NOTE || diff != "" {
		t.Errorf("type %v, note (-want +got):\n%s", note.Type, diff)
	}
	var words [2]uint64
	text := f.Progs[0].Open()
	if _, err := text.Seek(0x20, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if err := binary.Read(text, binary.LittleEndian, &words); err != nil {
		t.Fatal(err)
	}
	if words != [2]uint64{0x11223344, 0x55667788} {
		t.Errorf("patched words %#x", words)
	}
}

func TestConvertARM64(t *testing.T) {
	in := program(elf.EM_AARCH64, entryAddr, kernelSymbols)
	b, goarch, err := Convert(bytes.Clone(in))
	if err != nil || goarch != "arm64" {
		t.Fatal(goarch, err)
	}
	if len(b) != len(in) {
		t.Errorf("the image has %d bytes, the program %d", len(b), len(in))
	}
}

func TestConvertWrapped(t *testing.T) {
	symbols := []symbol{{Entry, textAddr}, {Entry + ".abi0", entryAddr}}
	if _, _, err := Convert(program(elf.EM_X86_64, entryAddr, symbols)); err != nil {
		t.Error(err)
	}
}

func TestConvertErrors(t *testing.T) {
	good := func() []byte { return program(elf.EM_X86_64, entryAddr, kernelSymbols) }
	patched := func(off int, v byte) []byte { b := good(); b[off] = v; return b }
	tests := []struct {
		name string
		in   []byte
		say  string
	}{
		{"not ELF", []byte("#!/bin/sh\n"), "not an ELF"},
		{"empty", nil, ""},
		{"shared object", patched(16, byte(elf.ET_DYN)), "static"},
		{"ordinary program", program(elf.EM_X86_64, textAddr, kernelSymbols), "build it with irqlab"},
		{"no symbols", program(elf.EM_X86_64, entryAddr, nil), "build it with irqlab"},
		{"other machine", program(elf.EM_RISCV, entryAddr, kernelSymbols), "RISCV"},
		{"missing function", program(elf.EM_X86_64, entryAddr, kernelSymbols[:2]), "runtime.isAsyncSafePoint"},
		{"word without bytes", program(elf.EM_X86_64, entryAddr, []symbol{
			{Entry, entryAddr}, {"irqlab/arch.symDebugCall", textAddr + 60}, {"runtime.debugCallV2", 1}}), "initial value"},
		{"no spare header", patched(headerSize+phentsize, byte(elf.PT_NULL)), "GNU_STACK"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Convert(tt.in)
			if err == nil || !strings.Contains(err.Error(), tt.say) {
				t.Errorf("got %v, want an error about %q", err, tt.say)
			}
		})
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	elfPath, path := filepath.Join(dir, "p.elf"), filepath.Join(dir, "p.img")
	if _, err := Write(path, elfPath); err == nil {
		t.Error("a missing program was accepted")
	}
	if err := os.WriteFile(elfPath, program(elf.EM_X86_64, entryAddr, kernelSymbols), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := Write(path, elfPath); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}
