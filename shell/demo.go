package main

import (
	"fmt"

	"irqlab/demos"
	"irqlab/ntstatus"
)

func demoNames() []string {
	var names []string
	for _, d := range demos.All {
		names = append(names, d.Name)
	}
	return names
}

func (sh *shell) demo(args []string) error {
	if len(args) == 0 {
		for _, d := range demos.All {
			fmt.Fprintf(sh.console, "  %-12s %s\n", d.Name, d.About)
		}
		return nil
	}
	d, ok := demos.Find(args[0])
	if !ok {
		return usagef("there is no demo %q; type demo for a list", shorten(args[0], 40))
	}
	err := sh.runDemo(d, args[1:])
	if err == demos.ErrUsage {
		return usagef("usage: demo %s %s", d.Name, d.Usage)
	}
	if err != nil {
		return fmt.Errorf("demo %s failed: %w", d.Name, err)
	}
	return nil
}

// runDemo runs a demo; an exception that it does not handle ends only it.
func (sh *shell) runDemo(d *demos.Demo, args []string) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case ntstatus.Exception:
			err = v
		default:
			panic(v)
		}
	}()
	return d.Load(sh.console, args)
}
