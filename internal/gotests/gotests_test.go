package gotests

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestPrograms(t *testing.T) {
	goroot := t.TempDir()
	for _, dir := range directories {
		if err := os.MkdirAll(filepath.Join(goroot, "test", dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, src := range map[string]string{
		"a.go":         "// run\n\npackage main\n",
		"a.out":        "hello\n",
		"args.go":      "// run one two\npackage main\n",
		"flags.go":     "// run -gcflags='all=-N -l'\npackage main\n",
		"checkptr.go":  "// run -gcflags=all=-d=checkptr\npackage main\n",
		"compile.go":   "// compile\npackage main\n",
		"runoutput.go": "// runoutput\npackage main\n",
		"text.go":      "// running\npackage main\n",
		"arm.go":       "//go:build arm64\n\n// run\npackage main\n",
		"cgo.go":       "// run\npackage main\nimport \"C\"\n",
		"race.go":      "// run -race\npackage main\n",
		"files.go":     "// run\npackage main\nimport \"os\"\nfunc main() { os.ReadFile(\"x\") }\n",
		"own.go":       "// run\npackage main\nimport \"internal/abi\"\n",
		"chan/k.go":    "// run\npackage main\n",
		"dwarf/d.go":   "// run\npackage main\n",
	} {
		if err := os.WriteFile(filepath.Join(goroot, "test", name), []byte(src), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Programs(goroot, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].Files = nil
	}
	want := []Program{
		{Name: "test/a.go", Want: "hello\n"},
		{Name: "test/args.go", Args: []string{"one", "two"}},
		{Name: "test/arm.go", Skip: "its build constraints exclude linux/amd64"},
		{Name: "test/cgo.go", Skip: "needs cgo"},
		{Name: "test/checkptr.go", Flags: []string{"-gcflags=all=-d=checkptr"}, Skip: "checkptr in all packages forbids the kernel its device registers"},
		{Name: "test/files.go", Skip: "uses files (os.ReadFile)"},
		{Name: "test/flags.go", Flags: []string{"-gcflags=all=-N -l"}},
		{Name: "test/own.go", Skip: "imports internal/abi, which only GOROOT may"},
		{Name: "test/race.go", Flags: []string{"-race"}, Skip: "the race detector needs an operating system"},
		{Name: "test/chan/k.go"},
		{Name: "test/dwarf/d.go"},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, p := range got {
		if want := p.Name == "test/chan/k.go"; p.Short() != want {
			t.Errorf("%s is in the representative selection: %v, want %v", p.Name, p.Short(), want)
		}
	}
}

func TestResults(t *testing.T) {
	const output = `=== RUN   TestA
    a_test.go:1: hello
--- PASS: TestA (0.00s)
=== RUN   TestB
=== RUN   TestB/sub
    a_test.go:2: no files
    --- SKIP: TestB/sub (0.00s)
--- PASS: TestB (0.00s)
=== RUN   TestC
    a_test.go:3: not here
--- SKIP: TestC (0.00s)
=== RUN   ExampleD
--- FAIL: ExampleD (0.00s)
got:
1
=== RUN   TestE
=== PAUSE TestE
=== RUN   TestF
*** STOP 0x0000000A
`
	want := []Result{
		{"TestA", "PASS", "    a_test.go:1: hello"},
		{"TestB", "PASS", "=== RUN   TestB/sub\n    a_test.go:2: no files\n    --- SKIP: TestB/sub (0.00s)"},
		{"TestC", "SKIP", "    a_test.go:3: not here"},
		{"ExampleD", "FAIL", "got:\n1"},
		{"TestE", "FAIL", ""},
		{"TestF", "FAIL", "*** STOP 0x0000000A"},
	}
	if diff := cmp.Diff(want, Results(output)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPattern(t *testing.T) {
	if got := (&Suite{}).Pattern(); got != "" {
		t.Errorf("nothing to skip: %q", got)
	}
	s := Suite{Skip: []Skip{{"TestA", ""}, {"TestB", ""}}}
	if got := s.Pattern(); got != "^(TestA|TestB)$" {
		t.Errorf("got %q", got)
	}
}
