// Package image turns an ELF file from the Go linker into one that QEMU's
// -kernel boots: it adds what the linker cannot be asked for.
package image

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
)

// Entry is the symbol at which a kernel is entered, on every architecture.
const Entry = "irqlab/arch.start"

// Write reads the linked program elfPath and writes the bootable image to
// path, whole or not at all: a machine may be booting from the old one. It
// returns the program's architecture under its Go name.
func Write(path, elfPath string) (goarch string, err error) {
	b, err := os.ReadFile(elfPath)
	if err != nil {
		return "", err
	}
	b, goarch, err = Convert(b)
	if err != nil {
		return "", fmt.Errorf("%s: %w", elfPath, err)
	}
	return goarch, replace(path, b)
}

func replace(path string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return err
}

// Convert makes a bootable image of a linked program. It may reuse b.
func Convert(b []byte) (image []byte, goarch string, err error) {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return nil, "", fmt.Errorf("not an ELF file: %w", err)
	}
	if f.Class != elf.ELFCLASS64 || f.Data != elf.ELFDATA2LSB || f.Type != elf.ET_EXEC {
		return nil, "", fmt.Errorf("not a static 64-bit little-endian executable")
	}
	symbols, err := readSymbols(f)
	if err != nil {
		return nil, "", err
	}
	if !entersKernel(symbols, f.Entry) {
		return nil, "", fmt.Errorf("not linked as an irqlab kernel (entry %#x is not %s); build it with irqlab", f.Entry, Entry)
	}
	if err := patchSymbols(b, f, symbols); err != nil {
		return nil, "", err
	}
	switch f.Machine {
	case elf.EM_X86_64:
		image, err = addPVHNote(b, f.Entry)
		return image, "amd64", err
	case elf.EM_AARCH64:
		return b, "arm64", nil // QEMU enters it at its ELF entry
	default:
		return nil, "", fmt.Errorf("machine %v is not one irqlab runs on", f.Machine)
	}
}

// entersKernel reports whether addr is the kernel's entry. The linker marks
// the assembly function's name if the program also holds a wrapper for calls
// from Go.
func entersKernel(symbols map[string]uint64, addr uint64) bool {
	for _, name := range []string{Entry, Entry + ".abi0"} {
		if at, ok := symbols[name]; ok && at == addr {
			return true
		}
	}
	return false
}
