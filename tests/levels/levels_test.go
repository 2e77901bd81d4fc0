// Package levels calls every documented routine at every IRQL, as the rows of the
// specification say: at a level that the documentation allows the call must work,
// at any other it must stop the machine in the documented way.
//
// Hundreds of stops in one boot are possible because a stop of Go code is offered
// to bugcheck.Intercept first, immediately before it happens. Package
// internal/stops lets one of each kind happen.
package levels

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"irqlab/bugcheck"
	"irqlab/internal/spec"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// probe is how to call a routine.
type probe struct {
	// call prepares the routine's arguments at PASSIVE_LEVEL and calls it by
	// c.at, once.
	call func(c *caller)
	// levels is for a variant whose range is narrower than the routine's.
	levels *spec.Levels
	// stop is what a call at a level that is not allowed leads to, if it is not
	// what the verifier says of most routines.
	stop func(l irql.Level) stop
}

// stop is a bug check.
type stop struct {
	code       bugcheck.Code
	parameter1 uintptr
}

// anything stands for a first parameter that is an address.
const anything = ^uintptr(0)

// wrongLevel is parameter 1 of the verifier's stop for most routines.
const wrongLevel = 0xE5

// serviceLevel is that for Zw routines.
const serviceLevel = 0xE6

// verifier makes a stop of what the verifier has for some routines.
func verifier(rule uintptr) func(irql.Level) stop {
	return func(irql.Level) stop { return stop{bugcheck.VerifierDetectedViolation, rule} }
}

// notGreater is the stop of a raise to a lower level, and of a routine that was
// called too low.
func notGreater(irql.Level) stop { return stop{bugcheck.IRQLNotGreaterOrEqual, anything} }

// probes has the routines, each at least once. The key of a variant is the
// routine's name, a space, and what is special.
var probes = map[string]probe{}

// add adds the probes of a file.
func add(more map[string]probe) {
	for key, p := range more {
		if _, twice := probes[key]; twice {
			panic("two probes " + key)
		}
		probes[key] = p
	}
}

// caller calls a routine once.
type caller struct {
	*testing.T
	level  irql.Level
	levels spec.Levels

	// says, if set, is the range that the stop names, if it is not the row's.
	says *spec.Levels
	// onStop, if set, runs at the level when the call would have stopped the
	// machine.
	onStop func()

	cleanups   []func()
	called     bool
	stopped    *stop
	parameters [4]uintptr
}

// allowed reports whether the documentation allows the call.
func (c *caller) allowed() bool {
	return int(c.level) >= c.levels.Min && int(c.level) <= c.levels.Max
}

// Errorf is that of the test, with the level.
func (c *caller) Errorf(format string, args ...any) {
	c.Helper()
	c.T.Errorf("at %v: "+format, append([]any{c.level}, args...)...)
}

// Cleanup has fn called when the call is over, on its thread.
func (c *caller) Cleanup(fn func()) { c.cleanups = append(c.cleanups, fn) }

func (c *caller) clean() {
	for _, fn := range slices.Backward(c.cleanups) {
		fn()
	}
}

// want fails unless a call that was allowed had the right result.
func (c *caller) want(ok bool, what string, args ...any) {
	c.Helper()
	if !ok {
		c.Errorf(what, args...)
	}
}

// intercepted is the panic that ends a call that would stop the machine.
type intercepted struct{}

// at runs routine at the level, and then undo, which puts the level back if the
// routine has changed it. If the routine stops the machine at reports false, and
// undo does not run.
func (c *caller) at(routine func(), undo ...func()) bool {
	if c.called {
		c.Fatal("called twice")
	}
	c.called = true
	var code bugcheck.Code
	bugcheck.Intercept = func(x bugcheck.Code, p [4]uintptr) {
		bugcheck.Intercept = nil
		code, c.parameters = x, p
		if c.onStop != nil {
			c.onStop()
		}
		irql.Lower(irql.Passive)
		panic(intercepted{})
	}
	func() {
		defer func() {
			bugcheck.Intercept = nil
			if v := recover(); v != nil && v != (intercepted{}) {
				panic(v)
			}
		}()
		old := irql.Raise(c.level)
		routine()
		bugcheck.Intercept = nil
		for _, fn := range undo {
			fn()
		}
		if now := irql.Current(); now != c.level {
			irql.Lower(irql.Passive)
			c.Errorf("returned at %v", now)
			return
		}
		irql.Lower(old)
	}()
	if code != 0 {
		c.stopped = &stop{code, c.parameters[0]}
	}
	return code == 0
}

// check compares what came of the call with what had to.
func (c *caller) check(want stop) {
	if what := c.verdict(want); what != "" {
		c.Errorf("%s", what)
	}
	if t := kernel.Current(); t.KernelAPCs != 0 || t.SpecialAPCs != 0 {
		c.Fatalf("the call left APCs disabled: %d, %d", t.KernelAPCs, t.SpecialAPCs)
	}
}

// verdict says what is wrong with what came of the call, if anything is.
func (c *caller) verdict(want stop) string {
	switch {
	case !c.called:
		return "the probe did not call"
	case c.allowed() && c.stopped != nil:
		return fmt.Sprintf("bug check %v %#x", c.stopped.code, c.parameters)
	case c.allowed():
	case c.stopped == nil:
		return "works, where the documentation does not allow it"
	case c.stopped.code != want.code || want.parameter1 != anything && want.parameter1 != c.stopped.parameter1:
		return fmt.Sprintf("bug check %v %#x, want %v %#x", c.stopped.code, c.parameters, want.code, want.parameter1)
	case want.parameter1 == wrongLevel:
		says := c.levels
		if c.says != nil {
			says = *c.says
		}
		want := [3]uintptr{uintptr(c.level), uintptr(says.Min), uintptr(says.Max)}
		if got := [3]uintptr(c.parameters[1:]); got != want {
			return fmt.Sprintf("the bug check says level, lowest and highest %v, want %v", got, want)
		}
	}
	return ""
}

// A wrong range, and a wrong stop, must be seen.
func TestPlanted(t *testing.T) {
	e := kit.New[KEVENT](t)
	KeInitializeEvent(e, NotificationEvent, false)
	clear := func(c *caller) { c.at(func() { KeClearEvent(e) }) } // <= DISPATCH_LEVEL
	right := stop{bugcheck.VerifierDetectedViolation, wrongLevel}
	for _, p := range []struct {
		level irql.Level
		max   int
		call  func(c *caller)
		want  stop
		found bool
	}{
		{2, 2, clear, right, false},
		{3, 2, clear, right, false},
		{2, 1, clear, right, true},
		{3, 3, clear, right, true},
		{3, 1, clear, right, true},
		{3, 2, clear, stop{bugcheck.VerifierDetectedViolation, 0x80}, true},
		{3, 2, clear, stop{bugcheck.IRQLNotLessOrEqual, anything}, true},
		{0, 2, func(*caller) {}, right, true},
	} {
		kit.Run(t, func() {
			c := &caller{T: t, level: p.level, levels: spec.Levels{Min: 0, Max: p.max}}
			p.call(c)
			if what := c.verdict(p.want); (what != "") != p.found {
				t.Errorf("%v at %v, up to %d: %q", p.want, p.level, p.max, what)
			}
		})
	}
}

// rule: irql-ddi-verifier
func TestLevels(t *testing.T) {
	rows := map[string]spec.Routine{}
	for _, r := range spec.Routines() {
		rows[r.Name] = r
	}
	var keys []string
	for key := range probes {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	works, stops := 0, 0
	for _, key := range keys {
		p := probes[key]
		name, variant, _ := strings.Cut(key, " ")
		row, known := rows[name]
		if !known || (variant != "") != (p.levels != nil) {
			t.Fatalf("%s: no such routine, or levels for what is no variant", key)
		}
		levels := row.Levels
		if p.levels != nil {
			levels = *p.levels
		}
		t.Run(key, func(t *testing.T) {
			kit.Run(t, func() {
				for l := irql.Passive; l <= irql.High; l++ {
					want := stop{bugcheck.VerifierDetectedViolation, wrongLevel}
					if strings.HasPrefix(name, "Zw") {
						want.parameter1 = serviceLevel
					}
					if p.stop != nil {
						want = p.stop(l)
					}
					c := &caller{T: t, level: l, levels: levels}
					p.call(c)
					c.check(want)
					c.clean()
					if c.stopped != nil {
						stops++
					} else {
						works++
					}
				}
			}, func() { kit.OnCPU(0) })
		})
	}
	t.Logf("%d probes: %d calls work, %d stop", len(keys), works, stops)
}
