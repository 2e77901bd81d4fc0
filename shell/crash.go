package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"irqlab/bugcheck"
	"irqlab/provoke"
)

// crash breaks a rule on purpose.
func (sh *shell) crash(args []string) error {
	switch len(args) {
	case 0:
		fmt.Fprintln(sh.console, "Stops the machine, by what a driver with an error does:")
		for i := range provoke.All {
			p := &provoke.All[i]
			fmt.Fprintf(sh.console, "  %#-10x  %s\n%14s%s%s\n", p.Code, bugcheck.Describe(p.Code).Name, "", p.What, withOption(p))
		}
		fmt.Fprintln(sh.console, `"help 0xA" explains a code.`)
		return nil
	case 1:
		c, ok := bugCheck(args[0])
		if !ok {
			return usagef("%q is no bug check; type crash for a list", shorten(args[0], 40))
		}
		p, ok := provoke.Find(c)
		if !ok {
			return usagef("there is no way to %#x; type crash for a list", c)
		}
		fmt.Fprintf(sh.console, "A driver %s.\n", p.What)
		p.Do()
		return fmt.Errorf("nothing happened%s", withOption(p))
	}
	return errUsage
}

// withOption says what kernel option a way takes, if it takes one.
func withOption(p *provoke.Provocation) string {
	o := p.Option()
	if o == "" {
		return ""
	}
	return fmt.Sprintf(" (takes kernel option %s)", o)
}

func crashNames() []string {
	var names []string
	for i := range provoke.All {
		names = append(names, fmt.Sprintf("%#X", uint32(provoke.All[i].Code)))
	}
	return names
}

// bugCheck finds a bug check by its code or name.
func bugCheck(word string) (bugcheck.Code, bool) {
	if n, err := number(word); err == nil && n <= math.MaxUint32 {
		return bugcheck.Code(n), bugcheck.Describe(bugcheck.Code(n)).Name != ""
	}
	for i := range bugcheck.Descriptions {
		if d := &bugcheck.Descriptions[i]; strings.EqualFold(d.Name, word) {
			return d.Code, true
		}
	}
	return 0, false
}

// explain prints what is known of a bug check.
func explain(w io.Writer, c bugcheck.Code) {
	d := bugcheck.Describe(c)
	fmt.Fprintf(w, "%#x %s\n%s\n", d.Code, d.Name, d.Meaning)
	for i, p := range d.Parameters {
		if p != "" {
			fmt.Fprintf(w, "  parameter %d: %s\n", i+1, p)
		}
	}
	for i := range bugcheck.Kinds {
		k := &bugcheck.Kinds[i]
		if k.Code != c {
			continue
		}
		fmt.Fprintf(w, "  parameter 1 = %#x: %s\n", k.Value, k.Meaning)
	}
	if p, ok := provoke.Find(c); ok {
		fmt.Fprintf(w, "crash %#x brings it about%s: a driver %s.\n", c, withOption(p), p.What)
	}
}
