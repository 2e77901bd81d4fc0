package bugcheck

import (
	"unsafe"
)

// The runtime's tables of functions and lines are in the image, read-only.
// This file reads them as runtime/symtab.go and symtabinl.go do, but without
// the caches and strings on the heap that runtime.FuncForPC and CallersFrames
// need. The layout is that of Go 1.26; TestPositions compares every function.

// moduledata is the head of runtime.moduledata (runtime/symtab.go).
type moduledata struct {
	header      *pcHeader
	funcnametab []byte
	cutab       []uint32
	filetab     []byte
	pctab       []byte
	pclntable   []byte
	ftab        []functab
	_           uintptr    // findfunctab
	_           [2]uintptr // minpc, maxpc
	text, etext uintptr
	_           [2 * 4]uintptr // data, bss and their noptr parts
	_           [2]uintptr     // coverage counters
	_           [3]uintptr     // end, gcdata, gcbss
	_           [2]uintptr     // types
	_           uintptr        // rodata
	gofunc      uintptr
}

// pcHeader begins the tables (runtime.pcHeader).
type pcHeader struct {
	magic   uint32
	_       [2]uint8
	quantum uint8 // smallest instruction, in bytes
	_       uint8
}

type functab struct {
	entry  uint32 // offset from text
	offset uint32 // of the function record in pclntable
}

// function is the fixed part of runtime._func; npcdata words of offsets into
// pctab and then the offsets of its function data follow.
type function struct {
	entry     uint32
	name      int32
	_         [2]uint32 // args, deferreturn
	pcsp      uint32
	pcfile    uint32
	pcln      uint32
	npcdata   uint32
	cu        uint32
	_         int32 // start line
	_         [3]uint8
	nfuncdata uint8
}

// inlined is runtime.inlinedCall.
type inlined struct {
	_      uint32
	name   int32
	parent int32 // offset from the function's entry of the call site
	_      int32
}

// Indexes of tables (internal/abi/symtab.go).
const (
	pcdataInlineTree   = 2
	funcdataInlineTree = 3
)

//go:linkname lastmoduledatap runtime.lastmoduledatap
var lastmoduledatap *moduledata

// Text returns the bounds of the image's instructions, as the linker has them.
//
// IRQL: any
func Text() (lo, hi uintptr) { return lastmoduledatap.text, lastmoduledatap.etext }

// Position is one line of a back trace.
type Position struct {
	Function string // with its package path
	File     string
	Line     int32
	Offset   uintptr // of the PC from the function's entry; 0 when inlined
	Inlined  bool
}

// positions yields the functions that a PC is in: the innermost inlined one
// first, the one that has code of its own last.
type positions struct {
	md   *moduledata
	f    *function
	pc   uintptr // whose line comes next; 0 at the end
	real uintptr // the PC asked for
}

// find starts at the function that contains pc.
func (p *positions) find(pc uintptr) bool {
	p.md = lastmoduledatap
	p.pc, p.real = 0, pc
	if pc < p.md.text || pc >= p.md.etext {
		return false
	}
	off := uint32(pc - p.md.text)
	lo, hi := 0, len(p.md.ftab)-1 // the last entry marks the end
	for lo+1 < hi {
		if m := int(uint(lo+hi) / 2); p.md.ftab[m].entry <= off {
			lo = m
		} else {
			hi = m
		}
	}
	p.f = (*function)(unsafe.Pointer(&p.md.pclntable[p.md.ftab[lo].offset]))
	p.pc = pc
	return true
}

// next stores the next position, outwards.
func (p *positions) next(out *Position) bool {
	if p.pc == 0 {
		return false
	}
	*out = Position{Line: p.value(p.f.pcln, p.pc)}
	if file := p.value(p.f.pcfile, p.pc); file >= 0 {
		if o := p.md.cutab[p.f.cu+uint32(file)]; o != ^uint32(0) {
			out.File = cstring(p.md.filetab, int(o))
		}
	}
	entry := p.md.text + uintptr(p.f.entry)
	if c := p.inlinedAt(p.pc); c != nil {
		out.Function, out.Inlined = cstring(p.md.funcnametab, int(c.name)), true
		p.pc = entry + uintptr(c.parent)
		return true
	}
	out.Function = cstring(p.md.funcnametab, int(p.f.name))
	out.Offset = p.real - entry
	p.pc = 0
	return true
}

// inlinedAt returns the inlined call that pc belongs to, or nil.
func (p *positions) inlinedAt(pc uintptr) *inlined {
	words := (*[1 << 16]uint32)(unsafe.Add(unsafe.Pointer(p.f), unsafe.Sizeof(function{})))
	if p.f.npcdata <= pcdataInlineTree || p.f.nfuncdata <= funcdataInlineTree {
		return nil
	}
	tree := words[p.f.npcdata+funcdataInlineTree]
	if tree == ^uint32(0) {
		return nil
	}
	i := p.value(words[pcdataInlineTree], pc)
	if i < 0 {
		return nil
	}
	return (*inlined)(unsafe.Pointer(p.md.gofunc + uintptr(tree) + uintptr(i)*unsafe.Sizeof(inlined{})))
}

// value looks pc up in the table at an offset of pctab: pairs of value and PC
// increments, as variable-length integers. It is -1 where there is none.
func (p *positions) value(table uint32, pc uintptr) int32 {
	if table == 0 {
		return -1
	}
	at := p.md.text + uintptr(p.f.entry)
	v := int32(-1)
	tab := p.md.pctab
	for i, first := int(table), true; i < len(tab); first = false {
		var d uint32
		d, i = varint(tab, i)
		if d == 0 && !first {
			break
		}
		v += int32(-(d & 1) ^ d>>1)
		d, i = varint(tab, i)
		at += uintptr(d) * uintptr(p.md.header.quantum)
		if pc < at {
			return v
		}
	}
	return -1
}

func varint(b []byte, i int) (v uint32, next int) {
	for shift := uint(0); i < len(b); shift += 7 {
		c := b[i]
		i++
		v |= uint32(c&0x7f) << (shift & 31)
		if c < 0x80 {
			break
		}
	}
	return v, i
}

// cstring returns the zero-terminated string at b[i:], in place.
func cstring(b []byte, i int) string {
	n := i
	for n < len(b) && b[n] != 0 {
		n++
	}
	if n == i {
		return ""
	}
	return unsafe.String(&b[i], n-i)
}
