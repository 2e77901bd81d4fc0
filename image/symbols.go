package image

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// words maps data words of the kernel to the runtime functions whose addresses
// they receive. The linker refuses references to these functions from outside
// the runtime.
var words = map[string]string{
	"irqlab/arch.symAsyncSafePoint": "runtime.isAsyncSafePoint",
	"irqlab/arch.symDebugCall":      "runtime.debugCallV2",
}

// readSymbols returns the program's symbols with their addresses.
func readSymbols(f *elf.File) (map[string]uint64, error) {
	list, err := f.Symbols()
	if err != nil {
		return nil, fmt.Errorf("symbol table: %w (linked with -s?)", err)
	}
	symbols := make(map[string]uint64, len(list))
	for _, s := range list {
		symbols[s.Name] = s.Value
	}
	return symbols, nil
}

// patchSymbols fills the words that the program contains.
func patchSymbols(b []byte, f *elf.File, symbols map[string]uint64) error {
	for word, function := range words {
		at, ok := symbols[word]
		if !ok {
			continue
		}
		target, ok := symbols[function]
		if !ok {
			return fmt.Errorf("%s wants the address of %s, which is not in the program", word, function)
		}
		off, err := fileOffset(f, at, 8)
		if err != nil {
			return fmt.Errorf("%s: %w", word, err)
		}
		binary.LittleEndian.PutUint64(b[off:], target)
	}
	return nil
}

// fileOffset finds where the n bytes at a virtual address lie in the file.
func fileOffset(f *elf.File, addr, n uint64) (uint64, error) {
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && addr >= p.Vaddr && addr+n <= p.Vaddr+p.Filesz {
			return p.Off + addr - p.Vaddr, nil
		}
	}
	return 0, fmt.Errorf("address %#x has no bytes in the file; give the variable an initial value", addr)
}
