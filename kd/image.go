package kd

import (
	"cmp"
	"debug/dwarf"
	"debug/elf"
	"debug/gosym"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Image is the program that runs on the machine: its code, symbols and types. It is
// for one goroutine at a time: types are read as they are asked for.
type Image struct {
	Path string

	file    *elf.File
	loads   []*elf.Prog // what is loaded
	text    [2]uint64   // where its code begins and ends
	machine *machine
	symbols []Symbol // by address
	names   map[string]int
	lines   *gosym.Table
	dwarf   *dwarf.Data // nil if there is none
	index   *index      // of dwarf
	frames  *frameTable
}

// Symbol is a function or variable.
type Symbol struct {
	Name string
	Addr uint64
	Size uint64
	Code bool
}

// Open reads an image or a linked program.
func Open(path string) (*Image, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", path, err)
	}
	i := &Image{Path: path, file: f}
	if err := i.load(); err != nil {
		f.Close()
		return nil, fmt.Errorf("image %s: %w", path, err)
	}
	return i, nil
}

// Close closes the file.
func (i *Image) Close() error { return i.file.Close() }

// Arch returns the architecture that the image is for.
func (i *Image) Arch() Arch { return i.machine.arch }

func (i *Image) load() error {
	switch i.file.Machine {
	case elf.EM_X86_64:
		i.machine = machines[AMD64]
	case elf.EM_AARCH64:
		i.machine = machines[ARM64]
	default:
		return fmt.Errorf("machine %v is not one irqlab runs on", i.file.Machine)
	}
	for _, p := range i.file.Progs {
		if p.Type == elf.PT_LOAD {
			i.loads = append(i.loads, p)
		}
	}
	if err := i.loadSymbols(); err != nil {
		return err
	}
	if err := i.loadLines(); err != nil {
		return err
	}
	data, err := i.file.DWARF()
	if err != nil || data.Reader() == nil {
		return nil
	}
	if i.file.Section(".debug_info") != nil {
		i.dwarf = data
		if i.index, err = newIndex(data); err != nil {
			return fmt.Errorf("DWARF: %w", err)
		}
	}
	return i.loadFrames()
}

func (i *Image) loadSymbols() error {
	list, err := i.file.Symbols()
	if err != nil {
		return fmt.Errorf("symbol table: %w", err)
	}
	for _, s := range list {
		t := elf.ST_TYPE(s.Info)
		if s.Name == "" || s.Section == elf.SHN_UNDEF || t != elf.STT_FUNC && t != elf.STT_OBJECT {
			continue
		}
		i.symbols = append(i.symbols, Symbol{strings.TrimSuffix(s.Name, ".abi0"), s.Value, s.Size, t == elf.STT_FUNC})
	}
	if len(i.symbols) == 0 {
		return errors.New("no symbols")
	}
	slices.SortStableFunc(i.symbols, func(a, b Symbol) int { return cmp.Compare(a.Addr, b.Addr) })
	i.names = make(map[string]int, len(i.symbols))
	for n, s := range i.symbols {
		// An assembly function and its wrapper share a name; the function has it.
		if old, ok := i.names[s.Name]; !ok || i.symbols[old].Size < s.Size {
			i.names[s.Name] = n
		}
	}
	return nil
}

func (i *Image) loadLines() error {
	table, text := i.file.Section(".gopclntab"), i.file.Section(".text")
	if table == nil || text == nil {
		return errors.New("not a Go program")
	}
	b, err := table.Data()
	if err != nil {
		return err
	}
	i.text = [2]uint64{text.Addr, text.Addr + text.Size}
	start := text.Addr
	if s, ok := i.Symbol("runtime.text"); ok {
		start = s.Addr
	}
	i.lines, err = gosym.NewTable(nil, gosym.NewLineTable(b, start))
	return err
}

// Symbol finds a symbol by its full name.
func (i *Image) Symbol(name string) (Symbol, bool) {
	n, ok := i.names[name]
	if !ok {
		return Symbol{}, false
	}
	return i.symbols[n], true
}

// Nearest returns the symbol at or before an address that reaches up to it.
func (i *Image) Nearest(addr uint64) (Symbol, bool) {
	n := sort.Search(len(i.symbols), func(n int) bool { return i.symbols[n].Addr > addr })
	for n--; n >= 0; n-- {
		s := i.symbols[n]
		if addr < s.Addr+max(s.Size, 1) {
			return s, true
		}
		if s.Size != 0 {
			break
		}
	}
	if f := i.lines.PCToFunc(addr); f != nil && addr < f.End {
		return Symbol{f.Name, f.Entry, f.End - f.Entry, true}, true
	}
	return Symbol{}, false
}

// Matching returns the symbols whose name a pattern with * and ? fits.
func (i *Image) Matching(pattern string) []Symbol {
	var found []Symbol
	for _, s := range i.symbols {
		if match(pattern, s.Name) {
			found = append(found, s)
		}
	}
	return found
}

// match reports whether a name fits a pattern in which * stands for any text
// and ? for one character. Slashes are nothing special.
func match(pattern, name string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			for pattern != "" && pattern[0] == '*' {
				pattern = pattern[1:]
			}
			for n := 0; n <= len(name); n++ {
				if match(pattern, name[n:]) {
					return true
				}
			}
			return false
		case name == "", pattern[0] != '?' && pattern[0] != name[0]:
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return name == ""
}

// read fills b from what the file holds of the given address, and reports
// whether it holds all of it.
func (i *Image) read(addr uint64, b []byte) bool {
	for _, p := range i.loads {
		if addr >= p.Vaddr && addr+uint64(len(b)) <= p.Vaddr+p.Filesz {
			n, err := p.ReadAt(b, int64(addr-p.Vaddr))
			return err == nil && n == len(b)
		}
	}
	return false
}

// constant reports whether the image's memory at addr cannot have changed.
func (i *Image) constant(addr uint64) bool {
	for _, p := range i.loads {
		if p.Flags&elf.PF_W == 0 && addr >= p.Vaddr && addr < p.Vaddr+p.Filesz {
			return true
		}
	}
	return false
}

// inText reports whether addr is the address of code.
func (i *Image) inText(addr uint64) bool {
	return addr >= i.text[0] && addr < i.text[1]
}
