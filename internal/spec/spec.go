// Package spec holds the behaviour that irqlab implements, as data: facts of
// Microsoft's public driver documentation and of what the ReactOS kernel tests
// assert. The file irql.tsv has the routines and their levels, semantics.tsv
// rules that can be checked.
package spec

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed irql.tsv
var irqlData string

//go:embed semantics.tsv
var semanticsData string

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

// Records splits a table into its rows, without the header.
func Records(data string, fields int) [][]string {
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
	for _, r := range Records(irqlData, 8) {
		all = append(all, Routine{r[0], r[1], r[2], Levels{number(r[3]), number(r[4])}, r[5], r[6], r[7]})
	}
	return all
}

// Rules returns the rules, in the order of their areas.
func Rules() []Rule {
	var all []Rule
	for _, r := range Records(semanticsData, 4) {
		all = append(all, Rule{r[0], r[1], r[2], r[3]})
	}
	return all
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}
