// Package residentcheck proves on a linked program that resident code is
// resident: that no function which may run at DISPATCH_LEVEL or above can
// allocate, block, or pass a pointer to the garbage collector's write barrier,
// and that the linker gives its package's variables their values. The compiler
// does not see to all of that, since each single allocation is legal Go.
//
// The proof follows direct calls, which is all that a linked program shows.
// What a resident function calls through a function value or an interface is
// not followed; such a callee is checked when it belongs to a resident package
// itself.
package residentcheck

import (
	"debug/elf"
	"debug/gosym"
	"fmt"
	"sort"
	"strings"
)

// program is a linked kernel, opened for inspection.
type program struct {
	machine   elf.Machine
	functions []*function // by address
	data      map[uint64]string
	lines     *gosym.Table
}

// function is one function's code.
type function struct {
	name string
	addr uint64
	code []byte
}

// openProgram reads an ELF file with its symbol table.
func openProgram(path string) (*program, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text := f.Section(".text")
	pclntab := f.Section(".gopclntab")
	if text == nil || pclntab == nil {
		return nil, fmt.Errorf("%s: not a linked Go program", path)
	}
	code, err := text.Data()
	if err != nil {
		return nil, err
	}
	table, err := pclntab.Data()
	if err != nil {
		return nil, err
	}
	symbols, err := f.Symbols()
	if err != nil {
		return nil, fmt.Errorf("%s: %w (linked with -s?)", path, err)
	}

	p := &program{machine: f.Machine, data: make(map[uint64]string)}
	for _, s := range symbols {
		switch elf.ST_TYPE(s.Info) {
		case elf.STT_FUNC:
			if start := s.Value - text.Addr; s.Value >= text.Addr && start+s.Size <= uint64(len(code)) {
				p.functions = append(p.functions, &function{s.Name, s.Value, code[start : start+s.Size]})
			}
		case elf.STT_OBJECT:
			p.data[s.Value] = s.Name
		}
	}
	sort.Slice(p.functions, func(i, j int) bool { return p.functions[i].addr < p.functions[j].addr })
	p.lines, err = gosym.NewTable(nil, gosym.NewLineTable(table, text.Addr))
	return p, err
}

// at returns the function that contains an address, or nil.
func (p *program) at(addr uint64) *function {
	i := sort.Search(len(p.functions), func(i int) bool { return p.functions[i].addr > addr }) - 1
	if i < 0 || addr-p.functions[i].addr >= uint64(len(p.functions[i].code)) {
		return nil
	}
	return p.functions[i]
}

// position names the source line of an address.
func (p *program) position(addr uint64) string {
	file, line, fn := p.lines.PCToLine(addr)
	if fn == nil {
		return fmt.Sprintf("%#x", addr)
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// packagePath returns the import path in a symbol's name. Type arguments may
// hold slashes and dots of their own, and methods begin with a dot.
func packagePath(symbol string) string {
	if i := strings.IndexByte(symbol, '['); i >= 0 {
		symbol = symbol[:i]
	}
	slash := strings.LastIndexByte(symbol, '/') + 1
	if i := strings.IndexByte(symbol[slash:], '.'); i >= 0 {
		return symbol[:slash+i]
	}
	return ""
}
