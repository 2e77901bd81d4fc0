package kd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

func controlCommands() []command {
	return []command{
		{name: "bp", args: "address", help: "set a breakpoint", run: (*Debugger).setBreakpoint},
		{name: "bl", help: "list the breakpoints", run: (*Debugger).listBreakpoints},
		{name: "bc", args: "number|*", help: "clear a breakpoint, or all", run: (*Debugger).clearBreakpoint},
		{name: "g", args: "[address]", help: "let the machine run, at most up to an address; Ctrl-A B breaks in", run: (*Debugger).goOn},
		{name: "t", args: "[count]", help: "execute an instruction of the current processor, or a hexadecimal number of them", run: (*Debugger).trace},
		{name: "p", args: "[count]", help: "the same, with calls as one instruction; the count is hexadecimal as well", run: (*Debugger).pass},
		{name: ".dump", args: "file", help: "write a crash dump of the machine as it stands", run: (*Debugger).writeDump},
		{name: ".bugcheck", help: "show the bug check that stopped the machine", run: (*Debugger).bugCheckCommand},
		{name: "!analyze", args: "[-v]", help: "explain the bug check that stopped the machine", run: (*Debugger).analyze},
	}
}

// errDump is what commands that change something answer to a dump.
var errDump = errors.New("the machine in a dump does not run")

func (d *Debugger) control() Control {
	c, ok := d.target.(Control)
	if !ok {
		fail(errDump)
	}
	return c
}

// breakpoints are those of the user, by number, and the debugger's own.
type breakpoints struct {
	set       []breakpoint
	next      int
	installed map[uint64]int // how often by address: the stub knows each once

	// Where the debugger is wanted; 0 before the machine has run, or if the image
	// has no such place.
	bugCheck    uint64
	instruction uint64
}

type breakpoint struct {
	number int
	addr   uint64
}

// install makes the machine stop at an address.
func (d *Debugger) install(addr uint64) error {
	b := &d.breaks
	if b.installed[addr] == 0 {
		if err := d.control().SetBreakpoint(addr); err != nil {
			return err
		}
	}
	if b.installed == nil {
		b.installed = map[uint64]int{}
	}
	b.installed[addr]++
	return nil
}

// remove ends what install began.
func (d *Debugger) remove(addr uint64) error {
	b := &d.breaks
	b.installed[addr]--
	if b.installed[addr] > 0 || d.gone {
		return nil
	}
	delete(b.installed, addr)
	return d.control().ClearBreakpoint(addr)
}

func (d *Debugger) setBreakpoint(v *invocation) error {
	d.control()
	if v.args == "" {
		return errUsage
	}
	addr := d.codeAt(v.args)
	for _, b := range d.breaks.set {
		if b.addr == addr {
			return fmt.Errorf("breakpoint %d is there already", b.number)
		}
	}
	if err := d.install(addr); err != nil {
		return err
	}
	d.breaks.set = append(d.breaks.set, breakpoint{d.breaks.next, addr})
	d.breaks.next++
	return nil
}

func (d *Debugger) listBreakpoints(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	for _, b := range d.breaks.set {
		d.printf("%2d e %s %s\n", b.number, address(b.addr), d.function(b.addr))
	}
	return nil
}

func (d *Debugger) clearBreakpoint(v *invocation) error {
	d.control()
	number, err := strconv.Atoi(v.args)
	if v.args != "*" && err != nil {
		return errUsage
	}
	kept := d.breaks.set[:0:0]
	for _, b := range d.breaks.set {
		if v.args != "*" && b.number != number {
			kept = append(kept, b)
		} else if err := d.remove(b.addr); err != nil {
			return err
		}
	}
	if len(kept) == len(d.breaks.set) && v.args != "*" {
		return fmt.Errorf("there is no breakpoint %d; bl lists them", number)
	}
	d.breaks.set = kept
	return nil
}

// codeAt returns the address of an instruction.
func (d *Debugger) codeAt(text string) uint64 {
	addr := d.eval(text)
	if !d.image.inText(addr) {
		failf("%s is not in the program's code", address(addr))
	}
	return addr
}

// at returns the breakpoint at an address.
func (b *breakpoints) at(addr uint64) (breakpoint, bool) {
	n := slices.IndexFunc(b.set, func(b breakpoint) bool { return b.addr == addr })
	if n < 0 {
		return breakpoint{}, false
	}
	return b.set[n], true
}

// pc returns where a processor stands.
func (d *Debugger) pc(cpu int) uint64 { return d.registers(cpu)[d.image.machine.pc] }

// resume lets the machine run until something stops it, and makes the processor
// that did the current one.
func (d *Debugger) resume(ctx context.Context) error {
	c := d.control()
	if err := d.watch(); err != nil {
		return err
	}
	for cpu := range c.CPUs() {
		if pc := d.pc(cpu); d.breaks.installed[pc] > 0 {
			if err := d.stepOver(cpu, pc); err != nil {
				return err
			}
		}
	}
	d.forget()
	stop, err := c.Resume(ctx)
	if err != nil {
		return err
	}
	if stop.Exited {
		d.gone = true
		return nil
	}
	d.cpu = stop.CPU
	return nil
}

// wanted are the functions of the kernel that it calls for a debugger: before the
// machine that a bug check has stopped ends, and for breakpoint instructions that
// nobody handles. Nothing else runs there, so that nothing is slower for it.
const (
	atBugCheck    = "irqlab/bugcheck.leave"
	atInstruction = "irqlab/bugcheck.debuggerBreak"
)

// watch makes the machine stop where the debugger is wanted.
func (d *Debugger) watch() error {
	for name, at := range map[string]*uint64{atBugCheck: &d.breaks.bugCheck, atInstruction: &d.breaks.instruction} {
		s, ok := d.image.Symbol(name)
		if !ok || *at != 0 {
			continue
		}
		if err := d.install(s.Addr); err != nil {
			return err
		}
		*at = s.Addr
	}
	return nil
}

// stepOver executes the instruction at a breakpoint.
func (d *Debugger) stepOver(cpu int, addr uint64) error {
	c := d.control()
	if err := c.ClearBreakpoint(addr); err != nil {
		return err
	}
	d.forget()
	err := c.Step(cpu)
	return errors.Join(err, c.SetBreakpoint(addr))
}

// goOn is the command g.
func (d *Debugger) goOn(v *invocation) error {
	until := uint64(0)
	if v.args != "" {
		until = d.codeAt(v.args)
		if err := d.install(until); err != nil {
			return err
		}
		defer d.remove(until)
	}
	if err := d.resume(v.ctx); err != nil || d.gone {
		return err
	}
	if pc := d.pc(d.cpu); pc == until && !d.expected(pc) {
		d.here()
		return nil
	}
	return d.arrived(v.ctx, d.pc(d.cpu))
}

// expected reports whether the machine stops at pc for more than one g or p.
func (d *Debugger) expected(pc uint64) bool {
	_, set := d.breaks.at(pc)
	return set || pc != 0 && (pc == d.breaks.bugCheck || pc == d.breaks.instruction)
}

// arrived says why the machine has stopped, and where.
func (d *Debugger) arrived(ctx context.Context, pc uint64) error {
	b, breakpoint := d.breaks.at(pc)
	switch {
	case breakpoint:
		d.printf("Breakpoint %d hit\n", b.number)
	case pc == d.breaks.bugCheck:
		d.announce()
		return nil
	case pc == d.breaks.instruction:
		return d.breakInstruction(ctx)
	default:
		d.printf("Break-in\n")
	}
	d.here()
	return nil
}

// breakInstruction shows the breakpoint instruction that nobody has handled, once it
// is the interrupted code that the commands are about: the kernel is told that the
// debugger has seen it (see bugcheck.Breakpoint), and goes on as far as there.
func (d *Debugger) breakInstruction(ctx context.Context) error {
	const what = "Break instruction exception - code 80000003\n"
	var at, behind uint64
	var of activation
	err := guard(func() {
		f := d.at(untilTrap(d.stackOf(d.cpu))[0].trap, "arch.Frame")
		at, behind = f.field("IP").uint(), f.field("IP").uint()
		if d.image.machine.arch == AMD64 { // INT3 has been executed
			at--
			of = d.activationAt(f.field("R14").uint(), f.field("StackPointer").uint())
		} else {
			behind += 4
			of = d.activationAt(f.field("X").elem(28).uint(), f.field("StackPointer").uint())
		}
		s, ok := d.image.Symbol("irqlab/bugcheck.answered")
		if !ok {
			failf("the kernel would not go on")
		}
		if err := d.control().WriteMemory(s.Addr+uint64(d.cpu), []byte{1}); err != nil {
			fail(err)
		}
	})
	if err != nil {
		d.printf(what)
		d.here()
		return err
	}
	done, err := d.runTo(ctx, behind, of)
	d.printf(what)
	d.heading(at)
	guard(func() { d.line(at) })
	if err != nil || done || d.gone {
		return err
	}
	return d.arrived(ctx, d.pc(d.cpu))
}

// here shows where the current processor stands.
func (d *Debugger) here() {
	d.next.haveCode = false
	pc := d.pc(d.cpu)
	d.heading(pc)
	if err := guard(func() { d.line(pc) }); err != nil {
		d.printf("%s ??\n", address(pc))
	}
}

// steps reads the count of t and p.
func (d *Debugger) steps(v *invocation) int {
	if v.args == "" {
		return 1
	}
	n, ok := number(v.args)
	if !ok || n == 0 || n > maxExtent {
		failf("%q is not a count from 1 to %#x", v.args, maxExtent)
	}
	return int(n)
}

// trace is the command t.
func (d *Debugger) trace(v *invocation) error {
	d.control()
	for range d.steps(v) {
		if err := d.step(); err != nil {
			return err
		}
		if v.ctx.Err() != nil {
			break
		}
	}
	d.here()
	return nil
}

func (d *Debugger) step() error {
	pc := d.pc(d.cpu)
	if d.breaks.installed[pc] > 0 {
		err := d.stepOver(d.cpu, pc)
		d.forget()
		return d.ended(err)
	}
	err := d.control().Step(d.cpu)
	d.forget()
	return d.ended(err)
}

func (d *Debugger) ended(err error) error {
	if errors.Is(err, ErrGone) {
		d.gone = true
	}
	return err
}

// pass is the command p.
func (d *Debugger) pass(v *invocation) error {
	d.control()
	for range d.steps(v) {
		i := d.decode(d.pc(d.cpu))
		if !i.call {
			if err := d.step(); err != nil {
				return err
			}
			continue
		}
		done, err := d.call(v.ctx, d.pc(d.cpu)+uint64(i.size))
		if err != nil || !done || v.ctx.Err() != nil {
			return err
		}
	}
	d.here()
	return nil
}

// call runs until the function that the current processor is in comes to the
// address, and reports whether it did.
func (d *Debugger) call(ctx context.Context, to uint64) (done bool, err error) {
	m, regs := d.image.machine, d.registers(d.cpu)
	done, err = d.runTo(ctx, to, d.activationAt(regs[m.g], regs[m.sp]))
	if err != nil || done || d.gone {
		return done, err
	}
	return false, d.arrived(ctx, d.pc(d.cpu))
}

// runTo runs until a function's activation comes to the address, on whichever
// processor, and reports whether it did: something else may stop the machine.
func (d *Debugger) runTo(ctx context.Context, to uint64, of activation) (done bool, err error) {
	if err := d.install(to); err != nil {
		return false, err
	}
	defer d.remove(to)
	for {
		if err := d.resume(ctx); err != nil || d.gone {
			return false, err
		}
		if d.pc(d.cpu) != to {
			return false, nil
		}
		m, regs := d.image.machine, d.registers(d.cpu)
		if at := d.activationAt(regs[m.g], regs[m.sp]); at.of == of.of && at.depth <= of.depth {
			return true, nil
		}
		if _, set := d.breaks.at(to); set {
			return false, nil
		}
		// Another goroutine's call, or one within this call: resume steps over it.
	}
}

// activation tells the calls of a function apart: who makes it, and how many bytes
// of stack are in use. Stacks move when they grow, and goroutines and threads go to
// other processors.
type activation struct{ of, depth uint64 }

// activationAt returns that of a goroutine, or of kernel context, by the bounds of
// the stack that its g begins with (runtime.g, arch.G); in code that has no g, of
// the current thread.
func (d *Debugger) activationAt(g, sp uint64) activation {
	lo, ok1 := d.memory.word(g)
	hi, ok2 := d.memory.word(g + 8)
	if ok1 && ok2 && lo < sp && sp <= hi {
		return activation{g, hi - sp}
	}
	thread := uint64(0)
	guard(func() { thread = d.current(d.cpu).addr })
	return activation{thread, -sp}
}
