package bugdoc

import (
	"bufio"
	"bytes"
	"flag"
	"os"
	"regexp"
	"strconv"
	"testing"

	"irqlab/bugcheck"
	"irqlab/provoke"
)

var update = flag.Bool("update", false, "write the page")

const page = "../../docs/bugchecks.md"

func TestFresh(t *testing.T) {
	want := append(Markdown(), '\n')
	if *update {
		if err := os.WriteFile(page, want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the tables say: go test ./internal/bugdoc -update", page)
	}
}

func TestTables(t *testing.T) {
	for i := range bugcheck.Kinds {
		k := &bugcheck.Kinds[i]
		if k.Meaning == "" || bugcheck.Describe(k.Code).Name == "" || bugcheck.KindOf(k.Code, k.Value) != k {
			t.Errorf("%#x %#x: no description, or two", k.Code, k.Value)
		}
		if i > 0 {
			if p := &bugcheck.Kinds[i-1]; p.Code > k.Code || p.Code == k.Code && p.Value >= k.Value {
				t.Errorf("%#x %#x is out of order", k.Code, k.Value)
			}
		}
	}
	for i := range provoke.All {
		p := &provoke.All[i]
		if bugcheck.Describe(p.Code).Name == "" {
			t.Errorf("%#x can be provoked and is not described", p.Code)
		}
		if q, _ := provoke.Find(p.Code); q != p || i > 0 && provoke.All[i-1].Code >= p.Code {
			t.Errorf("%#x is out of order", p.Code)
		}
	}
}

// Every bug check of the specification is described, under its name.
func TestSpecification(t *testing.T) {
	f, err := os.Open("../spec/semantics.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	code := regexp.MustCompile(`\b0x([0-9A-F]+) ([A-Z]+_[A-Z_]+)`)
	found := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if !bytes.Contains(lines.Bytes(), []byte("\tbugcheck\t")) {
			continue
		}
		for _, m := range code.FindAllStringSubmatch(lines.Text(), -1) {
			n, err := strconv.ParseUint(m[1], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			if name := bugcheck.Describe(bugcheck.Code(n)).Name; name != m[2] {
				t.Errorf("%#x is %q, want %s", n, name, m[2])
			}
			found++
		}
	}
	if found < 40 {
		t.Errorf("only %d bug checks found in the specification", found)
	}
}
