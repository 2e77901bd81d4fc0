package disasm

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"
)

// text returns the instructions of a small program.
func text(t *testing.T, goarch string) ([]byte, uint64) {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println() }\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "program")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", out, source)
	cmd.Env = append(os.Environ(), "GOARCH="+goarch, "GOOS=linux", "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	f, err := elf.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := f.Section(".text")
	b, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	return b, s.Addr
}

// signs gives displacements the sign that x/arch forgets: the processor extends
// that of 32 bits.
func signs(s string) string {
	return displacement.ReplaceAllStringFunc(s, func(m string) string {
		v, err := strconv.ParseUint(m[len(m)-9:len(m)-1], 16, 32)
		if err != nil {
			panic(err)
		}
		return strings.TrimRight(m[:1], "+") + fmt.Sprintf("%+#x]", int32(v))
	})
}

var displacement = regexp.MustCompile(`[+[]0x[89a-f][0-9a-f]{7}\]`)

// Whatever this package shows, x/arch shows the same, for every instruction of a
// program; most instructions it does show.
func TestAMD64(t *testing.T) {
	code, pc := text(t, "amd64")
	var l Line
	known, all, wrong := 0, 0, 0
	for len(code) > 0 && wrong < 20 {
		i, err := x86asm.Decode(code, 64)
		n := 1
		if err == nil {
			n = i.Len
			all++
			got := AMD64(&l, code[:min(len(code), 15)], pc)
			if got != 0 {
				known++
				if want := signs(x86asm.IntelSyntax(i, pc, nil)); got != n || l.String() != want {
					t.Errorf("% x: %q of %d bytes, want %q of %d", code[:n], l.String(), got, want, n)
					wrong++
				}
			}
		}
		code, pc = code[n:], pc+uint64(n)
	}
	if known < all*80/100 {
		t.Errorf("only %d of %d instructions are known", known, all)
	}
}

// Bytes that end too early, and any others, are no instruction, or one within
// them.
func TestAMD64Short(t *testing.T) {
	whole := []byte{0x48, 0x89, 0x84, 0x24, 0x10, 0, 0, 0} // mov [rsp+0x10], rax
	var l Line
	for n := range whole {
		if got := AMD64(&l, whole[:n], 0); got != 0 {
			t.Errorf("% x: %d bytes, %q", whole[:n], got, l.String())
		}
	}
	if got := AMD64(&l, whole, 0); got != len(whole) || l.String() != "mov qword ptr [rsp+0x10], rax" {
		t.Errorf("%d bytes, %q", got, l.String())
	}
	for i := range 1 << 16 {
		b := append([]byte{byte(i), byte(i >> 8)}, bytes.Repeat([]byte{0x55}, 13)...)
		if n := AMD64(&l, b, 0); n > len(b) {
			t.Fatalf("% x: %d bytes", b, n)
		}
	}
}
