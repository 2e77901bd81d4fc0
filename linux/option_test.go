package linux

import (
	"fmt"
	"slices"
	"testing"
	"unsafe"

	"irqlab/arch"
)

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		"":              nil,
		"   ":           nil,
		"a":             {"a"},
		" a  bc -- d  ": {"a", "bc", "--", "d"},
	} {
		var got []string
		w := words{line}
		for {
			word, ok := w.next()
			if !ok {
				break
			}
			got = append(got, word)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestOption(t *testing.T) {
	const line = "seed=7 GOGC=5 seed=8 stdin= -- seed=9 late=1"
	for name, want := range map[string]struct {
		value string
		ok    bool
	}{
		"seed":  {"8", true},
		"GOGC":  {"5", true},
		"stdin": {"", true},
		"late":  {"", false},
		"see":   {"", false},
		"":      {"", false},
	} {
		if v, ok := option(line, name); v != want.value || ok != want.ok {
			t.Errorf("%q: %q, %v, want %v", name, v, ok, want)
		}
	}
}

func decode(s string) string {
	var b []byte
	for s != "" {
		var c byte
		c, s = unescape(s)
		b = append(b, c)
	}
	return string(b)
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		"plain":    "plain",
		"a%20b":    "a b",
		"%0a%0A":   "\n\n",
		"100%":     "100%",
		"%2":       "%2",
		"%zz":      "%zz",
		"%25%2520": "%%20",
		"%ff%00":   "\xff\x00",
	} {
		if got := decode(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// seed spares the generator the machine's entropy, which a host has no way to.
func seed(t *testing.T) {
	was := seeded
	seeded = true
	t.Cleanup(func() { seeded = was })
}

// TestBuildStack reads back what a program finds on its stack.
func TestBuildStack(t *testing.T) {
	seed(t)
	const line = "seed=7 HOME=/a%20b nothing UPPER lower=x -- one % two%20words -- three"
	memory := make([]uint64, (stringBytes+vectorBytes+4096)/8)
	top := uintptr(unsafe.Pointer(&memory[len(memory)-1])) &^ 15
	sp := buildStack(line, top)
	at := func(i int) uintptr { return *(*uintptr)(unsafe.Pointer(sp + uintptr(i)*8)) }
	text := func(p uintptr) string {
		n := uintptr(0)
		for *(*byte)(unsafe.Pointer(p + n)) != 0 {
			n++
		}
		return string(unsafe.Slice((*byte)(unsafe.Pointer(p)), n))
	}
	if sp%16 != 0 {
		t.Errorf("stack pointer %#x is not aligned", sp)
	}
	i := 1
	list := func() (all []string) {
		for ; at(i) != 0; i++ {
			all = append(all, text(at(i)))
		}
		i++
		return all
	}
	args := list()
	if want := []string{"irqlab", "one", "", "two words", "--", "three"}; !slices.Equal(args, want) {
		t.Errorf("arguments %q, want %q", args, want)
	}
	if at(0) != uintptr(len(args)) {
		t.Errorf("argument count %d", at(0))
	}
	if env, want := list(), []string{"HOME=/a b", fmt.Sprint("GOMAXPROCS=", arch.NumCPUs+spareProcs)}; !slices.Equal(env, want) {
		t.Errorf("environment %q, want %q", env, want)
	}
	aux := map[uintptr]uintptr{}
	for ; at(i) != 0; i += 2 {
		aux[at(i)] = at(i + 1)
	}
	if aux[auxPageSize] != 4096 || aux[auxVDSO] != vdsoBase() || aux[auxRandom] == 0 || aux[auxSecure] != 0 {
		t.Errorf("auxiliary vector %x", aux)
	}
}

// A command line that is longer than the stack's room is cut, not overrun.
func TestBuildStackOverflow(t *testing.T) {
	seed(t)
	line := "--"
	for range 3000 {
		line += " abcdefgh"
	}
	memory := make([]uint64, (stringBytes+vectorBytes+4096)/8)
	for i := range memory {
		memory[i] = 0x5555
	}
	top := uintptr(unsafe.Pointer(&memory[len(memory)-8])) &^ 15
	buildStack(line, top)
	for i := len(memory) - 6; i < len(memory); i++ {
		if memory[i] != 0x5555 {
			t.Fatalf("word %d beyond the stack was written", i)
		}
	}
}
