package coverage

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"irqlab/internal/spec"
)

// Coverage says which rules have a test.
type Coverage struct {
	Tests  map[string][]string // places of a rule's tests
	Waived map[string]bool     // rules that docs/caveats.md names
	Listed map[string]bool     // those of them that its list has of rules without a test
	Wrong  []string            // marks that are none: see Cover
}

// mark is a comment that names a rule. Nothing else is on its line.
var mark = regexp.MustCompile(`^\s*// rule: (.*?)\s*$`)

// quoted is a name in a document.
var quoted = regexp.MustCompile("`([a-z0-9-]+)`")

// Cover reads the module's tests and docs/caveats.md. A mark outside a test, or
// with an ID that is no rule's, is wrong.
func Cover(root string) (*Coverage, error) {
	known := map[string]bool{}
	for _, r := range spec.Rules() {
		known[r.ID] = true
	}
	c := &Coverage{Tests: map[string][]string{}, Waived: map[string]bool{}, Listed: map[string]bool{}}
	err := sources(root, func(path string) error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			m := mark.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			place := fmt.Sprintf("%s:%d", filepath.ToSlash(name), number)
			switch id := m[1]; {
			case !known[id]:
				c.Wrong = append(c.Wrong, fmt.Sprintf("%s: there is no rule %q", place, id))
			case !strings.HasSuffix(path, "_test.go"):
				c.Wrong = append(c.Wrong, fmt.Sprintf("%s: rule %s is named outside a test", place, id))
			default:
				c.Tests[id] = append(c.Tests[id], place)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "caveats.md"))
	if err != nil {
		return nil, err
	}
	collect := func(text string, ids map[string]bool) {
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			if known[m[1]] {
				ids[m[1]] = true
			}
		}
	}
	collect(string(text), c.Waived)
	_, list, _ := strings.Cut(string(text), "\n## Rules without a test\n")
	collect(list, c.Listed)
	return c, nil
}

// Print writes for each area how many of its rules have a test, and with verbose
// the rules that have none.
func (c *Coverage) Print(w io.Writer, verbose bool) {
	var areas []string
	rules := map[string][]spec.Rule{}
	for _, r := range spec.Rules() {
		if rules[r.Area] == nil {
			areas = append(areas, r.Area)
		}
		rules[r.Area] = append(rules[r.Area], r)
	}
	covered, all := 0, 0
	for _, area := range areas {
		n := 0
		var without []spec.Rule
		for _, r := range rules[area] {
			if c.Tests[r.ID] != nil {
				n++
			} else {
				without = append(without, r)
			}
		}
		covered, all = covered+n, all+len(rules[area])
		fmt.Fprintf(w, "%-14s %3d/%d\n", area, n, len(rules[area]))
		if verbose {
			for _, r := range without {
				note := ""
				if c.Waived[r.ID] {
					note = " (docs/caveats.md)"
				}
				fmt.Fprintf(w, "  %s%s: %s\n", r.ID, note, r.Text)
			}
		}
	}
	fmt.Fprintf(w, "%-14s %3d/%d\n", "all", covered, all)
}
