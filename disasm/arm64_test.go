package disasm

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// gnu is what x/arch shows, with absolute targets.
func gnu(i arm64asm.Inst, pc uint64) string {
	s := strings.TrimSpace(arm64asm.GNUSyntax(i))
	if i.Op == arm64asm.ADRP {
		pc &^= 0xfff
	}
	for _, a := range i.Args {
		if rel, ok := a.(arm64asm.PCRel); ok {
			s = strings.Replace(s, strings.ToLower(rel.String()), fmt.Sprintf("%#x", pc+uint64(rel)), 1)
		}
	}
	return s
}

// missing reports whether a word is an instruction that x/arch does not know: UDF,
// HVC, SMC, AT, IC, one of Armv8.1 and later on memory, or MSR to PSTATE.PAN or .DIT.
func missing(w uint32) bool {
	return w>>16 == 0 || w&0xffe0001e == 0xd4000002 || w&0xfff8f000 == 0xd5087000 || w&0x3b200c00 == 0x38200000 || w&0x3fa07c00 == 0x08a07c00 ||
		w&0xfffff0ff == 0xd500409f || w&0xfffff0ff == 0xd503405f
}

// compare checks one word, and reports whether it is known.
func compare(t *testing.T, w uint32, pc uint64) (known bool) {
	t.Helper()
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], w)
	var l Line
	if known = ARM64(&l, w, pc); !known {
		return false
	}
	if i, err := arm64asm.Decode(b[:]); err == nil {
		if got, want := l.String(), gnu(i, pc); got != want {
			t.Errorf("%08x: %q, want %q", w, got, want)
		}
	} else if !missing(w) {
		t.Errorf("%08x: %q, which there is not", w, l.String())
	}
	return true
}

// general reports whether a word is an instruction on general registers, or one of
// the system: those that must be known.
func general(i arm64asm.Inst, w uint32) bool {
	vector := w>>25&7 == 7 || w>>25&5 == 4 && w>>26&1 != 0
	table := w>>24&0x3f == 8 && w>>10&0x1f != 0x1f // data between functions
	return !vector && !table && i.Op != arm64asm.PRFM && i.Op != arm64asm.SYSL
}

// Whatever this package shows, x/arch shows the same, and of what compilers and
// assemblers write it knows all but vectors.
func TestARM64(t *testing.T) {
	code, pc := text(t, "arm64")
	all, unknown := 0, 0
	for ; len(code) >= 4 && !t.Failed(); code, pc = code[4:], pc+4 {
		w := binary.LittleEndian.Uint32(code)
		ok := compare(t, w, pc)
		i, err := arm64asm.Decode(code)
		if err != nil || !general(i, w) {
			continue
		}
		all++
		if !ok {
			unknown++
			t.Logf("%08x: %s", w, gnu(i, pc))
		}
	}
	if all < 100_000 || unknown != 0 {
		t.Errorf("%d of %d instructions are not known", unknown, all)
	}
}

// Random words too, half of them among the instructions that are not branches, on
// memory or on vectors: these have the narrower encodings.
func TestARM64Random(t *testing.T) {
	x := uint64(1)
	for n := range 300_000 {
		x = x*6364136223846793005 + 1442695040888963407
		w := uint32(x >> 32)
		switch n % 8 {
		case 0, 1:
			w = w&^(7<<26) | 4<<26 // data processing with a constant
		case 2:
			w = w&^(7<<25) | 5<<25 // with registers
		case 3:
			w = w&^(0xffc<<20) | 0xd50<<20 // system
		}
		if compare(t, w, 0x40200000); t.Failed() {
			return
		}
	}
}

// What x/arch does not know is as gdb shows it; and a few that it does.
func TestARM64Missing(t *testing.T) {
	for _, c := range []struct {
		w    uint32
		want string
	}{
		{0, "udf #0x0"}, {0xd4200000, "brk #0x0"}, {0xc85f7c01, "ldxr x1, [x0]"}, {0xf9000041, "str x1, [x2]"},
		{0x9100a3fd, "add x29, sp, #0x28"}, {0xd5033fdf, "isb"}, {0xd503415f, "msr dit, #0x1"}, {0xd538c015, "mrs x21, s3_0_c12_c0_0"},
		{0x88fbfc41, "casal w27, w1, [x2]"}, {0xc8a07c41, "cas x0, x1, [x2]"}, {0x08e07c41, "casab w0, w1, [x2]"},
		{0xf8e400a6, "ldaddal x4, x6, [x5]"}, {0xb8e58062, "swpal w5, w2, [x3]"}, {0x38a23020, "ldsetab w2, w0, [x1]"},
		{0xf86110df, "stclrl x1, [x6]"}, {0x782120ff, "steorh w1, [x7]"}, {0xf8a110df, "ldclra x1, xzr, [x6]"}, {0xb8bfc020, "ldapr w0, [x1]"},
		{0xc87f0420, "ldxp x0, x1, [x1]"},
	} {
		var l Line
		if ok := ARM64(&l, c.w, 0); !ok || l.String() != c.want {
			t.Errorf("%08x: %q, want %q", c.w, l.String(), c.want)
		}
	}
}
