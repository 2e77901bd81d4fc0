package kd

import (
	"encoding/binary"
	"errors"
	"sort"
)

// frameTable is the call frame information of .debug_frame (DWARF 5, 6.4), as
// far as Go's linker writes it: one CIE, and an FDE per function that says how
// far the stack pointer is from the caller's and, where calls do not push it,
// whether the return address has been stored.
type frameTable struct {
	codeAlign uint64
	dataAlign int64
	link      uint64 // column of the return address
	initial   []byte
	rows      []frameEntry // by address
}

type frameEntry struct {
	low, high uint64
	program   []byte
}

// frameRule is how to find the caller's frame at some instruction.
type frameRule struct {
	cfa   int64 // distance of the stack pointer to the caller's
	saved bool  // the return address is at saved from there
	at    int64
}

var errFrames = errors.New("call frame information that is not understood")

func (i *Image) loadFrames() error {
	s := i.file.Section(".debug_frame")
	if s == nil {
		return nil
	}
	b, err := s.Data()
	if err != nil {
		return err
	}
	t := &frameTable{}
	for len(b) >= 8 {
		n := binary.LittleEndian.Uint32(b)
		if uint64(n)+4 > uint64(len(b)) || n < 4 {
			return errFrames
		}
		record := b[4 : 4+n]
		b = b[4+n:]
		if binary.LittleEndian.Uint32(record) == 0xffffffff {
			err = t.cie(record[4:])
		} else {
			err = t.fde(record[4:])
		}
		if err != nil {
			return err
		}
	}
	sort.Slice(t.rows, func(a, b int) bool { return t.rows[a].low < t.rows[b].low })
	i.frames = t
	return nil
}

func (t *frameTable) cie(b []byte) error {
	if len(b) < 2 || b[1] != 0 { // no augmentation
		return errFrames
	}
	p := cursor{b: b[2:]}
	t.codeAlign, t.dataAlign, t.link = p.uleb(), p.sleb(), p.uleb()
	t.initial = p.b
	return p.err
}

func (t *frameTable) fde(b []byte) error {
	if len(b) < 16 {
		return errFrames
	}
	low, size := little(b[:8]), little(b[8:16])
	t.rows = append(t.rows, frameEntry{low, low + size, b[16:]})
	return nil
}

// rule evaluates the program of the function at pc.
func (t *frameTable) rule(pc uint64) (frameRule, bool) {
	n := sort.Search(len(t.rows), func(n int) bool { return t.rows[n].low > pc }) - 1
	if n < 0 || pc >= t.rows[n].high {
		return frameRule{}, false
	}
	var r frameRule
	if !t.run(t.initial, t.rows[n].low, pc, &r) {
		return r, false
	}
	return r, t.run(t.rows[n].program, t.rows[n].low, pc, &r)
}

// Call frame instructions (DWARF 5, 7.24).
const (
	cfaAdvanceLoc       = 0x40 // delta in the low six bits
	cfaOffset           = 0x80 // register in the low six bits
	cfaNop              = 0x00
	cfaAdvanceLoc1      = 0x02
	cfaAdvanceLoc2      = 0x03
	cfaAdvanceLoc4      = 0x04
	cfaOffsetExtended   = 0x05
	cfaSameValue        = 0x08
	cfaDefCFA           = 0x0c
	cfaDefCFAOffset     = 0x0e
	cfaOffsetExtendedSF = 0x11
	cfaDefCFASF         = 0x12
	cfaDefCFAOffsetSF   = 0x13
	cfaValOffset        = 0x14
)

// run executes instructions up to those that apply at pc.
func (t *frameTable) run(program []byte, loc, pc uint64, r *frameRule) bool {
	p := cursor{b: program}
	for len(p.b) > 0 && p.err == nil {
		op := p.byte()
		delta := uint64(0)
		switch {
		case op&0xc0 == cfaAdvanceLoc:
			delta = uint64(op & 0x3f)
		case op&0xc0 == cfaOffset:
			t.save(r, uint64(op&0x3f), int64(p.uleb())*t.dataAlign)
		default:
			switch op {
			case cfaNop:
			case cfaAdvanceLoc1:
				delta = p.fixed(1)
			case cfaAdvanceLoc2:
				delta = p.fixed(2)
			case cfaAdvanceLoc4:
				delta = p.fixed(4)
			case cfaOffsetExtended:
				reg := p.uleb()
				t.save(r, reg, int64(p.uleb())*t.dataAlign)
			case cfaOffsetExtendedSF:
				reg := p.uleb()
				t.save(r, reg, p.sleb()*t.dataAlign)
			case cfaSameValue:
				if p.uleb() == t.link {
					r.saved = false
				}
			case cfaDefCFA:
				p.uleb()
				r.cfa = int64(p.uleb())
			case cfaDefCFASF:
				p.uleb()
				r.cfa = p.sleb() * t.dataAlign
			case cfaDefCFAOffset:
				r.cfa = int64(p.uleb())
			case cfaDefCFAOffsetSF:
				r.cfa = p.sleb() * t.dataAlign
			case cfaValOffset: // of the stack pointer, which we do not restore
				p.uleb()
				p.uleb()
			default:
				return false
			}
		}
		if delta != 0 {
			if loc += delta * t.codeAlign; loc > pc {
				break
			}
		}
	}
	return p.err == nil
}

func (t *frameTable) save(r *frameRule, register uint64, at int64) {
	if register == t.link {
		r.saved, r.at = true, at
	}
}

// cursor reads the numbers of DWARF.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) byte() byte {
	if len(c.b) == 0 {
		c.err = errFrames
		return 0
	}
	v := c.b[0]
	c.b = c.b[1:]
	return v
}

func (c *cursor) fixed(n int) uint64 {
	var v uint64
	for shift := range n {
		v |= uint64(c.byte()) << (8 * shift)
	}
	return v
}

func (c *cursor) uleb() uint64 {
	var v uint64
	for shift := uint(0); c.err == nil; shift += 7 {
		b := c.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			break
		}
	}
	return v
}

func (c *cursor) sleb() int64 {
	var v int64
	for shift := uint(0); c.err == nil; {
		b := c.byte()
		v |= int64(b&0x7f) << shift
		shift += 7
		if b < 0x80 {
			if b&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			break
		}
	}
	return v
}
