package coverage

import (
	"bytes"
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"irqlab/internal/spec"
)

func root(t *testing.T) string {
	t.Helper()
	dir, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTableIsFresh(t *testing.T) {
	dir := root(t)
	var want bytes.Buffer
	if err := WriteTable(&want, dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(TableFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error(`docs/wdk.md is not what the sources say: run "go generate ./internal/coverage"`)
	}
}

func TestCallsAreFresh(t *testing.T) {
	dir := root(t)
	want, err := Calls(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(CallsFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error(`tests/badinput does not call what package wdk has: run "go generate ./internal/coverage"`)
	}
}

// The IRQL line of a routine allows what its row allows, and no more.
func TestLines(t *testing.T) {
	states, err := States(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		if !s.Implemented || s.Line == "" && isType(s.Name) {
			continue
		}
		line := s.Line
		if isType(s.Name) {
			line, _, _ = strings.Cut(line, ";") // what follows is of another kind of object
		}
		l, err := spec.ParseLevels(line)
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
		} else if l != s.Levels {
			t.Errorf("%s: IRQL line %q, but the specification has %d to %d: %s; %s", s.Name, s.Line, s.Levels.Min, s.Levels.Max, s.Documented, s.Notes)
		}
	}
}

// Every routine says which documentation page is its own.
func TestPages(t *testing.T) {
	rows := map[string]spec.Routine{}
	for _, r := range spec.Routines() {
		rows[r.Name] = r
	}
	files, err := parse(filepath.Join(root(t), "wdk"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil {
				continue
			}
			r, ok := rows[fn.Name.Name]
			if doc := strings.TrimSpace(fn.Doc.Text()); ok && !strings.HasSuffix(doc, "\n"+Page(r)) {
				t.Errorf("the comment of %s does not end with %q", r.Name, Page(r))
			}
		}
	}
}

// isType reports whether the row is a callback's type.
func isType(name string) bool { return strings.ToUpper(name) == name }

// Every routine is tested at its levels, or it is out of scope.
func TestStates(t *testing.T) {
	states, err := States(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		switch {
		case s.Implemented && !s.Tested && uncalled[s.Name] == "":
			t.Errorf("%s has no probe in tests/levels", s.Name)
		case !s.Implemented && s.Reason == "":
			t.Errorf("%s is neither implemented nor in scope.tsv", s.Name)
		}
	}
}

// What is out of scope is a routine, and is not there all the same.
func TestScope(t *testing.T) {
	names, err := implemented(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, reason := range scope() {
		if !slices.ContainsFunc(spec.Routines(), func(r spec.Routine) bool { return r.Name == name }) {
			t.Errorf("scope.tsv: there is no %s", name)
		}
		if _, ok := names[name]; ok {
			t.Errorf("scope.tsv: %s is implemented; %q is wrong", name, reason)
		}
	}
}

// areas are those whose rules all have a test, or a reason why not.
var areas = []string{
	"irql", "dpc", "apc", "wait", "event", "mutex", "semaphore", "timer", "fastmutex", "guardedmutex",
	"pushlock", "eresource", "spinlock", "workitem", "thread", "object", "seh", "bugcheck",
}

func TestRules(t *testing.T) {
	c, err := Cover(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range c.Wrong {
		t.Error(w)
	}
	for _, r := range spec.Rules() {
		if slices.Contains(areas, r.Area) && c.Tests[r.ID] == nil && !c.Waived[r.ID] {
			t.Errorf("rule %s has neither a test nor a line in docs/caveats.md: %s", r.ID, r.Text)
		}
		if c.Listed[r.ID] && c.Tests[r.ID] != nil {
			t.Errorf("rule %s has a test, %s, and docs/caveats.md lists it as without", r.ID, c.Tests[r.ID][0])
		}
	}
}

// What Cover must see, and refuse.
func TestCover(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a/a_test.go":     "\t// rule: irql-per-cpu\n// rule: irql-no-such-rule\n// rule: irql-per-cpu, irql-set-order\n",
		"a/a.go":          "// rule: irql-set-order\n",
		"docs/caveats.md": "`dpc-no-wait` and `dpc-no-such-rule`, but not event-sync-one\n\n## Rules without a test\n\n* `irql-per-cpu`\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Cover(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Tests["irql-per-cpu"]; !slices.Equal(got, []string{"a/a_test.go:1"}) || len(c.Tests) != 1 {
		t.Errorf("tests %v", c.Tests)
	}
	if !c.Waived["dpc-no-wait"] || !c.Waived["irql-per-cpu"] || len(c.Waived) != 2 {
		t.Errorf("waived %v", c.Waived)
	}
	if !c.Listed["irql-per-cpu"] || len(c.Listed) != 1 {
		t.Errorf("listed %v", c.Listed)
	}
	if len(c.Wrong) != 3 {
		t.Errorf("wrong: %q", c.Wrong)
	}
}
