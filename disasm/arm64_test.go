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
	for _, a := range i.Args {
		if rel, ok := a.(arm64asm.PCRel); ok {
			s = strings.Replace(s, strings.ToLower(rel.String()), fmt.Sprintf("%#x", pc+uint64(rel)), 1)
		}
	}
	return s
}

// compare checks one word, and reports whether it is known.
func compare(t *testing.T, w uint32, pc uint64) (known bool) {
	t.Helper()
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], w)
	var l Line
	known = ARM64(&l, w, pc)
	i, err := arm64asm.Decode(b[:])
	if !known || err != nil {
		return known
	}
	if got, want := l.String(), gnu(i, pc); got != want {
		t.Errorf("%08x: %q, want %q", w, got, want)
	}
	return true
}

// Whatever this package shows, x/arch shows the same.
func TestARM64(t *testing.T) {
	code, pc := text(t, "arm64")
	memory, known := 0, 0
	for ; len(code) >= 4 && !t.Failed(); code, pc = code[4:], pc+4 {
		w := binary.LittleEndian.Uint32(code)
		ok := compare(t, w, pc)
		if i, err := arm64asm.Decode(code); err == nil && w>>26&1 == 0 {
			if op := i.Op.String(); strings.HasPrefix(op, "LD") || strings.HasPrefix(op, "ST") {
				memory++
				if ok {
					known++
				}
			}
		}
	}
	if memory < 1000 || known < memory*95/100 {
		t.Errorf("only %d of %d loads and stores are known", known, memory)
	}
}

// Random words too.
func TestARM64Random(t *testing.T) {
	x := uint64(1)
	for range 100_000 {
		x = x*6364136223846793005 + 1442695040888963407
		if compare(t, uint32(x>>32), 0x40200000); t.Failed() {
			return
		}
	}
	for _, c := range []struct {
		w    uint32
		want string
	}{{0, "udf #0x0"}, {0xd4200000, "brk #0x0"}, {0xc85f7c01, "ldxr x1, [x0]"}, {0xf9000041, "str x1, [x2]"}} {
		var l Line
		if ok := ARM64(&l, c.w, 0); !ok || l.String() != c.want {
			t.Errorf("%08x: %q, want %q", c.w, l.String(), c.want)
		}
	}
}
