package kd

import (
	"debug/dwarf"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// index finds DWARF entries by name and address. All of a program is read once,
// since Go's linker writes no index of its own.
type index struct {
	types     map[string]dwarf.Offset
	variables map[string]variable
	constants map[dwarf.Offset][]constant // by type
	functions []function                  // by address
}

type variable struct {
	addr uint64
	typ  dwarf.Offset
}

type constant struct {
	name  string
	value int64
}

// function is a function with code of its own.
type function struct {
	low, high uint64
	entry     dwarf.Offset
	unit      dwarf.Offset
}

func newIndex(d *dwarf.Data) (*index, error) {
	x := &index{
		types:     map[string]dwarf.Offset{},
		variables: map[string]variable{},
		constants: map[dwarf.Offset][]constant{},
	}
	r := d.Reader()
	var unit *dwarf.Entry
	for {
		e, err := r.Next()
		if err != nil {
			return nil, err
		}
		if e == nil {
			break
		}
		if e.Tag == dwarf.TagCompileUnit {
			unit = e
			continue
		}
		x.add(unit, e)
		if e.Children {
			r.SkipChildren()
		}
	}
	slices.SortFunc(x.functions, func(a, b function) int {
		switch {
		case a.low < b.low:
			return -1
		case a.low > b.low:
			return 1
		}
		return 0
	})
	return x, nil
}

func (x *index) add(unit, e *dwarf.Entry) {
	name, _ := e.Val(dwarf.AttrName).(string)
	switch e.Tag {
	case dwarf.TagStructType, dwarf.TagBaseType, dwarf.TagTypedef, dwarf.TagPointerType, dwarf.TagArrayType:
		// Named basic types come twice: as a typedef of themselves they have no
		// constants.
		if _, ok := x.types[name]; name != "" && (!ok || e.Tag != dwarf.TagTypedef) {
			x.types[name] = e.Offset
		}
	case dwarf.TagVariable:
		loc, _ := e.Val(dwarf.AttrLocation).([]byte)
		typ, _ := e.Val(dwarf.AttrType).(dwarf.Offset)
		const opAddr = 0x03 // DW_OP_addr
		if name != "" && len(loc) == 9 && loc[0] == opAddr {
			x.variables[name] = variable{little(loc[1:]), typ}
		}
	case dwarf.TagConstant:
		typ, _ := e.Val(dwarf.AttrType).(dwarf.Offset)
		if v, ok := e.Val(dwarf.AttrConstValue).(int64); ok {
			x.constants[typ] = append(x.constants[typ], constant{name, v})
		}
	case dwarf.TagSubprogram:
		low, ok := e.Val(dwarf.AttrLowpc).(uint64)
		if !ok {
			return
		}
		high := low
		switch v := e.Val(dwarf.AttrHighpc).(type) {
		case uint64:
			high = v
		case int64:
			high = low + uint64(v)
		}
		x.functions = append(x.functions, function{low, high, e.Offset, unit.Offset})
	}
}

func (x *index) function(pc uint64) *function {
	n := sort.Search(len(x.functions), func(n int) bool { return x.functions[n].low > pc }) - 1
	if n < 0 || pc >= x.functions[n].high {
		return nil
	}
	return &x.functions[n]
}

// little reads a little-endian number.
func little(b []byte) uint64 {
	var v uint64
	for n := len(b) - 1; n >= 0; n-- {
		v = v<<8 | uint64(b[n])
	}
	return v
}

// Type finds a type by its name: the full one, or without "irqlab/", or the one
// by which the public headers know it.
func (i *Image) Type(name string) (dwarf.Type, error) {
	if i.dwarf == nil {
		return nil, fmt.Errorf("%s has no type information: it was linked without DWARF", i.Path)
	}
	full := strings.TrimPrefix(name, "nt!")
	if public, ok := publicTypes[strings.ToUpper(strings.TrimPrefix(full, "_"))]; ok {
		full = public
	}
	off, ok := i.index.types[full]
	if !ok {
		off, ok = i.index.types["irqlab/"+full]
	}
	if !ok {
		return nil, fmt.Errorf("no type %s in this image", name)
	}
	return i.dwarf.Type(off)
}

// typeNames returns the names of types that a pattern fits.
func (i *Image) typeNames(pattern string) []string {
	var found []string
	if i.index == nil {
		return nil
	}
	for name := range i.index.types {
		if match(pattern, name) || match("irqlab/"+pattern, name) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// publicTypes are this kernel's types under the names of the public headers.
var publicTypes = map[string]string{
	"KTHREAD":           "irqlab/kernel.Thread",
	"ETHREAD":           "irqlab/kernel.Thread",
	"KPCR":              "irqlab/arch.CPU",
	"KPRCB":             "irqlab/kernel.processor",
	"KTRAP_FRAME":       "irqlab/arch.Frame",
	"KDPC":              "irqlab/dpc.Object",
	"KAPC":              "irqlab/kernel.APC",
	"KTIMER":            "irqlab/kernel.Timer",
	"KWAIT_BLOCK":       "irqlab/kernel.WaitBlock",
	"KINTERRUPT":        "irqlab/intr.Interrupt",
	"DISPATCHER_HEADER": "irqlab/kernel.Header",
	"OBJECT_HEADER":     "irqlab/kernel.ObjectHeader",
	"LIST_ENTRY":        "irqlab/list.Entry",
	"KEVENT":            "irqlab/sync.Event",
	"KSEMAPHORE":        "irqlab/sync.Semaphore",
	"KMUTANT":           "irqlab/kernel.Mutant",
	"KQUEUE":            "irqlab/kernel.Queue",
	"FAST_MUTEX":        "irqlab/sync.FastMutex",
	"KGUARDED_MUTEX":    "irqlab/sync.GuardedMutex",
	"ERESOURCE":         "irqlab/sync.Resource",
	"KSPIN_LOCK":        "irqlab/sync/spin.Lock",
	"POOL_HEADER":       "irqlab/pool.header",
}
