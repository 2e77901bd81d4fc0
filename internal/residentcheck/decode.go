package residentcheck

import (
	"debug/elf"
	"encoding/binary"
	"fmt"

	"golang.org/x/arch/x86/x86asm"
)

// use is a place where a function leaves itself or touches a variable.
type use struct {
	pc     uint64
	target uint64
	call   bool // a call or a jump, not a reference
}

// uses lists the direct calls, the jumps out of the function and the
// references to memory at fixed addresses.
func (p *program) uses(f *function) ([]use, error) {
	switch p.machine {
	case elf.EM_X86_64:
		return usesAMD64(f), nil
	case elf.EM_AARCH64:
		return usesARM64(f), nil
	default:
		return nil, fmt.Errorf("no decoder for %v", p.machine)
	}
}

func (f *function) contains(addr uint64) bool { return addr-f.addr < uint64(len(f.code)) }

// usesAMD64 decodes in a line. What the decoder does not know, such as the
// system instructions in assembly, it steps over byte by byte until it knows
// again; Go code has no such instructions.
func usesAMD64(f *function) (uses []use) {
	for off := 0; off < len(f.code); {
		inst, err := x86asm.Decode(f.code[off:], 64)
		if err != nil || inst.Len == 0 {
			off++
			continue
		}
		pc := f.addr + uint64(off)
		off += inst.Len
		next := f.addr + uint64(off)
		for _, arg := range inst.Args {
			switch a := arg.(type) {
			case x86asm.Rel:
				if to := next + uint64(int64(a)); !f.contains(to) || inst.Op == x86asm.CALL {
					uses = append(uses, use{pc, to, true})
				}
			case x86asm.Mem:
				if a.Base == x86asm.RIP {
					uses = append(uses, use{pc, next + uint64(a.Disp), false})
				}
			}
		}
	}
	return uses
}

// usesARM64 looks at the few encodings that matter (Arm ARM, C4.1): branches
// with a 26-bit offset, and ADRP with the instruction behind it, which is how
// Go's linker reaches a variable.
func usesARM64(f *function) (uses []use) {
	for off := 0; off+4 <= len(f.code); off += 4 {
		w := binary.LittleEndian.Uint32(f.code[off:])
		pc := f.addr + uint64(off)
		switch {
		case w&0x7c000000 == 0x14000000: // B, BL
			to := pc + uint64(int64(w<<6)<<32>>36&^3)
			if !f.contains(to) || w>>31 == 1 {
				uses = append(uses, use{pc, to, true})
			}
		case w&0x9f000000 == 0x90000000 && off+8 <= len(f.code): // ADRP
			page := int64(w>>5&0x7ffff<<2|w>>29&3) << 43 >> 31
			next := binary.LittleEndian.Uint32(f.code[off+4:])
			if next>>5&31 != w&31 {
				continue
			}
			base := pc&^0xfff + uint64(page)
			switch imm := uint64(next >> 10 & 0xfff); {
			case next&0xffc00000 == 0x91000000: // ADD (immediate)
				uses = append(uses, use{pc, base + imm, false})
			case next&0x3b000000 == 0x39000000: // LDR, STR (unsigned immediate)
				uses = append(uses, use{pc, base + imm<<(next>>30), false})
			}
		}
	}
	return uses
}
