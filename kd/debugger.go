package kd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Debugger is a session with one machine.
type Debugger struct {
	image  *Image
	target Target
	out    io.Writer
	memory memory

	cpu     int               // that commands are about
	regs    map[int]Registers // read since the machine stopped
	threads []thread          // found since the machine stopped
	next    cursorState
	breaks  breakpoints
	gone    bool
}

// cursorState is where display commands go on without an address.
type cursorState struct {
	display   uint64
	assembly  uint64
	haveCode  bool
	haveBytes bool
}

// New starts a session. What commands say goes to out. They are about the
// processor that stopped the machine, if one has.
func New(image *Image, target Target, out io.Writer) *Debugger {
	d := &Debugger{image: image, target: target, out: out}
	d.memory = memory{image: image, target: target}
	if b, stopped := d.bugCheck(); stopped && b.CPU < target.CPUs() {
		d.cpu = b.CPU
	}
	return d
}

// Gone reports whether the machine has ended.
func (d *Debugger) Gone() bool { return d.gone }

// Stopped reports whether a bug check has stopped the machine.
func (d *Debugger) Stopped() bool {
	_, stopped := d.bugCheck()
	return stopped
}

// forget drops what was read from the machine, because it has run.
func (d *Debugger) forget() {
	d.memory.pages = nil
	d.regs = nil
	d.threads = nil
	d.next.haveCode = false
}

func (d *Debugger) printf(format string, args ...any) { fmt.Fprintf(d.out, format, args...) }

// registers returns a processor's registers.
func (d *Debugger) registers(cpu int) Registers {
	if r, ok := d.regs[cpu]; ok {
		return r
	}
	r, err := d.target.Registers(cpu)
	if err != nil {
		fail(err)
	}
	if d.regs == nil {
		d.regs = map[int]Registers{}
	}
	d.regs[cpu] = r
	return r
}

// register returns a register of the current processor.
func (d *Debugger) register(name string) (uint64, error) {
	if v, ok := d.registers(d.cpu)[name]; ok {
		return v, nil
	}
	for _, row := range d.image.machine.shown {
		if slices.Contains(row, name) {
			return 0, fmt.Errorf("%s is not known: %s", name, unknownRegisters)
		}
	}
	return 0, fmt.Errorf("no register %s", name)
}

// unknownRegisters is why a dump does not have all of a processor's registers.
const unknownRegisters = "the processor called the kernel to stop the machine, and no trap saved its registers"

// failure carries an error from where memory was read to the command's end: a
// command reads dozens of words, each of which may be missing.
type failure struct{ err error }

func fail(err error) { panic(failure{err}) }

func failf(format string, args ...any) { fail(fmt.Errorf(format, args...)) }

// guard runs f and returns what it failed with.
func guard(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			failed, ok := r.(failure)
			if !ok {
				panic(r)
			}
			err = failed.err
		}
	}()
	f()
	return nil
}

// errUsage says that a command's arguments make no sense.
var errUsage = errors.New("usage")

// ErrQuit ends a session.
var ErrQuit = errors.New("quit")

// Execute runs a line: commands with semicolons between them. All of them are
// run, also after one has failed; the first error is returned, the others are
// printed.
func (d *Debugger) Execute(ctx context.Context, line string) error {
	var first error
	for _, text := range split(line) {
		err := d.execute(ctx, text)
		if err == ErrQuit || ctx.Err() != nil {
			return err
		}
		if err != nil {
			d.printf("%v\n", err)
			if first == nil {
				first = err
			}
		}
	}
	return first
}

// split cuts a line at its semicolons, those in quotes aside.
func split(line string) []string {
	var parts []string
	quoted := false
	start := 0
	for n, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ';' && !quoted:
			parts = append(parts, line[start:n])
			start = n + 1
		}
	}
	parts = append(parts, line[start:])
	var all []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			all = append(all, p)
		}
	}
	return all
}

func (d *Debugger) execute(ctx context.Context, text string) error {
	name, rest, c, err := lookup(text)
	if err != nil {
		return err
	}
	if d.gone && !c.always {
		return fmt.Errorf("%s: %w", name, ErrGone)
	}
	gerr := guard(func() { err = c.run(d, &invocation{ctx: ctx, name: name, args: rest}) })
	if gerr != nil {
		err = gerr
	}
	switch {
	case err == errUsage:
		return fmt.Errorf("usage: %s", strings.TrimSpace(c.name+" "+c.args))
	case err == nil || err == ErrQuit:
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// invocation is one use of a command.
type invocation struct {
	ctx  context.Context
	name string // as typed
	args string
}

func (v *invocation) fields() []string { return strings.Fields(v.args) }
