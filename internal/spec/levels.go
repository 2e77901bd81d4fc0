package spec

import (
	"fmt"
	"strings"
)

// levelNames are the levels that IRQL lines name. A device's levels are all that
// a device can have.
var levelNames = map[string]Levels{
	"PASSIVE_LEVEL":                   {0, 0},
	"APC_LEVEL":                       {1, 1},
	"DISPATCH_LEVEL":                  {2, 2},
	"SYNCH_LEVEL":                     {12, 12},
	"the interrupt's SynchronizeIrql": {3, 12},
	"CLOCK_LEVEL":                     {13, 13},
	"IPI_LEVEL":                       {14, 14},
	"HIGH_LEVEL":                      {15, 15},
}

// ParseLevels returns what an IRQL line allows in all: clauses that depend on
// parameters, after semicolons, widen the range.
func ParseLevels(line string) (Levels, error) {
	all := Levels{15, 0}
	for clause := range strings.SplitSeq(line, "; ") {
		clause, _, _ = strings.Cut(clause, " with ")
		clause, _, _ = strings.Cut(clause, " for ")
		l := Levels{0, 15}
		if clause != "any" {
			operator, name, found := strings.Cut(clause, " ")
			if !found || !strings.ContainsAny(operator, "<>") {
				operator, name = "", clause
			}
			n, ok := levelNames[name]
			if !ok {
				return l, fmt.Errorf("IRQL line %q: no level %q", line, name)
			}
			switch operator {
			case "":
				l = n
			case "<=":
				l = Levels{0, n.Max}
			case "<":
				l = Levels{0, n.Min - 1}
			case ">=":
				l = Levels{n.Min, 15}
			}
		}
		all = Levels{min(all.Min, l.Min), max(all.Max, l.Max)}
	}
	return all, nil
}
