package residentcheck

import (
	"fmt"
	"slices"
	"strings"
)

// Violation is a place where resident code does what it must not.
type Violation struct {
	Function string // where
	Position string // file:line
	Callee   string // the function called or the variable used
	Why      string
	Path     []string // how resident code gets to Function, which may not be resident itself
}

func (v Violation) String() string {
	s := fmt.Sprintf("%s: %s: %s (%s)", v.Position, v.Function, v.Why, v.Callee)
	if len(v.Path) > 0 {
		s += "\n\treached from " + strings.Join(v.Path, " > ")
	}
	return s
}

// Check inspects a linked program. Every function of the resident packages
// must be fit for any IRQL, and so must every function that it calls, except
// those for which a reason is known. It returns how many functions it looked
// into.
func Check(path string, resident []string) (violations []Violation, functions int, err error) {
	p, err := openProgram(path)
	if err != nil {
		return nil, 0, err
	}
	c := checker{program: p, resident: resident, seen: make(map[*function]bool)}
	found := 0
	for _, f := range p.functions {
		if slices.Contains(resident, packagePath(f.name)) {
			found++
			if f.name == packagePath(f.name)+".init" {
				c.violations = append(c.violations, Violation{f.name, c.position(f.addr), f.name,
					"initialises variables by code, which runs after the kernel", nil})
			}
			if err := c.check(f, nil); err != nil {
				return nil, 0, err
			}
		}
	}
	if found == 0 {
		return nil, 0, fmt.Errorf("%s: contains no resident code", path)
	}
	return c.violations, len(c.seen), nil
}

type checker struct {
	*program
	resident   []string
	seen       map[*function]bool
	violations []Violation
}

// check checks f and, outside the runtime, what it calls.
func (c *checker) check(f *function, path []string) error {
	if c.seen[f] {
		return nil
	}
	c.seen[f] = true
	uses, err := c.uses(f)
	if err != nil {
		return err
	}
	report := func(u use, callee, why string) {
		v := Violation{f.name, c.position(u.pc), callee, why, path}
		c.violations = append(c.violations, v)
	}
	for _, u := range uses {
		if !u.call {
			if why, ok := forbiddenData[c.data[u.target]]; ok {
				report(u, c.data[u.target], why)
			}
			continue
		}
		g := c.at(u.target)
		switch {
		case g == nil, g == f, isAllowed(f.name, g.name):
		case slices.Contains(c.resident, packagePath(g.name)): // checked for itself
		case isRuntime(packagePath(g.name)):
			report(u, g.name, "calls into the Go runtime")
		default:
			if err := c.check(g, append(slices.Clone(path), f.name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// isRuntime reports whether a package is part of the Go runtime, whose
// functions need a reason each.
func isRuntime(pkg string) bool {
	return pkg == "runtime" || strings.HasPrefix(pkg, "runtime/")
}
