package kd

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// command is one that can be typed.
type command struct {
	name   string
	args   string // what may follow, for the usage line
	help   string // one line
	run    func(d *Debugger, v *invocation) error
	always bool // makes sense after the machine has ended
}

// commands are in the order in which .help lists them. A function, because
// .help refers to it.
func commands() []command {
	return slices.Concat(basicCommands(), kernelCommands(), controlCommands(), metaCommands())
}

func basicCommands() []command {
	return []command{
		{name: "~", args: "[Ns]", help: "list the processors, or make processor N the current one", run: (*Debugger).processors},
		{name: "k", args: "[thread]", help: "show the stack of the current processor, or of a thread", run: (*Debugger).stack},
		{name: "r", args: "[register[=value]]", help: "show the registers, or one, or change one", run: (*Debugger).showRegisters},
		{name: "u", args: "[address] [L count]", help: "disassemble", run: (*Debugger).unassemble},
		{name: "uf", args: "[address]", help: "disassemble a function", run: (*Debugger).unassembleFunction},
		{name: "db", args: "[address] [L count]", help: "show bytes", run: (*Debugger).display},
		{name: "dd", args: "[address] [L count]", help: "show words of 4 bytes", run: (*Debugger).display},
		{name: "dq", args: "[address] [L count]", help: "show words of 8 bytes", run: (*Debugger).display},
		{name: "da", args: "[address] [L count]", help: "show text", run: (*Debugger).display},
		{name: "dps", args: "[address] [L count]", help: "show words of 8 bytes with the symbols they point to", run: (*Debugger).display},
		{name: "dt", args: "[-r] type[.field|[n]] [address]", help: "show a type, or an object; with a pattern, list types", run: (*Debugger).displayType},
		{name: "x", args: "pattern", help: "list symbols; * and ? stand for what they usually do", run: (*Debugger).examine},
		{name: "ln", args: "address", help: "name the symbol and the source line at an address", run: (*Debugger).listNearest},
		{name: "lm", help: "describe the image and the modules in it", run: (*Debugger).listModules},
		{name: "?", args: "expression", help: "evaluate an expression", run: (*Debugger).evaluate},
	}
}

func metaCommands() []command {
	return []command{
		{name: ".help", args: "[command]", help: "list the commands, or explain one", run: (*Debugger).help, always: true},
		{name: "vertarget", help: "describe the machine or dump", run: (*Debugger).describeTarget},
		{name: ".echo", args: "text", help: "print text", run: (*Debugger).echo, always: true},
		{name: "q", help: "leave; a machine that was started for the session ends", run: func(*Debugger, *invocation) error { return ErrQuit }, always: true},
	}
}

// lookup takes a line apart. A command's name ends where a blank or something
// that is no part of a name begins; ~ may have its argument attached.
func lookup(line string) (name, rest string, c *command, err error) {
	all := commands()
	name, rest = line, ""
	switch {
	case line[0] == '~' || line[0] == '?':
		name, rest = line[:1], line[1:]
	default:
		if n := strings.IndexFunc(line, unicode.IsSpace); n >= 0 {
			name, rest = line[:n], line[n:]
		}
	}
	rest = strings.TrimSpace(rest)
	for i := range all {
		if all[i].name == name {
			return name, rest, &all[i], nil
		}
	}
	if slices.ContainsFunc(all, func(c command) bool { return c.name == "!"+name }) {
		return name, rest, nil, fmt.Errorf("unknown command %q; did you mean !%s?", name, name)
	}
	return name, rest, nil, fmt.Errorf("unknown command %q; .help lists them", shorten(name, 40))
}

// shorten cuts s to n characters.
func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "..."
	}
	return s
}

// Complete completes the word at the end of a line: a command's name, or a
// symbol, with or without "irqlab/", or for dt a type. It returns the new line, and
// the candidates if nothing can be added.
func (d *Debugger) Complete(line string) (string, []string) {
	start := strings.LastIndexAny(line, " ;") + 1
	prefix := line[start:]
	if prefix == "" {
		return line, nil
	}
	var found []string
	if before := strings.TrimRight(line[:start], " "); before == "" || strings.HasSuffix(before, ";") {
		for _, c := range commands() {
			if strings.HasPrefix(c.name, prefix) {
				found = append(found, c.name)
			}
		}
	} else {
		add := func(name string) {
			for _, known := range []string{name, strings.TrimPrefix(name, "irqlab/")} {
				if strings.HasPrefix(known, prefix) {
					found = append(found, known)
				}
			}
		}
		for _, s := range d.image.symbols {
			add(s.Name)
		}
		if fields := strings.Fields(before[strings.LastIndexByte(before, ';')+1:]); fields[0] == "dt" && d.image.index != nil {
			for name := range d.image.index.types {
				add(name)
			}
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if len(found) == 0 {
		return line, nil
	}
	word := found[0]
	for _, f := range found[1:] {
		for !strings.HasPrefix(f, word) {
			word = word[:len(word)-1]
		}
	}
	if len(found) == 1 {
		return line[:start] + word + " ", nil
	}
	if len(word) > len(prefix) {
		found = nil
	}
	return line[:start] + word, found
}

func (d *Debugger) help(v *invocation) error {
	words := v.fields()
	switch len(words) {
	case 0:
		for _, c := range commands() {
			d.printf("  %-32s %s\n", strings.TrimSpace(c.name+" "+c.args), c.help)
		}
		d.printf("%s\n", "Addresses are expressions: hexadecimal numbers (0n for decimal), symbols, @registers,\n"+
			"+ - * ( ) and poi(address). Threads are named by their decimal ID or their address.")
		return nil
	case 1:
		for _, c := range commands() {
			if c.name == words[0] || c.name == "!"+words[0] {
				d.printf("%s\n%s\n", strings.TrimSpace("usage: "+c.name+" "+c.args), c.help)
				return nil
			}
		}
		return fmt.Errorf("unknown command %q", shorten(words[0], 40))
	}
	return errUsage
}

func (d *Debugger) describeTarget(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	d.printf("%s, %s\n", d.image.Path, d.image.machine.arch)
	if t, ok := d.target.(Described); ok {
		for _, line := range t.Describe() {
			d.printf("%s\n", line)
		}
		return nil
	}
	d.printf("%s\n", count(int64(d.target.CPUs()), "CPU"))
	return nil
}

func (d *Debugger) echo(v *invocation) error {
	d.printf("%s\n", v.args)
	return nil
}

func (d *Debugger) evaluate(v *invocation) error {
	if v.args == "" {
		return errUsage
	}
	n := d.eval(v.args)
	d.printf("Evaluate expression: %d = %s", int64(n), address(n))
	if name := d.image.Name(n); name != "" {
		d.printf(" %s", name)
	}
	d.printf("\n")
	return nil
}

// count puts a number in front of a noun.
func count[T ~int | ~int64 | ~uint64](n T, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// extent takes an "L count" off the end of arguments.
func (d *Debugger) extent(args string, fallback int) (string, int) {
	n := strings.LastIndexFunc(args, func(r rune) bool { return r == 'L' || r == 'l' })
	if n < 0 || n > 0 && args[n-1] != ' ' || len(args) > n+1 && args[n+1] != ' ' && !strings.ContainsRune("0123456789abcdefABCDEF", rune(args[n+1])) {
		return args, fallback
	}
	text := strings.TrimSpace(args[n+1:])
	v, ok := number(text)
	if !ok || v == 0 || v > maxExtent {
		failf("%q is not a count from 1 to %#x", text, maxExtent)
	}
	return strings.TrimSpace(args[:n]), int(v)
}

const maxExtent = 1 << 16
