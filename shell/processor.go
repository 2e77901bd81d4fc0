package main

import (
	"cmp"
	"fmt"
	"math/bits"
	"runtime"
	"slices"
	"strings"

	"irqlab/board"
	"irqlab/dpc"
	"irqlab/intr"
	"irqlab/ipi"
	"irqlab/irql"
	"irqlab/kernel"
)

func (sh *shell) irql(args []string) error {
	cpus, err := optionalCPU(args)
	if err != nil {
		return err
	}
	levels := ipi.Levels()
	for _, cpu := range cpus {
		fmt.Fprintf(sh.console, "CPU %d: IRQL %d (%v)\n", cpu, uint8(levels[cpu]), levels[cpu])
	}
	return nil
}

// fixed are the interrupts that are no device's.
var fixed = []struct {
	level   irql.Level
	purpose string
}{
	{irql.APC, "software interrupt: what is pending for the thread"},
	{irql.Dispatch, "software interrupt: timers, DPCs, thread switch"},
	{irql.Clock, "clock: quantum, timers that are due"},
	{irql.IPI, "other processors' requests"},
}

func (sh *shell) idt(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	type row struct {
		vector board.Vector
		level  irql.Level
		text   string
	}
	var rows []row
	for _, f := range fixed {
		v := board.SoftVector(uintptr(f.level))
		if f.level == irql.Clock {
			v = board.ClockVector
		}
		rows = append(rows, row{v, f.level, f.purpose})
	}
	for _, i := range all(intr.List) {
		source := fmt.Sprintf("line %d", i.Line)
		if i.Line < 0 {
			source = "software"
		}
		if i.Mode == intr.Latched {
			source += ", latched"
		} else {
			source += ", level"
		}
		if i.Shared {
			source += ", shared"
		}
		rows = append(rows, row{i.Vector, i.Level, fmt.Sprintf("%s (%s), CPU %d: %d calls, KINTERRUPT %#x",
			function(i.Routine), source, i.CPU, i.Called, i.Address)})
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.level, b.level) })
	fmt.Fprintf(sh.console, "%-8s %-18s %s\n", "VECTOR", "IRQL", "SERVED BY")
	for _, r := range rows {
		fmt.Fprintf(sh.console, "%#-8x %2d %-15v %s\n", uintptr(r.vector), uint8(r.level), r.level, r.text)
	}
	return nil
}

// function names the function at pc.
func function(pc uintptr) string {
	if f := runtime.FuncForPC(pc); f != nil {
		return f.Name()
	}
	return fmt.Sprintf("%#x", pc)
}

func (sh *shell) running(args []string) error {
	stacks, idle := false, false
	for _, a := range args {
		switch a {
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
	fmt.Fprintf(sh.console, "%3s %7s  %-16s %4s %10s  %s\n", "CPU", "THREAD", "NAME", "PRI", "CPU TIME", "READY")
	for cpu, p := range processors() {
		t := &p.Current
		id := fmt.Sprint(t.ID)
		if t.Idle {
			if !idle {
				continue
			}
			id = "-"
		}
		fmt.Fprintf(sh.console, "%3d %7s  %-16s %4d %9.3fs  %s\n", cpu, id, name(t), t.Priority, seconds(t.Cycles), priorities(p.Summary))
		if stacks {
			sh.ownStack(t)
		}
	}
	return nil
}

// ownStack shows a running thread's stack, if it is the one that asks: nobody can
// read what another processor is changing.
func (sh *shell) ownStack(t *kernel.ThreadInfo) {
	if t.ID != kernel.Current().ID || t.Idle {
		fmt.Fprintf(sh.console, "%13s%s\n", "", "it runs: the kernel debugger can stop it and show its stack")
		return
	}
	pcs := make([]uintptr, 64)
	const skip = 2 // runtime.Callers and this function
	for _, f := range functions(pcs[:runtime.Callers(skip, pcs)]) {
		fmt.Fprintf(sh.console, "%13s%s\n", "", place(f))
	}
}

// priorities lists the bits of a ready summary, the highest first.
func priorities(summary uint32) string {
	if summary == 0 {
		return "none"
	}
	var s []string
	for ; summary != 0; summary &^= 1 << (bits.Len32(summary) - 1) {
		s = append(s, fmt.Sprint(bits.Len32(summary)-1))
	}
	return "at " + strings.Join(s, ", ")
}

func (sh *shell) ready(args []string) error {
	cpus, err := optionalCPU(args)
	if err != nil {
		return err
	}
	threads := snapshot()
	for _, cpu := range cpus {
		buf := make([]uint32, 256)
		n := kernel.ReadyThreads(cpu, buf)
		if n == 0 {
			fmt.Fprintf(sh.console, "CPU %d: no thread is ready\n", cpu)
			continue
		}
		fmt.Fprintf(sh.console, "CPU %d: %s ready\n", cpu, count(n, "thread"))
		for _, id := range buf[:min(n, len(buf))] {
			i := slices.IndexFunc(threads, func(t kernel.ThreadInfo) bool { return t.ID == id && !t.Idle })
			if i < 0 {
				fmt.Fprintf(sh.console, "  thread %d, new\n", id)
				continue
			}
			t := &threads[i]
			fmt.Fprintf(sh.console, "  priority %2d: thread %d %s, for %.6f s\n", t.Priority, id, name(t), seconds(t.Ready))
		}
	}
	return nil
}

func (sh *shell) dpcs(args []string) error {
	cpus, err := optionalCPU(args)
	if err != nil {
		return err
	}
	w := sh.console
	for _, cpu := range cpus {
		buf := make([]dpc.Info, 256)
		n := dpc.List(cpu, buf)
		s := dpc.Statistics(cpu)
		fmt.Fprintf(w, "CPU %d: %d queued; %d have run, %.6f s in all", cpu, n, s.Run, seconds(s.Time))
		if s.Run > 0 {
			fmt.Fprintf(w, ", the longest %.6f s: %s", seconds(s.Longest), function(dpc.EntryPoint(s.LongestRoutine)))
		}
		fmt.Fprintln(w)
		for _, d := range buf[:min(n, len(buf))] {
			kind := "ordinary"
			if d.Type == dpc.Threaded {
				kind = "threaded"
			}
			fmt.Fprintf(w, "  KDPC %#x %s, %s: %s(%#x)\n", d.Address, kind, importance(d.Importance), function(d.Routine), d.Context)
		}
	}
	return nil
}

func importance(i dpc.Importance) string {
	switch i {
	case dpc.Low:
		return "low"
	case dpc.Medium:
		return "medium"
	case dpc.High:
		return "high"
	}
	return "medium-high"
}

func (sh *shell) timer(args []string) error {
	cpus, err := optionalCPU(args)
	if err != nil {
		return err
	}
	w := sh.console
	fmt.Fprintf(w, "interrupt time %.6f s\n", float64(kernel.InterruptTime())/kernel.Second)
	for _, cpu := range cpus {
		buf := make([]kernel.TimerInfo, 256)
		n := kernel.Timers(cpu, buf)
		fmt.Fprintf(w, "CPU %d: %s\n", cpu, count(n, "timer"))
		timers := buf[:min(n, len(buf))]
		slices.SortFunc(timers, func(a, b kernel.TimerInfo) int { return cmp.Compare(a.Due, b.Due) })
		for _, t := range timers {
			fmt.Fprintf(w, "  KTIMER %#x in %.6f s", t.Address, until(t.Due))
			if t.Period != 0 {
				fmt.Fprintf(w, ", every %d ms", t.Period)
			}
			switch {
			case t.Thread != 0:
				fmt.Fprintf(w, ": ends the wait of thread %d", t.Thread)
			case t.DPC != 0:
				fmt.Fprintf(w, ": %s, queues KDPC %#x %s", t.Type, t.DPC, function(t.Routine))
			default:
				fmt.Fprintf(w, ": %s", t.Type)
			}
			fmt.Fprintln(w)
		}
	}
	return nil
}

func (sh *shell) pcr(args []string) error {
	cpus, err := optionalCPU(args)
	if err != nil {
		return err
	}
	w := sh.console
	levels := ipi.Levels()
	all := processors()
	for _, cpu := range cpus {
		p := &all[cpu]
		i := intr.Statistics(cpu)
		fmt.Fprintf(w, "KPCR of CPU %d at %#x\n", cpu, p.Block)
		fmt.Fprintf(w, "  IRQL             %d (%v)\n", uint8(levels[cpu]), levels[cpu])
		fmt.Fprintf(w, "  current thread   %d %s at %#x\n", p.Current.ID, name(&p.Current), p.Current.Address)
		fmt.Fprintf(w, "  ready            %s (summary %#x)\n", priorities(p.Summary), p.Summary)
		fmt.Fprintf(w, "  DPC stack        %#x to %#x\n", p.DeferredStack[0], p.DeferredStack[1])
		fmt.Fprintf(w, "  interrupt stack  %#x to %#x\n", p.InterruptStack[0], p.InterruptStack[1])
		fmt.Fprintf(w, "  clock interrupts %d, device interrupts %d\n", p.Ticks, i.Count)
		if p.NextTimer != 0 {
			fmt.Fprintf(w, "  next timer       in %.6f s\n", until(p.NextTimer))
		}
		fmt.Fprintf(w, "  time             interrupts %.6f s, DPCs %.6f s, idle %.6f s\n",
			seconds(p.Interrupt), seconds(p.Deferred), seconds(p.IdleCycles))
	}
	return nil
}
