package kd

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// levels are the documented names of the IRQLs.
var levels = [...]string{
	"PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL",
	"DIRQL 3", "DIRQL 4", "DIRQL 5", "DIRQL 6", "DIRQL 7", "DIRQL 8", "DIRQL 9", "DIRQL 10", "DIRQL 11", "DIRQL 12",
	"CLOCK_LEVEL", "IPI_LEVEL", "HIGH_LEVEL",
}

func levelText(level int) string {
	switch {
	case level < 0:
		return "unknown"
	case level >= len(levels):
		return fmt.Sprint(level)
	}
	return fmt.Sprintf("%d (%s)", level, levels[level])
}

// Probe is a Target that can have a processor execute one instruction for its
// result.
type Probe interface {
	// Execute runs the instruction at addr on a processor and returns the value
	// that it leaves in the register; the processor's state is as before.
	Execute(cpu int, addr uint64, register string) (uint64, error)
}

// irqlOf returns a processor's IRQL, or -1 if it cannot be known, and what must
// be said about it. A processor that was frozen by a stop is at HIGH_LEVEL; what
// is of interest is the level it was at before.
func (d *Debugger) irqlOf(cpu int) (level int, note string) {
	err := guard(func() {
		saved, ok := 0, false
		guard(func() { saved, ok = d.stopLevel(cpu) })
		if ok {
			level, note = saved, ", saved at the stop"
			return
		}
		level, note = d.liveIRQL(cpu)
	})
	if err != nil {
		return -1, ": " + err.Error()
	}
	return level, note
}

func (d *Debugger) liveIRQL(cpu int) (level int, note string) {
	regs := d.registers(cpu)
	if l, ok := regs["irql"]; ok {
		return int(l), ""
	}
	if l, ok := regs["cr8"]; ok {
		return int(l), ""
	}
	// The stub has no ICC_PMR_EL1. A processor that halts does so at
	// PASSIVE_LEVEL; any other can be asked.
	if f := d.image.lines.PCToFunc(regs[d.image.machine.pc]); f != nil && f.Name == "irqlab/arch.Halt" {
		return 0, ""
	}
	p, ok := d.target.(Probe)
	if !ok {
		failf("this target does not tell")
	}
	addr, register := d.findPMRRead()
	pmr, err := p.Execute(cpu, addr, register)
	if err != nil {
		fail(err)
	}
	return 15 - int(pmr>>4), ""
}

// findPMRRead returns the address of an instruction of arch.ReadIRQL that reads
// the priority mask, and the register that it goes to: MRS Xt, ICC_PMR_EL1 (Arm
// ARM DDI 0487, C6.2, MRS; GIC IHI 0069, 12.2.20).
func (d *Debugger) findPMRRead() (addr uint64, register string) {
	s, ok := d.image.Symbol("irqlab/arch.ReadIRQL")
	if !ok {
		failf("no symbol irqlab/arch.ReadIRQL")
	}
	const mrs, target = 0xd5384600, 0x1f
	for a := s.Addr; a < s.Addr+s.Size; a += 4 {
		if w := little(d.bytes(a, 4)); w&^target == mrs {
			return a, fmt.Sprintf("x%d", w&target)
		}
	}
	failf("arch.ReadIRQL does not read ICC_PMR_EL1")
	panic("unreachable")
}

// optionalCPU reads the one argument of commands that are about a processor, and
// returns the processors meant: all, without it.
func (d *Debugger) optionalCPU(v *invocation) []int {
	n := d.processorsOnline()
	words := v.fields()
	switch len(words) {
	case 0:
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return all
	case 1:
		cpu, err := strconv.Atoi(words[0])
		if err != nil || cpu < 0 || cpu >= n {
			failf("there is no CPU %s; the last is %d", shorten(words[0], 40), n-1)
		}
		return []int{cpu}
	}
	fail(errUsage)
	panic("unreachable")
}

// processors is the command ~.
func (d *Debugger) processors(v *invocation) error {
	if v.args == "" {
		for cpu := range d.target.CPUs() {
			mark := ' '
			if cpu == d.cpu {
				mark = '.'
			}
			pc := uint64(0)
			if err := guard(func() { pc = d.pc(cpu) }); err != nil {
				d.printf("%c %2d  %v\n", mark, cpu, err)
				continue
			}
			d.printf("%c %2d  %s %s", mark, cpu, address(pc), d.function(pc))
			if guard(func() {
				t := d.current(cpu)
				level, note := d.irqlOf(cpu)
				d.printf("  IRQL %s, thread %s %s", levelText(level)+note, t.idText(), t.name())
			}) != nil {
				d.printf("  (the kernel has not started here)")
			}
			d.printf("\n")
		}
		return nil
	}
	cpu, err := strconv.Atoi(strings.TrimSuffix(v.args, "s"))
	if err != nil || !strings.HasSuffix(v.args, "s") {
		return errUsage
	}
	return d.setCPU(cpu)
}

func (d *Debugger) setCPU(cpu int) error {
	if cpu < 0 || cpu >= d.target.CPUs() {
		return fmt.Errorf("there is no CPU %d; the last is %d", cpu, d.target.CPUs()-1)
	}
	d.cpu = cpu
	d.next.haveCode = false
	return nil
}

// CPU returns the processor that commands are about.
func (d *Debugger) CPU() int { return d.cpu }

// irql is !irql.
func (d *Debugger) irql(v *invocation) error {
	for _, cpu := range d.optionalCPU(v) {
		level, note := d.irqlOf(cpu)
		d.printf("CPU %d: IRQL %s%s\n", cpu, levelText(level), note)
	}
	return nil
}

// running is !running; -t shows stacks, -i idle processors as well.
func (d *Debugger) runningCommand(v *invocation) error {
	stacks, idle := false, false
	for _, w := range v.fields() {
		switch w {
		case "-t":
			stacks = true
		case "-i":
			idle = true
		case "-ti", "-it":
			stacks, idle = true, true
		default:
			return errUsage
		}
	}
	d.booted()
	d.printf("%3s %7s  %-16s %4s %10s  %s\n", "CPU", "THREAD", "NAME", "PRI", "CPU TIME", "READY")
	for cpu := range d.processorsOnline() {
		t := d.current(cpu)
		if t.idle && !idle {
			continue
		}
		d.printf("%3d %7s  %-16s %4d %9.3fs  %s\n", cpu, t.idText(), t.name(), t.field("Priority").int(),
			d.seconds(t.field("Cycles").uint()), priorities(d.processor(cpu).field("summary").uint()))
		if stacks {
			d.printThreadStack(t)
		}
	}
	return nil
}

// priorities lists the bits of a ready summary, the highest first.
func priorities(summary uint64) string {
	if summary == 0 {
		return "none"
	}
	var s []string
	for ; summary != 0; summary &^= 1 << (bits.Len64(summary) - 1) {
		s = append(s, fmt.Sprint(bits.Len64(summary)-1))
	}
	return "at " + strings.Join(s, ", ")
}

// ready is !ready.
func (d *Debugger) ready(v *invocation) error {
	for _, cpu := range d.optionalCPU(v) {
		p := d.processor(cpu)
		queues := p.field("ready")
		var all []thread
		for level := queues.len() - 1; level >= 0; level-- {
			for _, e := range d.list(queues.elem(level)) {
				all = append(all, d.threadAt(d.container(e, "kernel.Thread", "Queue").addr, false))
			}
		}
		if len(all) == 0 {
			d.printf("CPU %d: no thread is ready\n", cpu)
			continue
		}
		d.printf("CPU %d: %s ready\n", cpu, count(int64(len(all)), "thread"))
		for _, t := range all {
			since := p.field("times.account.Last").uint() - t.field("ReadyTime").uint()
			d.printf("  priority %2d: thread %d %s, for %.6f s\n", t.field("Priority").int(), t.id, t.name(), d.seconds(uint64(max(0, int64(since)))))
		}
	}
	return nil
}

// pcr is !pcr.
func (d *Debugger) pcr(v *invocation) error {
	for _, cpu := range d.optionalCPU(v) {
		p, block := d.processor(cpu), d.variable("arch.CPUs").elem(cpu)
		level, note := d.irqlOf(cpu)
		t := d.current(cpu)
		d.printf("KPCR of CPU %d at %#x\n", cpu, block.addr)
		d.printf("  IRQL             %s%s\n", levelText(level), note)
		d.printf("  current thread   %d %s at %#x\n", t.id, t.name(), t.addr)
		d.printf("  idle thread      %#x\n", p.field("idle").uint())
		d.printf("  KPRCB            %#x\n", p.addr)
		d.printf("  DPC stack        %#x to %#x\n", block.field("Deferred.Lo").uint(), block.field("Deferred.Hi").uint())
		d.printf("  interrupt stack  %#x to %#x\n", block.field("Interrupt.Lo").uint(), block.field("Interrupt.Hi").uint())
		if d.has("intr.stats") {
			d.printf("  clock interrupts %d, device interrupts %d\n", p.field("clock.Ticks").uint(),
				d.variable("intr.stats").elem(cpu).field("Count").uint())
		}
	}
	return nil
}

// prcb is !prcb.
func (d *Debugger) prcb(v *invocation) error {
	for _, cpu := range d.optionalCPU(v) {
		p := d.processor(cpu)
		t := d.current(cpu)
		d.printf("KPRCB of CPU %d at %#x\n", cpu, p.addr)
		d.printf("  threads          current %#x, idle %#x\n", t.addr, p.field("idle").uint())
		d.printf("  ready            %s (summary %#x)\n", priorities(p.field("summary").uint()), p.field("summary").uint())
		d.printf("  preemption       %s, quantum end %v\n", map[bool]string{true: "due", false: "not due"}[p.field("preempt").bool()], p.field("quantumEnd").bool())
		if due := p.field("timers.due").uint(); due != ^uint64(0) {
			d.printf("  next timer       in %.6f s\n", d.until(due))
		}
		d.printf("  time             interrupts %.6f s, DPCs %.6f s, idle %.6f s\n", d.seconds(p.field("times.Interrupt").uint()),
			d.seconds(p.field("times.Deferred").uint()), d.seconds(p.field("idle").deref().field("Cycles").uint()))
		if routine := d.variable("dpc.processors").elem(cpu).field("running.Routine").uint(); routine != 0 {
			d.printf("  running DPC      %s\n", d.function(d.code(routine)))
		}
	}
	return nil
}

// dpcs is !dpcs.
func (d *Debugger) dpcs(v *invocation) error {
	for _, cpu := range d.optionalCPU(v) {
		p := d.variable("dpc.processors").elem(cpu)
		var queued []value
		for _, q := range []string{"ordinary", "threaded"} {
			for _, e := range d.list(p.field(q).field("entries")) {
				queued = append(queued, d.container(e, "dpc.Object", "Entry"))
			}
		}
		stats := p.field("stats")
		run := stats.field("Run").uint()
		d.printf("CPU %d: %d queued; %d have run, %.6f s in all", cpu, len(queued), run, d.seconds(stats.field("Time").uint()))
		if run > 0 {
			d.printf(", the longest %.6f s: %s", d.seconds(stats.field("Longest").uint()), d.function(d.code(stats.field("LongestRoutine").uint())))
		}
		d.printf("\n")
		for _, q := range queued {
			kind := "ordinary"
			if q.field("Type").uint() == typeThreadedDPC {
				kind = "threaded"
			}
			importance := [...]string{"low", "medium", "high", "medium-high"}[q.field("Importance").uint()&3]
			d.printf("  KDPC %#x %s, %s: %s(%#x)\n", q.addr, kind, importance, d.function(d.code(q.field("Routine").uint())), q.field("Context").uint())
		}
	}
	return nil
}

const typeThreadedDPC = 24 // ThreadedDpcObject of KOBJECTS

// timer is !timer.
func (d *Debugger) timer(v *invocation) error {
	cpus := d.optionalCPU(v)
	d.printf("interrupt time %.6f s at the last tick\n", float64(d.now())/perSecond)
	for _, cpu := range cpus {
		slots := d.processor(cpu).field("timers.slot")
		var all []value
		for n := range slots.len() {
			for _, e := range d.list(slots.elem(n)) {
				all = append(all, d.container(e, "kernel.Timer", "Entry"))
			}
		}
		slices.SortStableFunc(all, func(a, b value) int {
			return cmp.Compare(a.field("DueTime").uint(), b.field("DueTime").uint())
		})
		d.printf("CPU %d: %s\n", cpu, count(int64(len(all)), "timer"))
		for _, t := range all {
			d.describeTimer(t)
		}
	}
	return nil
}

func (d *Debugger) describeTimer(t value) {
	d.printf("  KTIMER %#x in %.6f s", t.addr, d.until(t.field("DueTime").uint()))
	if period := t.field("Period").uint(); period != 0 {
		d.printf(", every %d ms", period)
	}
	for _, th := range d.allThreads() {
		if th.field("Timer").addr == t.addr {
			d.printf(": ends the wait of thread %d\n", th.id)
			return
		}
	}
	d.printf(": %s", d.typeName(t.field("Header")))
	if o := t.field("DPC").uint(); o != 0 {
		d.printf(", queues KDPC %#x %s", o, d.function(d.code(d.at(o, "dpc.Object").field("Routine").uint())))
	}
	d.printf("\n")
}
