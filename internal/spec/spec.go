// Package spec holds the behaviour that irqlab implements, as data, and says how
// much of it there is: docs/wdk.md, which it generates, lists each documented
// routine with its state, and package rules prints how many rules have a test.
//
// The data are facts of Microsoft's public driver documentation and of what the
// ReactOS kernel tests assert: irql.tsv has the routines and their levels,
// semantics.tsv rules that can be checked. What a routine's row becomes follows
// from the sources of packages wdk and tests/levels; only what is out of scope
// is a list, scope.tsv.
package spec

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

//go:generate go run ./gen

//go:embed irql.tsv
var irqlData string

//go:embed semantics.tsv
var semanticsData string

//go:embed scope.tsv
var scopeData string

// Levels is a range of IRQLs.
type Levels struct{ Min, Max int }

// Routine is a documented routine, or the type of a callback.
type Routine struct {
	Name       string
	Header     string
	Documented string // the levels, as the documentation has them
	Levels     Levels // the same on x64; the union, if they depend on parameters
	Returns    string
	Blocks     string
	Notes      string
}

// Rule is a statement that a test can check.
type Rule struct {
	ID     string
	Area   string
	Text   string
	Source string
}

// records splits a table into its rows, without the header.
func records(data string, fields int) [][]string {
	var rows [][]string
	for i, line := range strings.Split(strings.TrimSuffix(data, "\n"), "\n") {
		row := strings.Split(line, "\t")
		if len(row) != fields {
			panic(fmt.Sprintf("row %d has %d fields, not %d: %s", i+1, len(row), fields, line))
		}
		rows = append(rows, row)
	}
	return rows[1:]
}

// Routines returns the documented routines.
func Routines() []Routine {
	var all []Routine
	for _, r := range records(irqlData, 8) {
		all = append(all, Routine{r[0], r[1], r[2], Levels{number(r[3]), number(r[4])}, r[5], r[6], r[7]})
	}
	return all
}

// Rules returns the rules, in the order of their areas.
func Rules() []Rule {
	var all []Rule
	for _, r := range records(semanticsData, 4) {
		all = append(all, Rule{r[0], r[1], r[2], r[3]})
	}
	return all
}

// scope returns for each routine that is not implemented the reason.
func scope() map[string]string {
	reasons := map[string]string{}
	for _, r := range records(scopeData, 2) {
		for name := range strings.FieldsSeq(r[1]) {
			reasons[name] = r[0]
		}
	}
	return reasons
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// Root returns the directory of the module's sources: that of the go.mod at or
// above the working directory.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod at or above %s", start)
		}
		dir = up
	}
}
