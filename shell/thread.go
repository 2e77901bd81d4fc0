package main

import (
	"fmt"
	"slices"
	"strings"

	"irqlab/kernel"
)

// snapshot returns the live threads.
func snapshot() []kernel.ThreadInfo { return all(kernel.Threads) }

func name(t *kernel.ThreadInfo) string {
	s, _, _ := strings.Cut(string(t.Name[:]), "\x00")
	return s
}

// seconds turns counter ticks into seconds.
func seconds(ticks uint64) float64 {
	return float64(kernel.DurationOf(ticks)) / 1e9
}

func (sh *shell) ps(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	w := sh.console
	fmt.Fprintf(w, "%6s %4s %4s %-10s %4s %10s %9s  %-16s %s\n", "ID", "PRI", "BASE", "STATE", "CPU", "CPU TIME", "SWITCHES", "NAME", "WAITS FOR")
	for _, t := range snapshot() {
		fmt.Fprintf(w, "%6d %4d %4d %-10s %4d %9.3fs %9d  %-16s %s\n",
			t.ID, t.Priority, t.BasePriority, t.State, t.CPU, seconds(t.Cycles), t.Switches, name(&t), waitsFor(&t))
	}
	return nil
}

// waitsFor says what ends a thread's wait.
func waitsFor(t *kernel.ThreadInfo) string {
	if t.State != kernel.StateWaiting {
		return ""
	}
	var parts []string
	for _, o := range t.Waits[:min(t.WaitCount, len(t.Waits))] {
		parts = append(parts, o.Type.String())
	}
	if n := t.WaitCount - len(parts); n > 0 {
		parts = append(parts, fmt.Sprintf("%d more", n))
	}
	how := " or "
	if t.WaitAll {
		how = " and "
	}
	s := strings.Join(parts, how)
	if t.Due != 0 {
		if s != "" {
			s += ", "
		}
		s += fmt.Sprintf("%.3f s at most", until(t.Due))
	}
	return s
}

// until returns the seconds left until an interrupt time.
func until(due uint64) float64 {
	return max(0, float64(int64(due-kernel.InterruptTime()))/kernel.Second)
}

func (sh *shell) thread(args []string) error {
	want := uint64(kernel.Current().ID)
	switch len(args) {
	case 0:
	case 1:
		var err error
		if want, err = number(args[0]); err != nil {
			return err
		}
	default:
		return errUsage
	}
	threads := snapshot()
	i := slices.IndexFunc(threads, func(t kernel.ThreadInfo) bool {
		return !t.Idle && uint64(t.ID) == want || uint64(t.Address) == want
	})
	if i < 0 {
		return usagef("there is no thread %s; ps lists them", args[0])
	}
	sh.describe(&threads[i])
	return nil
}

func (sh *shell) describe(t *kernel.ThreadInfo) {
	w := sh.console
	kind := "kernel thread"
	switch {
	case t.Idle:
		kind = "idle thread"
	case t.System:
		kind = "system thread"
	case t.Locked:
		kind = "thread of the Go runtime, with a goroutine locked to it"
	case t.Go:
		kind = "thread of the Go runtime"
	}
	fmt.Fprintf(w, "THREAD %#x  ID %d  %q: %s\n", t.Address, t.ID, name(t), kind)
	fmt.Fprintf(w, "  state       %s on CPU %d\n", t.State, t.CPU)
	fmt.Fprintf(w, "  priority    %d, base %d, quantum %d\n", t.Priority, t.BasePriority, t.Quantum)
	fmt.Fprintf(w, "  affinity    %#x, ideal CPU %d\n", t.Affinity, t.Ideal)
	fmt.Fprintf(w, "  ran         %.6f s in %s\n", seconds(t.Cycles), count(int(t.Switches), "turn"))
	if t.State == kernel.StateReady {
		fmt.Fprintf(w, "  ready       for %.6f s\n", seconds(t.Ready))
	}
	if t.State == kernel.StateWaiting {
		mode := "kernel"
		if t.WaitMode != kernel.KernelMode {
			mode = "user"
		}
		alertable := "not alertable"
		if t.Alertable {
			alertable = "alertable"
		}
		fmt.Fprintf(w, "  waits       in %s mode, %s\n", mode, alertable)
		for _, o := range t.Waits[:min(t.WaitCount, len(t.Waits))] {
			fmt.Fprintf(w, "              for the %s at %#x, state %d\n", o.Type, o.Object, o.State)
		}
		if n := t.WaitCount - len(t.Waits); n > 0 {
			fmt.Fprintf(w, "              and %d more\n", n)
		}
		if t.Due != 0 {
			fmt.Fprintf(w, "              for %.6f s at most\n", until(t.Due))
		}
	}
	fmt.Fprintf(w, "  APCs        kernel %d, special %d\n", t.KernelAPCs, t.SpecialAPCs)
	fmt.Fprintf(w, "  owns        %s\n", count(t.Mutants, "mutant"))
	fmt.Fprintf(w, "  stack       %#x to %#x\n", t.StackLow, t.StackHigh)
	fmt.Fprintf(w, "  references  %d\n", t.References)
	for _, f := range stackOf(t) {
		fmt.Fprintf(w, "    %s\n", place(f))
	}
}
