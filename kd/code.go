package kd

import (
	"fmt"
	"strings"

	"golang.org/x/arch/arm64/arm64asm"
	"golang.org/x/arch/x86/x86asm"

	"irqlab/disasm"
)

// instruction is a decoded one.
type instruction struct {
	text string
	size int
	call bool // comes back to what follows it
}

// longest is the length of the longest instruction.
const longest = 15

// decode disassembles the instruction at addr.
func (d *Debugger) decode(addr uint64) instruction {
	if d.image.machine.arch == ARM64 {
		return d.decodeARM64(addr)
	}
	b := d.bytes(addr, 1)
	n := longest
	for b = append(b, make([]byte, n-1)...); d.memory.read(addr, b[:n]) != nil; {
		n--
	}
	i, err := x86asm.Decode(b[:n], 64)
	if err != nil {
		return instruction{"???", 1, false}
	}
	text := x86asm.IntelSyntax(i, addr, nil)
	if rel, ok := i.Args[0].(x86asm.Rel); ok {
		to := addr + uint64(i.Len) + uint64(int64(rel))
		text = fmt.Sprintf("%s %s (%s)", strings.ToLower(i.Op.String()), d.function(to), address(to))
	}
	return instruction{text, i.Len, i.Op == x86asm.CALL}
}

func (d *Debugger) decodeARM64(addr uint64) instruction {
	b := d.bytes(addr, 4)
	i, err := arm64asm.Decode(b)
	if err != nil {
		w, known := uint32(little(b)), disasm.Line{}
		if disasm.ARM64(&known, w, addr) { // atomics, which x/arch has not
			return instruction{strings.Clone(known.String()), 4, false}
		}
		return instruction{fmt.Sprintf(".inst 0x%08x", w), 4, false}
	}
	text := strings.TrimSpace(strings.ToLower(arm64asm.GNUSyntax(i)))
	if i.Op == arm64asm.ADRP {
		addr &^= 0xfff // its distance is in pages
	}
	for _, arg := range i.Args {
		// A distance gives way to where it leads.
		if rel, ok := arg.(arm64asm.PCRel); ok {
			text = strings.Replace(text, strings.ToLower(rel.String()), d.function(addr+uint64(int64(rel))), 1)
		}
	}
	return instruction{text, 4, i.Op == arm64asm.BL || i.Op == arm64asm.BLR}
}

// line prints the instruction at addr and returns the next one's address.
func (d *Debugger) line(addr uint64) uint64 {
	if d.image.machine.arch == ARM64 {
		addr &^= 3 // as instructions are
	}
	i := d.decode(addr)
	var code strings.Builder
	for _, c := range d.bytes(addr, i.size) {
		code.WriteString(hex(uint64(c), 2))
	}
	if d.image.machine.arch == ARM64 {
		code.Reset()
		code.WriteString(hex(little(d.bytes(addr, 4)), 8))
	}
	d.printf("%s %-16s %s\n", address(addr), code.String(), i.text)
	return addr + uint64(i.size)
}

// heading prints the function that addr is in, if it is in one.
func (d *Debugger) heading(addr uint64) {
	name := d.image.Name(addr)
	if name == "" {
		return
	}
	d.printf("%s", name)
	if p := d.image.Positions(addr); len(p) > 0 && p[0].Line > 0 { // padding has no source
		d.printf(" [%s @ %d]", tail(p[0].File), p[0].Line)
	}
	d.printf(":\n")
}

func (d *Debugger) unassemble(v *invocation) error {
	text, n := d.extent(v.args, 8)
	addr := d.next.assembly
	switch {
	case text != "":
		addr = d.eval(text)
	case !d.next.haveCode:
		addr = d.registers(d.cpu)[d.image.machine.pc]
	}
	d.next.haveCode = true
	d.heading(addr)
	for ; n > 0 && v.ctx.Err() == nil; n-- {
		addr = d.line(addr)
		d.next.assembly = addr
	}
	return nil
}

func (d *Debugger) unassembleFunction(v *invocation) error {
	addr := d.registers(d.cpu)[d.image.machine.pc]
	if v.args != "" {
		addr = d.eval(v.args)
	}
	s, ok := d.image.Nearest(addr)
	if !ok || !s.Code {
		return fmt.Errorf("no function at %s", address(addr))
	}
	d.heading(s.Addr)
	for addr = s.Addr; addr < s.Addr+s.Size; {
		addr = d.line(addr)
	}
	d.next.assembly, d.next.haveCode = addr, true
	return nil
}

func (d *Debugger) showRegisters(v *invocation) error {
	regs := d.registers(d.cpu)
	if v.args != "" {
		return d.oneRegister(v.args)
	}
	m := d.image.machine
	for _, row := range m.shown {
		for n, name := range row {
			if n > 0 {
				d.printf(" ")
			}
			d.printf("%3s=%s", name, registerText(regs, name, 16))
		}
		d.printf("\n")
	}
	d.printf("%s=%s", m.flags, registerText(regs, m.flags, 8))
	if level, how := d.irqlOf(d.cpu); level >= 0 {
		d.printf("  IRQL %s", levelText(level)+how)
	}
	d.printf("\n")
	if _, known := regs[m.flags]; !known {
		d.printf("?: %s\n", unknownRegisters)
	}
	pc := regs[m.pc]
	d.heading(pc)
	if err := guard(func() { d.line(pc) }); err != nil {
		d.printf("%s ??\n", address(pc))
	}
	return nil
}

// registerText writes a register with a number of digits.
func registerText(regs Registers, name string, digits int) string {
	v, ok := regs[name]
	if !ok {
		return strings.Repeat("?", digits)
	}
	return hex(v, digits)
}

// oneRegister is r name and r name=value.
func (d *Debugger) oneRegister(text string) error {
	name, change, set := strings.Cut(text, "=")
	name = strings.ToLower(strings.Trim(name, " @"))
	if name == "" {
		return errUsage
	}
	name = d.image.machine.register(name)
	v, err := d.register(name)
	if err != nil {
		return err
	}
	if !set {
		d.printf("%s=%s\n", name, hex(v, 16))
		return nil
	}
	c, ok := d.target.(Control)
	if !ok {
		return errDump
	}
	value := d.eval(change)
	err = c.SetRegister(d.cpu, name, value)
	d.regs = nil
	return err
}
