package bugdoc

import (
	"bufio"
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"irqlab/bugcheck"
	"irqlab/internal/resident"
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

// There is a way to every bug check that the kernel raises.
func TestProvocations(t *testing.T) {
	text, err := os.ReadFile("../../bugcheck/codes.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bugcheck.Code{}
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+) +Code = (0x[0-9A-F]+)`).FindAllSubmatch(text, -1) {
		n, _ := strconv.ParseUint(string(m[2]), 0, 32)
		names[string(m[1])] = bugcheck.Code(n)
	}
	raised := map[bugcheck.Code]string{}
	for _, p := range append(resident.Packages, "irqlab/registry", "irqlab/seh", "irqlab/thread", "irqlab/wdk", "irqlab/work") {
		files, err := filepath.Glob("../../" + strings.TrimPrefix(p, "irqlab/") + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "../../bugcheck/") && !raises[filepath.Base(file)] {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range regexp.MustCompile(`\w+`).FindAllString(string(text), -1) {
				if c, ok := names[word]; ok {
					raised[c] = file
				}
			}
		}
	}
	if len(raised) < 40 {
		t.Errorf("only %d codes are raised", len(raised))
	}
	for c, file := range raised {
		if _, ok := provoke.Find(c); !ok {
			t.Errorf("%#x, in %s, cannot be provoked", c, file)
		}
	}
}

// raises has the files of package bugcheck that decide about codes; the others
// describe them.
var raises = map[string]bool{"trap.go": true, "nmi.go": true, "callback.go": true, "freeze.go": true, "stop.go": true}

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
