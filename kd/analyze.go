package kd

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"

	"irqlab/internal/spec"
)

// analyze is !analyze.
func (d *Debugger) analyze(v *invocation) error {
	verbose := v.args == "-v"
	if v.args != "" && !verbose {
		return errUsage
	}
	b, ok := d.bugCheck()
	if !ok {
		return errNoStop
	}
	about := d.describe(b)
	name := about.name
	if name == "" {
		name = "UNKNOWN_BUGCHECK"
	}
	stars := strings.Repeat("*", 79)
	d.printf("%s\n*%s*\n*%77s*\n%s\n\n", stars, center("Bugcheck Analysis", 77), "", stars)
	d.printf("%s (%x)\n", name, b.Code)
	if about.meaning != "" {
		d.printf("%s.\n", sentence(about.meaning))
	}
	d.printf("Arguments:\n")
	for i, p := range b.Parameters {
		d.printf("Arg%d: %s", i+1, hex(p, 16))
		if about.parameters[i] != "" {
			d.printf(", %s", about.parameters[i])
		}
		if name := d.image.Name(p); name != "" {
			d.printf(" [%s]", name)
		}
		d.printf("\n")
	}
	for _, text := range slices.Compact([]string{about.kind, b.Text}) {
		if text != "" {
			d.printf("%s.\n", sentence(text))
		}
	}
	if b.Code == liveSystemDump {
		return nil
	}
	frames := d.stopStack(b)
	guilty, called := d.culprit(b, frames)
	if guilty.Function == "" {
		d.printf("\nProbably caused by: the kernel itself: no other code is on the stack or in the parameters\n")
	} else {
		d.printf("\nProbably caused by: %s [%s @ %d]\n", guilty.Function, tail(guilty.File), guilty.Line)
	}
	if verbose {
		d.details(b, about, frames, guilty, called)
	}
	return nil
}

func center(s string, width int) string {
	left := (width - len(s)) / 2
	return fmt.Sprintf("%*s%s%*s", left, "", s, width-len(s)-left, "")
}

// sentence makes a phrase of a table begin as a sentence does.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// stopStack returns the stack that led to a stop.
func (d *Debugger) stopStack(b BugCheck) []frame {
	var frames []frame
	err := guard(func() { frames = d.stackOf(b.CPU) })
	if err != nil {
		return nil
	}
	return frames
}

// culprit returns where the code stands that a stop is about, if there is such
// code, and the function of the kernel that it has called.
//
// A routine that has returned already is named by a parameter: it is what the
// stop is about, and not what the kernel has interrupted for it. Otherwise it is
// the first function on the stack that is neither the kernel's nor the Go
// distribution's.
func (d *Debugger) culprit(b BugCheck, frames []frame) (guilty, called Position) {
	for _, p := range b.Parameters {
		if guilty, ok := d.routine(p); ok {
			return guilty, Position{}
		}
	}
	at := slices.IndexFunc(frames, func(f frame) bool {
		p := d.image.Positions(f.site())
		return len(p) > 0 && users(p[len(p)-1].Function)
	})
	if at < 0 {
		return guilty, called
	}
	p := d.image.Positions(frames[at].site())
	n := slices.IndexFunc(p, func(p Position) bool { return users(p.Function) })
	guilty, inlined := p[n], p[:n]
	if len(inlined) == 0 && at > 0 {
		inlined = d.image.Positions(frames[at-1].site())
	}
	if len(inlined) > 0 {
		called = inlined[len(inlined)-1]
	}
	return guilty, called
}

// routine returns the function of the user's that begins at an address, or that
// a func value at the address stands for.
func (d *Debugger) routine(p uint64) (Position, bool) {
	for _, addr := range []uint64{p, d.code(p)} {
		all := d.image.Positions(addr)
		if len(all) == 0 {
			continue
		}
		if f := all[len(all)-1]; f.Entry == addr && users(f.Function) {
			return f, true
		}
	}
	return Position{}, false
}

// users reports whether a function is one of the code above the kernel.
func users(function string) bool {
	if inPackage(function, "irqlab") {
		return inPackage(function, programs...)
	}
	return !distributed(function)
}

// programs are the packages of irqlab that are not the kernel, nor stand between
// it and the programs.
var programs = []string{"irqlab/bench", "irqlab/demos", "irqlab/labs", "irqlab/provoke", "irqlab/shell", "irqlab/soak", "irqlab/tests"}

// distribution are the first elements of the import paths of Go's distribution.
var distribution = strings.Fields("archive bufio bytes cmp compress container context crypto database debug embed encoding " +
	"errors expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin reflect " +
	"regexp runtime slices sort strconv strings structs sync syscall testing text time type unicode unique unsafe vendor weak")

// distributed reports whether a function is one of the Go distribution, or
// assembly without a package, such as the runtime's helpers.
func distributed(function string) bool {
	return inPackage(function, distribution...) || !strings.Contains(function, ".")
}

// details is what !analyze -v adds.
func (d *Debugger) details(b BugCheck, about description, frames []frame, guilty, called Position) {
	d.printf("\nDebugging Details:\n------------------\n\n")
	d.printf("BUGCHECK_CODE:  %x\n\n", b.Code)
	for i, p := range b.Parameters {
		d.printf("BUGCHECK_P%d: %x\n\n", i+1, p)
	}
	d.printf("PROCESSOR:  CPU %d", b.CPU)
	if level, note := d.irqlOf(b.CPU); level >= 0 {
		d.printf(", IRQL %s%s", levelText(level), note)
	}
	d.printf("\n\n")
	// A small dump has the processors' threads and stacks, and not much else.
	thread := b.Thread
	guard(func() {
		t := d.current(b.CPU)
		thread = fmt.Sprintf("%d %s at %s", t.id, t.name(), address(t.addr))
	})
	if thread != "" {
		d.printf("THREAD:  %s\n\n", thread)
	}
	guard(func() {
		if frame := d.stopFrame(b.CPU); frame != 0 {
			d.printf("TRAP_FRAME:  %s\n\n", address(frame))
		}
	})
	d.printf("STACK_TEXT:\n")
	d.printStack(frames)
	d.printf("\n")
	if b.Text == "" && d.resident(b.CPU) {
		if text := d.misuse(untilTrap(frames)); text != "" {
			d.printf("MISUSE:  %s\n\n", text)
		}
	}
	if guilty.Function != "" {
		d.printf("FAULTING_FUNCTION:  %s\n\n", guilty.Function)
		d.printf("FAULTING_SOURCE_LINE:  %s @ %d\n\n", guilty.File, guilty.Line)
		d.source(guilty)
	}
	routine := ""
	if called.Function != "" {
		routine = d.calledRoutine(called)
	}
	d.rules(b, about, routine)
}

// untilTrap returns the frames from the one that a trap interrupted: that is
// where a dump's stack begins.
func untilTrap(frames []frame) []frame {
	for n, f := range frames {
		if f.trap != 0 {
			return frames[n:]
		}
	}
	return frames
}

// resident reports whether a stop's trap interrupted kernel context, so that
// functions of the Go runtime on the stack are misuse.
func (d *Debugger) resident(cpu int) bool {
	kernel := false
	guard(func() {
		addr := d.stopFrame(cpu)
		if addr == 0 {
			return
		}
		f := d.at(addr, "arch.Frame")
		if f.hasField("Kernel") {
			kernel = f.field("Kernel").bool()
		} else {
			const spSel = 1 // PSTATE: EL1h
			kernel = f.field("PState").uint()&spSel != 0
		}
	})
	return kernel
}

// source shows some lines around a position, if the file is there.
func (d *Debugger) source(p Position) {
	b, err := os.ReadFile(p.File)
	if err != nil {
		return
	}
	lines := strings.Split(string(b), "\n")
	if p.Line > len(lines) {
		return
	}
	d.printf("FAULTING_SOURCE_CODE:\n")
	const around = 3
	for n := max(1, p.Line-around); n <= min(len(lines), p.Line+around); n++ {
		mark := ' '
		if n == p.Line {
			mark = '>'
		}
		d.printf("%c%5d: %s\n", mark, n, strings.ReplaceAll(lines[n-1], "\t", "    "))
	}
	d.printf("\n")
}

// calledRoutine describes the function of the kernel that the user's code
// called, by its comment, and returns the documented routine that it is, or "".
func (d *Debugger) calledRoutine(p Position) string {
	if !inPackage(p.Function, "irqlab") {
		return ""
	}
	d.printf("CALLED_ROUTINE:  %s\n", p.Function)
	name, _ := strings.CutPrefix(p.Function, "irqlab/wdk.")
	comment := functionComment(p)
	for line := range strings.SplitSeq(comment, "\n") {
		if strings.HasPrefix(line, "IRQL:") {
			d.printf("    %s\n", line)
		}
	}
	if m := routineName.FindStringSubmatch(comment); m != nil {
		name = m[1]
	}
	i := slices.IndexFunc(spec.Routines(), func(r spec.Routine) bool { return r.Name == name })
	if i < 0 {
		d.printf("\n")
		return ""
	}
	r := spec.Routines()[i]
	d.printf("    %s (%s), documented IRQL: %s\n\n", r.Name, r.Header, r.Documented)
	return name
}

// routineName finds the documented routine that a comment names in parentheses.
var routineName = regexp.MustCompile(`\(((?:Ke|Ex|Io|Ps|Ob|Mm|Nt|Zw|Rtl|Po)[A-Z]\w+)`)

// functionComment returns the doc comment of the function that a position is in.
func functionComment(p Position) string {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, p.File, nil, parser.ParseComments)
	if err != nil {
		return ""
	}
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if ok && set.Position(f.Pos()).Line <= p.Line && p.Line <= set.Position(f.End()).Line {
			return f.Doc.Text()
		}
	}
	return ""
}

// verifierDetected is DRIVER_VERIFIER_DETECTED_VIOLATION, whose first parameter
// says which rule was broken.
const verifierDetected = 0xc4

// maxRules bounds the rules that an analysis quotes.
const maxRules = 6

// rules says what the documentation has about a code.
func (d *Debugger) rules(b BugCheck, about description, routine string) {
	code := fmt.Sprintf("0x%X", b.Code)
	word := regexp.MustCompile(`(?i)\b0x0*` + fmt.Sprintf("%X", b.Code) + `\b`)
	var found []spec.Rule
	for _, r := range spec.Rules() {
		if !word.MatchString(r.Text) || b.Code == verifierDetected && !strings.Contains(r.Text, fmt.Sprintf("0x%X", b.Parameters[0])) {
			continue
		}
		if r.Area == "bugcheck" && strings.HasPrefix(r.Text, code+" ") {
			found = append([]spec.Rule{r}, found...)
		} else if routine != "" && (strings.Contains(r.Text, routine) || strings.Contains(r.Source, routine)) {
			found = append(found, r)
		}
	}
	switch {
	case b.Text != "":
		d.printf("RULE:  %s\n", b.Text)
	case about.kind != "":
		d.printf("RULE:  %s\n", about.kind)
	case about.meaning != "":
		d.printf("RULE:  %s\n", about.meaning)
	}
	for _, r := range found[:min(len(found), maxRules)] {
		d.printf("    %s: %s [%s]\n", r.ID, r.Text, r.Source)
	}
	d.printf("\nDOCUMENTATION:  \"Bug Check %s: %s\", in \"Bug Check Code Reference\"", code, about.name)
	if routine != "" {
		d.printf("; \"%s routine\"", routine)
	}
	d.printf("\n")
}
