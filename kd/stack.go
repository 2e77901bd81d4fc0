package kd

import (
	"fmt"
	"path/filepath"
	"strings"
)

// frame is one function on a stack.
type frame struct {
	pc    uint64
	fp    uint64 // where the chain of frame pointers is
	exact bool   // pc is an instruction that did not run yet, not a return address
	trap  uint64 // address of the trap frame that it was found in, or 0
}

// site returns an address inside the instruction that the frame stands at.
func (f frame) site() uint64 {
	if f.exact {
		return f.pc
	}
	return f.pc - 1
}

// maxFrames bounds a stack: a longer one is shown in part.
const maxFrames = 200

// walker follows a stack as the kernel's own back traces do: at the frame
// pointer is the caller's, in the word after it the return address, on both
// architectures. Gates and trap stubs link the chains of the stacks they join.
// Where a trap came in, the trap frame has the registers: a function that was
// interrupted before it had a frame is not missed.
type walker struct {
	d      *Debugger
	frames []frame
}

// stackOf walks from a processor's registers.
func (d *Debugger) stackOf(cpu int) []frame {
	w := walker{d: d}
	m, regs := d.image.machine, d.registers(cpu)
	w.from(frame{pc: regs[m.pc], fp: regs[m.fp], exact: true}, regs[m.sp], regs[m.link])
	w.resume(cpu)
	return w.frames
}

// resume goes on where a processor's raised goroutine stands, if the stack has ended
// because it gave way to the Go runtime's scheduler: see bugcheck.Trace. A dump may
// have neither the goroutine nor its stack, but what the kernel has seen of them.
func (w *walker) resume(cpu int) {
	n := len(w.frames)
	last := w.d.image.lines.PCToFunc(w.frames[n-1].site())
	if last == nil || last.Name != "runtime.mcall" && last.Name != "runtime.morestack" {
		return
	}
	guard(func() { w.goroutine(w.d.current(cpu).field("Context.Raised").uint()) })
	if seen := w.d.traced(cpu, w.frames[n-1].pc); len(seen) > len(w.frames)-n {
		w.frames = append(w.frames[:n], seen...)
	}
}

// goroutine goes on where a goroutine stands.
func (w *walker) goroutine(g uint64) {
	if g == 0 {
		return
	}
	saved := w.d.at(g, "runtime.g").field("sched")
	w.from(frame{pc: saved.field("pc").uint(), fp: saved.field("bp").uint()}, saved.field("sp").uint(), saved.field("lr").uint())
}

// traced returns what the kernel's back trace of a stop has behind a return address.
func (d *Debugger) traced(cpu int, pc uint64) (frames []frame) {
	b, stopped := d.bugCheck()
	if !stopped || b.CPU != cpu {
		return nil
	}
	guard(func() {
		trace := d.variable("bugcheck.LastStop").field("Trace")
		pcs, fps, behind := trace.field("PCs"), trace.field("FPs"), false
		for n := range min(int(trace.field("N").int()), pcs.len()) {
			if behind {
				frames = append(frames, frame{pc: pcs.elem(n).uint(), fp: fps.elem(n).uint()})
			}
			behind = behind || pcs.elem(n).uint() == pc
		}
	})
	return frames
}

// stackFrom walks from a frame pointer.
func (d *Debugger) stackFrom(fp uint64) []frame {
	w := walker{d: d}
	w.chain(fp)
	return w.frames
}

func (w *walker) add(f frame) bool {
	if len(w.frames) == maxFrames {
		return false
	}
	w.frames = append(w.frames, f)
	return true
}

// from walks from a function that may not have its frame yet.
func (w *walker) from(f frame, sp, link uint64) {
	if !w.add(f) {
		return
	}
	caller, linked := uint64(0), false
	if w.d.image.frames != nil {
		caller, linked = w.caller(f.site(), sp, f.fp, link)
	}
	if !linked && caller != 0 && w.d.image.inText(caller) {
		if !w.add(frame{pc: caller, fp: f.fp}) {
			return
		}
	}
	w.chain(f.fp)
}

// caller returns the return address of the function at pc, and whether it is in
// the chain at fp as well.
func (w *walker) caller(pc, sp, fp, link uint64) (ret uint64, linked bool) {
	rule, ok := w.d.image.frames.rule(pc)
	if !ok {
		// A jump to nowhere: the return address is where the call put it.
		if w.d.image.machine.link != "" {
			return link, false
		}
		ret, _ = w.d.memory.word(sp)
		return ret, false
	}
	cfa := sp + uint64(rule.cfa)
	if w.d.image.machine.link == "" {
		ret, _ = w.d.memory.word(cfa - 8)
		return ret, fp == cfa-16
	}
	if !rule.saved {
		return link, false
	}
	at := cfa + uint64(rule.at)
	ret, _ = w.d.memory.word(at)
	return ret, fp == at-8
}

func (w *walker) chain(fp uint64) {
	for fp != 0 && fp%8 == 0 {
		next, ok1 := w.d.memory.word(fp)
		pc, ok2 := w.d.memory.word(fp + 8)
		if !ok1 || !ok2 || pc == 0 || !w.add(frame{pc: pc, fp: next}) || next == fp {
			return
		}
		if w.stub() && w.trap(next) {
			return
		}
		fp = next
	}
}

// stub reports whether the last frame is that of a trap stub: assembly, which has
// no package, that has called the kernel's entry.
func (w *walker) stub() bool {
	n := len(w.frames) - 1
	if n < 1 {
		return false
	}
	lines := w.d.image.lines
	callee, f := lines.PCToFunc(w.frames[n-1].site()), lines.PCToFunc(w.frames[n].site())
	return callee != nil && f != nil && !strings.Contains(f.Name, ".") &&
		(callee.Name == "irqlab/entry.trap" || callee.Name == "irqlab/entry.syscall")
}

// trap goes on from the trap frame that goes with a stub's link in the chain.
func (w *walker) trap(fp uint64) bool {
	if w.d.image.dwarf == nil {
		return false
	}
	addr, ok := w.d.trapFrame(fp)
	if !ok {
		return false
	}
	var pc, sp, bp, link uint64
	err := guard(func() {
		f := w.d.at(addr, "arch.Frame")
		pc, sp, bp, link = f.trapRegisters()
	})
	if chained, ok := w.d.memory.word(fp + 8); err != nil || !ok || chained != pc {
		return false
	}
	w.from(frame{pc: pc, fp: bp, exact: true, trap: addr}, sp, link)
	return true
}

// trapFrame returns the address of the trap frame whose link in the chain is at
// fp: see trap_amd64.s and type Frame of arm64 in package arch.
func (d *Debugger) trapFrame(fp uint64) (addr uint64, ok bool) {
	if d.image.machine.arch == AMD64 {
		return d.memory.word(fp - 8)
	}
	err := guard(func() { addr = fp - d.at(0, "arch.Frame").field("Chain").addr })
	return addr, err == nil
}

// trapRegisters returns what a walk begins with.
func (v value) trapRegisters() (pc, sp, fp, link uint64) {
	pc, sp = v.field("IP").uint(), v.field("StackPointer").uint()
	if v.d.image.machine.arch == AMD64 {
		return pc, sp, v.field("BP").uint(), 0
	}
	x := v.field("X")
	return pc, sp, x.elem(29).uint(), x.elem(30).uint()
}

// stack is the command k.
func (d *Debugger) stack(v *invocation) error {
	if v.args == "" {
		d.printStack(d.stackOf(d.cpu))
		return nil
	}
	d.printStack(d.findThread(v.args).stack())
	return nil
}

// printThreadStack prints a thread's stack, or why it is not known.
func (d *Debugger) printThreadStack(t thread) {
	var frames []frame
	if err := guard(func() { frames = t.stack() }); err != nil {
		d.printf("no stack: %v\n", err)
		return
	}
	d.printStack(frames)
}

func (d *Debugger) printStack(frames []frame) {
	d.printf(" # %-17s %-17s %s\n", "Frame", "Address", "Call Site")
	line := 0
	for _, f := range frames {
		if f.trap != 0 {
			d.printf("   (TrapFrame @ %s)\n", address(f.trap))
		}
		positions := d.image.Positions(f.site())
		if len(positions) == 0 {
			d.printf("%02x %s %s %s\n", line, address(f.fp), address(f.pc), "0x"+hex(f.pc, 16))
			line++
			continue
		}
		for _, p := range positions {
			if p.Inlined {
				d.printf("%02x %-17s %-17s %s [%s @ %d]\n", line, "(Inline Function)", "--------`--------", p.Function, tail(p.File), p.Line)
			} else {
				d.printf("%02x %s %s %s+0x%x [%s @ %d]\n", line, address(f.fp), address(f.pc), p.Function, f.pc-p.Entry, tail(p.File), p.Line)
			}
			line++
		}
	}
	if len(frames) == maxFrames {
		d.printf("   ...\n")
	}
}

// place names the function that a frame stands in, and how far its instruction is
// from the beginning.
func (d *Debugger) place(f frame) string {
	s, ok := d.image.Nearest(f.site())
	switch {
	case !ok:
		return fmt.Sprintf("%#x", f.pc)
	case s.Addr == f.pc:
		return s.Name
	}
	return fmt.Sprintf("%s+0x%x", s.Name, f.pc-s.Addr)
}

// tail returns the last two elements of a path: enough to know a file by.
func tail(path string) string {
	return filepath.ToSlash(filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path)))
}
