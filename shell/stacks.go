package main

import (
	"fmt"
	"runtime"
	"strings"

	"irqlab/bugcheck"
	"irqlab/kernel"
)

// stackOf returns the functions on a thread's stack, the innermost first, and
// nothing of a thread that runs.
func stackOf(t *kernel.ThreadInfo) []runtime.Frame {
	var trace bugcheck.Trace
	if t.Idle || !kernel.Stack(t.ID, &trace) {
		return nil
	}
	return functions(trace.PCs[:trace.N])
}

// functions returns the functions that return addresses are in, inlined ones too.
func functions(pcs []uintptr) (all []runtime.Frame) {
	frames := runtime.CallersFrames(pcs)
	for more := len(pcs) > 0; more; {
		var f runtime.Frame
		if f, more = frames.Next(); f.Function != "" {
			all = append(all, f)
		}
	}
	return all
}

// place names a function, and the line in it.
func place(f runtime.Frame) string {
	parts := strings.Split(f.File, "/")
	return fmt.Sprintf("%s (%s:%d)", f.Function, strings.Join(parts[max(0, len(parts)-2):], "/"), f.Line)
}

// stacks shows where threads wait, as the debugger's command of that name does.
func (sh *shell) stacks(args []string) error {
	full, idle := false, false
	if len(args) > 0 && len(args[0]) == 1 && strings.Contains("012", args[0]) {
		full, idle = args[0] == "2", args[0] != "0"
		args = args[1:]
	}
	if len(args) > 1 {
		return errUsage
	}
	filter := strings.ToLower(strings.Join(args, ""))
	w := sh.console
	fmt.Fprintf(w, "%6s %-18s %-11s %-16s %s\n", "ID", "THREAD", "STATE", "NAME", "BLOCKED AT")
	threads := snapshot()
	shown := 0
	for i := range threads {
		t := &threads[i]
		frames := stackOf(t)
		if t.Idle && !idle || !calledBy(frames, filter) {
			continue
		}
		shown++
		id := fmt.Sprint(t.ID)
		if t.Idle {
			id = "-"
		}
		fmt.Fprintf(w, "%6s %-18s %-11s %-16s %s\n", id, fmt.Sprintf("%#x", t.Address), t.State, name(t), blockedAt(frames))
		for _, f := range frames {
			if full {
				fmt.Fprintf(w, "%26s%s\n", "", place(f))
			}
		}
	}
	fmt.Fprintf(w, "%s of %d\n", count(shown, "thread"), len(threads))
	return nil
}

// calledBy reports whether a function whose name contains filter, in lower case,
// is on the stack.
func calledBy(frames []runtime.Frame, filter string) bool {
	for _, f := range frames {
		if strings.Contains(strings.ToLower(f.Function), filter) {
			return true
		}
	}
	return filter == ""
}

// blockedAt names the first function behind the dispatcher's own and those that
// lead into it, or the one that the stack begins with.
func blockedAt(frames []runtime.Frame) string {
	first := "-"
	for _, f := range frames {
		switch pkg, _, ok := strings.Cut(strings.TrimPrefix(f.Function, "irqlab/"), "."); {
		case !ok: // assembly: stubs and gates
		case pkg == "kernel", pkg == "arch", pkg == "entry", pkg == "board", pkg == "irql":
			first = f.Function
		default:
			return f.Function
		}
	}
	return first
}
