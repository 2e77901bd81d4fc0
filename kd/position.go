package kd

import (
	"debug/dwarf"
	"fmt"
)

// Position is a place in the source that an address belongs to.
type Position struct {
	Function string
	File     string
	Line     int
	Entry    uint64 // of the function; 0 for an inlined one
	Inlined  bool
}

// Positions returns the functions that the instruction at pc is in, the
// innermost inlined one first, the one with code of its own last.
func (i *Image) Positions(pc uint64) []Position {
	file, line, f := i.lines.PCToLine(pc)
	if f == nil || !i.inText(pc) {
		return nil
	}
	var all []Position
	for _, c := range i.inlined(pc) {
		all = append(all, Position{Function: c.name, File: file, Line: line, Inlined: true})
		file, line = c.file, c.line
	}
	return append(all, Position{Function: f.Name, File: file, Line: line, Entry: f.Entry})
}

// call is an inlined function and where it was called.
type call struct {
	name, file string
	line       int
}

// inlined returns the inlined calls that pc is in, the innermost first.
func (i *Image) inlined(pc uint64) []call {
	if i.dwarf == nil {
		return nil
	}
	f := i.index.function(pc)
	if f == nil {
		return nil
	}
	r := i.dwarf.Reader()
	r.Seek(f.entry)
	if e, err := r.Next(); err != nil || e == nil || !e.Children {
		return nil
	}
	var files []*dwarf.LineFile
	var calls []call
	for depth := 1; depth > 0; {
		e, err := r.Next()
		if err != nil || e == nil {
			break
		}
		if e.Tag == 0 {
			depth--
			continue
		}
		if e.Tag != dwarf.TagInlinedSubroutine {
			if e.Children {
				r.SkipChildren()
			}
			continue
		}
		if !i.covers(e, pc) {
			if e.Children {
				r.SkipChildren()
			}
			continue
		}
		if files == nil {
			files = i.files(f.unit)
		}
		calls = append([]call{i.inlinedCall(e, files)}, calls...)
		if !e.Children {
			break
		}
		depth = 1 // whatever contains pc is in here
	}
	return calls
}

func (i *Image) covers(e *dwarf.Entry, pc uint64) bool {
	ranges, err := i.dwarf.Ranges(e)
	if err != nil {
		return false
	}
	for _, r := range ranges {
		if pc >= r[0] && pc < r[1] {
			return true
		}
	}
	return false
}

// files returns the files of a compilation unit.
func (i *Image) files(unit dwarf.Offset) []*dwarf.LineFile {
	r := i.dwarf.Reader()
	r.Seek(unit)
	e, err := r.Next()
	if err != nil {
		return nil
	}
	lines, err := i.dwarf.LineReader(e)
	if err != nil || lines == nil {
		return nil
	}
	return lines.Files()
}

func (i *Image) inlinedCall(e *dwarf.Entry, files []*dwarf.LineFile) call {
	c := call{name: "?", file: "?"}
	if n, ok := e.Val(dwarf.AttrCallFile).(int64); ok && n >= 0 && int(n) < len(files) && files[n] != nil {
		c.file = files[n].Name
	}
	if n, ok := e.Val(dwarf.AttrCallLine).(int64); ok {
		c.line = int(n)
	}
	if off, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset); ok {
		r := i.dwarf.Reader()
		r.Seek(off)
		if origin, err := r.Next(); err == nil && origin != nil {
			if name, ok := origin.Val(dwarf.AttrName).(string); ok {
				c.name = name
			}
		}
	}
	return c
}

// Name writes an address as a function or variable and a distance, or returns
// "" if it is in none.
func (i *Image) Name(addr uint64) string {
	s, ok := i.Nearest(addr)
	switch {
	case !ok:
		return ""
	case s.Addr == addr:
		return s.Name
	}
	return fmt.Sprintf("%s+0x%x", s.Name, addr-s.Addr)
}
