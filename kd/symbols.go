package kd

import (
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"strings"
)

func (d *Debugger) examine(v *invocation) error {
	pattern := strings.TrimPrefix(v.args, "nt!")
	if pattern == "" {
		return errUsage
	}
	found := d.image.Matching(pattern)
	if len(found) == 0 {
		found = d.image.Matching("irqlab/" + pattern)
	}
	for _, s := range found {
		d.printf("%s %s\n", address(s.Addr), s.Name)
	}
	if len(found) == 0 {
		return fmt.Errorf("no symbol fits %q", pattern)
	}
	return nil
}

func (d *Debugger) listNearest(v *invocation) error {
	if v.args == "" {
		return errUsage
	}
	addr := d.eval(v.args)
	s, ok := d.image.Nearest(addr)
	if !ok {
		return fmt.Errorf("no symbol at %s", address(addr))
	}
	for _, p := range d.image.Positions(addr) {
		inlined := ""
		if p.Inlined {
			inlined = " (inlined)"
		}
		d.printf("%s(%d)%s: %s\n", p.File, p.Line, inlined, p.Function)
	}
	d.printf("(%s)   %s", address(s.Addr), s.Name)
	if addr != s.Addr {
		d.printf("+0x%x", addr-s.Addr)
	}
	d.printf("   |  (%s)\n", address(s.Addr+s.Size))
	return nil
}

func (d *Debugger) listModules(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	d.printf("%-17s %-17s %s\n", "start", "end", "image")
	low, high := ^uint64(0), uint64(0)
	for _, p := range d.image.loads {
		low, high = min(low, p.Vaddr), max(high, p.Vaddr+p.Memsz)
	}
	types := "symbols and types"
	if d.image.dwarf == nil {
		types = "symbols, no types"
	}
	d.printf("%s %s %s (%s, %s)\n", address(low), address(high), d.image.Path, d.image.machine.arch, types)
	for _, s := range d.image.file.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Size > 0 {
			d.printf("  %s %s %s\n", address(s.Addr), address(s.Addr+s.Size), s.Name)
		}
	}
	if info, err := buildinfo.ReadFile(d.image.Path); err == nil {
		d.printf("built with %s from\n", info.GoVersion)
		for _, dep := range info.Deps {
			d.printf("  %s %s\n", dep.Path, dep.Version)
		}
		d.printf("  %s %s\n", info.Main.Path, info.Main.Version)
	}
	return nil
}
