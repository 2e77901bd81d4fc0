package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// command is one that can be typed.
type command struct {
	name string
	args string // what may follow, for the usage line
	help string // one line
	run  func(sh *shell, args []string) error

	// values, if set, are what the first argument may be.
	values func() []string
}

// commands are in the order in which help lists them. Those with an exclamation
// mark are a kernel debugger's. A function, because help refers to it.
func commands() []command {
	return []command{
		{name: "help", args: "[command or bug check]", help: "list the commands, or explain one, or a bug check such as 0xA", run: (*shell).help, values: commandNames},
		{name: "demo", args: "[name [arguments]]", help: "list the demos, or run one", run: (*shell).demo, values: demoNames},
		{name: "ps", help: "list all threads", run: (*shell).ps},
		{name: "top", args: "[-n times] [-d seconds]", help: "show where the processors' time goes; Ctrl-C ends it", run: (*shell).top},
		{name: "pool", help: "show nonpaged and paged pool by tag", run: (*shell).pool},
		{name: "!irql", args: "[cpu]", help: "show the processors' IRQLs", run: (*shell).irql},
		{name: "!idt", help: "list interrupts and their service routines", run: (*shell).idt},
		{name: "!running", args: "[-t] [-i]", help: "show what the processors run; -t with stacks, -i idle ones too", run: (*shell).running},
		{name: "!ready", args: "[cpu]", help: "show the ready queues", run: (*shell).ready},
		{name: "!dpcs", args: "[cpu]", help: "show the DPC queues", run: (*shell).dpcs},
		{name: "!timer", args: "[cpu]", help: "list the timers that are set", run: (*shell).timer},
		{name: "!thread", args: "[id]", help: "describe a thread, or this one", run: (*shell).thread},
		{name: "!stacks", args: "[0|1|2] [filter]", help: "list threads by where they wait; 1 idle ones too, 2 with stacks", run: (*shell).stacks},
		{name: "!pcr", args: "[cpu]", help: "show a processor's control block", run: (*shell).pcr},
		{name: "!handle", args: "[handle]", help: "list the open handles, or describe one", run: (*shell).handles},
		{name: "!object", args: "[name or type]", help: "count the objects, list a directory or the objects of a type", run: (*shell).objects, values: objectNames},
		{name: "!verifier", help: "show what the verifier has verified", run: (*shell).verifier},
		{name: "!deadlock", help: "show classes of locks, their order, and locks held", run: (*shell).deadlock},
		{name: "crash", args: "[code]", help: "list ways to stop the machine, or go one", run: (*shell).crash, values: crashNames},
		{name: "exit", args: "[status]", help: "leave; without a status, 0 if nothing has failed", run: (*shell).exit},
	}
}

func commandNames() []string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return names
}

// usageError is a line that was not understood.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// errUsage says that a command's arguments make no sense; the user gets to see
// its usage line.
var errUsage = errors.New("usage")

// execute runs a line.
func (sh *shell) execute(line string) error {
	words := strings.FieldsFunc(line, func(r rune) bool { return unicode.IsSpace(r) || r == 0 })
	if len(words) == 0 {
		return nil
	}
	c, err := lookup(words[0])
	if err != nil {
		return err
	}
	err = c.run(sh, words[1:])
	if err == errUsage {
		return usagef("%s", c.usage())
	}
	return err
}

func (c *command) usage() string { return strings.TrimSpace("usage: " + c.name + " " + c.args) }

// lookup finds a command by its name, or an unambiguous beginning of it.
func lookup(word string) (*command, error) {
	all := commands()
	var found []*command
	for i := range all {
		if all[i].name == word {
			return &all[i], nil
		}
		if strings.HasPrefix(all[i].name, word) {
			found = append(found, &all[i])
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		var names []string
		for _, c := range found {
			names = append(names, c.name)
		}
		return nil, usagef("%q could be %s", word, strings.Join(names, ", "))
	case slices.ContainsFunc(all, func(c command) bool { return c.name == "!"+word }):
		return nil, usagef("unknown command %q; did you mean !%s?", word, word)
	}
	return nil, usagef("unknown command %q; type help for a list", shorten(word, 40))
}

// shorten cuts s to n characters.
func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "..."
	}
	return s
}

func (sh *shell) help(args []string) error {
	switch len(args) {
	case 0:
		for _, c := range commands() {
			fmt.Fprintf(sh.console, "  %-30s %s\n", strings.TrimSpace(c.name+" "+c.args), c.help)
		}
		fmt.Fprintln(sh.console, "Tab completes, the arrow keys recall lines, Ctrl-D leaves. Processors and threads are\nnamed by the numbers that the commands show. On the host's side of the console, Ctrl-A B\nbreaks into the kernel debugger and Ctrl-A X leaves.")
		return nil
	case 1:
		if c, ok := bugCheck(args[0]); ok {
			explain(sh.console, c)
			return nil
		}
		c, err := lookup(args[0])
		if err != nil {
			if _, wrong := number(args[0]); wrong == nil {
				return usagef("%s is no bug check that is known here; docs/bugchecks.md lists them", shorten(args[0], 40))
			}
			return err
		}
		fmt.Fprintf(sh.console, "%s\n%s\n", c.usage(), c.help)
		return nil
	}
	return errUsage
}

// exitError ends the session.
type exitError struct {
	status int
	given  bool // by the user; else it depends on what has failed
}

func (e *exitError) Error() string { return "exit" }

// maxStatus is the largest exit status that reaches the host.
const maxStatus = 255

func (sh *shell) exit(args []string) error {
	switch len(args) {
	case 0:
		return &exitError{}
	case 1:
		n, err := number(args[0])
		if err != nil {
			return err
		}
		if n > maxStatus {
			return usagef("the status is at most %d", maxStatus)
		}
		return &exitError{int(n), true}
	}
	return errUsage
}

// complete completes the word that ends at pos. It returns the new line and
// position, and the candidates if there is more than one and nothing to add.
func (sh *shell) complete(line string, pos int) (string, int, []string) {
	head := line[:pos]
	start := strings.LastIndexByte(head, ' ') + 1
	prefix := head[start:]
	before := strings.Fields(head[:start])
	var values []string
	switch len(before) {
	case 0:
		values = commandNames()
	case 1:
		if c, err := lookup(before[0]); err == nil && c.values != nil {
			values = c.values()
		}
	}
	var found []string
	for _, v := range values {
		if strings.HasPrefix(v, prefix) {
			found = append(found, v)
		}
	}
	if len(found) == 0 {
		return line, pos, nil
	}
	word := found[0]
	for _, f := range found[1:] {
		for !strings.HasPrefix(f, word) {
			word = word[:len(word)-1]
		}
	}
	if len(found) == 1 {
		word += " "
		found = nil
	} else if len(word) > len(prefix) {
		found = nil
	}
	head = head[:start] + word
	return head + line[pos:], len(head), found
}
