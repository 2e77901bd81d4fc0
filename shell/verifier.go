package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"irqlab/pool"
	"irqlab/verifier"
)

func (sh *shell) verifier(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	w := sh.console
	if s := pool.ReadSpecialStats(); s.On {
		fmt.Fprintf(w, "special pool %d allocations, %d now, %d without room\n", s.Allocs, s.Active, s.Refused)
	}
	if verifier.Rules() == 0 {
		fmt.Fprintln(w, "the verifier is off; the kernel option verifier=on turns it on")
		return nil
	}
	var on []string
	for n := 0; ; n++ {
		word, rule := verifier.Name(n)
		if rule == 0 {
			break
		}
		if verifier.Rules()&rule != 0 {
			on = append(on, word)
		}
	}
	s := verifier.ReadStats()
	fmt.Fprintf(w, "rules        %s\n", strings.Join(on, ", "))
	fmt.Fprintf(w, "acquired     %d spin locks; %d fast and guarded mutexes, push locks and resources\n", s.Acquisitions, s.ThreadAcquisitions)
	fmt.Fprintf(w, "locks        %d, of %d classes; %d orders between classes\n", s.Locks, s.Classes, s.Edges)
	fmt.Fprintf(w, "waits        %d followed from thread to thread\n", s.Waits)
	fmt.Fprintf(w, "not watched  %d, for lack of room\n", s.Missed)
	return nil
}

// deadlock shows the classes of locks with the order that was seen, and the locks
// that are held.
func (sh *shell) deadlock(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	w := sh.console
	if verifier.Rules()&verifier.Order == 0 {
		fmt.Fprintln(w, "the order of locks is not verified; the kernel option verifier=on turns that on")
		return nil
	}
	classes := make([]verifier.ClassInfo, 512)
	classes = classes[:min(verifier.Classes(classes), len(classes))]
	for _, c := range classes {
		fmt.Fprintf(w, "class %d: %s %s\n", c.Number, c.Kind, origin(&c))
		for _, other := range classes {
			if verifier.Follows(c.Number, other.Number) {
				fmt.Fprintf(w, "    held while class %d was acquired: %s %s\n", other.Number, other.Kind, origin(&other))
			}
		}
	}
	held := make([]verifier.HeldInfo, 256)
	held = held[:min(verifier.Held(held), len(held))]
	for _, h := range held {
		holder := fmt.Sprintf("CPU %d", h.Processor)
		if h.Thread != 0 {
			holder = fmt.Sprintf("thread %#x", h.Thread)
		}
		fmt.Fprintf(w, "%s holds %s %#x, class %d\n", holder, h.Kind, h.Lock, h.Class)
		calls(w, h.Site[:])
	}
	fmt.Fprintf(w, "%d classes, %d locks held\n", len(classes), len(held))
	return nil
}

// origin says where locks of a class come from.
func origin(c *verifier.ClassInfo) string {
	if c.Site == 0 {
		return fmt.Sprintf("%#x", c.Lock)
	}
	f, _ := runtime.CallersFrames([]uintptr{c.Site}).Next()
	return fmt.Sprintf("initialized by %s", place(f))
}

// calls prints return addresses, up to the first zero, as a back trace.
func calls(w io.Writer, pcs []uintptr) {
	if n := slices.Index(pcs, 0); n >= 0 {
		pcs = pcs[:n]
	}
	for _, f := range functions(pcs) {
		fmt.Fprintf(w, "    %s\n", place(f))
	}
}
