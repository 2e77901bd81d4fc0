//go:build !irqlab

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/term"

	"irqlab/qemu"
)

// dialogue is a run of the tool by somebody who reads before they type.
type dialogue struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *os.File
	errs bytes.Buffer
	read []byte // not expected yet
	all  []byte
}

// talk begins a dialogue through pipes.
func talk(t *testing.T, args ...string) *dialogue {
	t.Helper()
	d := &dialogue{t: t, cmd: exec.CommandContext(t.Context(), tool, args...)}
	d.cmd.Stderr = &d.errs
	var err error
	if d.in, err = d.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.out = out.(*os.File)
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return d
}

// expect reads up to a text, and returns what came before it.
func (d *dialogue) expect(text string) string {
	d.t.Helper()
	d.out.SetReadDeadline(time.Now().Add(limit))
	for {
		if i := bytes.Index(d.read, []byte(text)); i >= 0 {
			before := string(d.read[:i])
			d.read = d.read[i+len(text):]
			return before
		}
		b := make([]byte, 4096)
		n, err := d.out.Read(b)
		d.read, d.all = append(d.read, b[:n]...), append(d.all, b[:n]...)
		if err != nil {
			d.t.Fatalf("%v, before %q in\n%s%s", err, text, d.all, &d.errs)
		}
	}
}

func (d *dialogue) send(text string) {
	d.t.Helper()
	if _, err := io.WriteString(d.in, text); err != nil {
		d.t.Fatal(err)
	}
}

// end reads the rest and returns it with the tool's exit status.
func (d *dialogue) end() (rest string, status int) {
	d.t.Helper()
	b, _ := io.ReadAll(d.out) // a terminal ends in an error
	d.cmd.Wait()
	return string(append(d.read, b...)), d.cmd.ProcessState.ExitCode()
}

// breakIn is Ctrl-A B.
const breakIn = "\x01B"

// The debugger shares the console: it comes for breakpoint instructions that
// nobody handles, wherever they are, and for a bug check; and the machine goes on.
func TestConsole(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	t.Parallel()
	eachArch(t, func(t *testing.T, arch string) {
		d := talk(t, "run", "-kd", "-arch", arch, "-timeout", limit.String(), "./testdata/console")
		for _, program := range []string{"int3", "dpc", "system"} {
			d.expect("ready> ")
			d.send(program + "\n")
			contains(t, program, d.expect("kd> "), `(?m)^$`, `Break instruction exception - code 80000003\n`,
				`(runtime\.breakpoint|irqlab/arch\.Breakpoint) \[.*\]:\n.* (int3|brk)`)
			d.send("r; !irql; k; p\n")
			state := d.expect("kd> ")
			contains(t, program, state, `(?s)(rip|pc)=.*\n(runtime\.breakpoint|irqlab/arch\.Breakpoint)\+0x\w+ \[.*\]:.*`,
				`(?m)^00 .* (runtime\.breakpoint|irqlab/arch\.Breakpoint)\+0x`, `(?m) main\.\S+ \[console/main\.go @ \d+\]$`)
			if program == "dpc" {
				contains(t, program, state, `IRQL 2 \(DISPATCH_LEVEL\)`, `main\.deferred\+`)
			}
			d.send("g\n")
			contains(t, program, d.expect("done: "+program), `^g\nready> $`) // the console's line comes again
		}
		d.expect("ready> ")
		d.send("handled\n")
		if out := d.expect("done: handled"); out != "caught\n" {
			t.Errorf("a handled breakpoint: %q", out)
		}
		d.expect("ready> ")
		d.send("stop\n")
		out := d.expect("kd> ")
		contains(t, "stop", out, `(?s)\*\*\* STOP 0x000000E2.*\*\*\* Fatal System Error: 0x000000e2 MANUALLY_INITIATED_CRASH\n`)
		if strings.Contains(out, "irqlab: exit") {
			t.Errorf("the machine has ended before the debugger came:\n%s", out)
		}
		d.send("!analyze -v; !running; r nothing\n")
		contains(t, "analysis", d.expect("kd> "), `FAULTING_FUNCTION:  main\.main`, `CALLED_ROUTINE:  irqlab/wdk\.KeBugCheckEx`, `(?m)^  \d +\d+  main `, `no register nothing`)
		d.send("g\n")
		if rest, status := d.end(); status != qemu.StopStatus || !strings.HasSuffix(rest, "\nirqlab: exit 66\n") {
			t.Errorf("status %d, %q\n%s", status, rest, &d.errs)
		}
	})
}

// A processor that hangs with everything masked can be broken into. Leaving then is
// no failure; after a bug check it is.
func TestConsoleLeave(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	t.Parallel()
	eachArch(t, func(t *testing.T, arch string) {
		d := talk(t, "run", "-kd", "-arch", arch, "-timeout", limit.String(), "./testdata/console")
		d.expect("ready> ")
		d.send("hang\n")
		d.expect("hanging")
		d.send(breakIn + "!irql\n") // what follows the key is for the debugger
		contains(t, "break-in", d.expect("kd> "), `(?m)^Break-in$`)
		contains(t, "hung", d.expect("kd> "), `IRQL 15 \(HIGH_LEVEL\)`)
		d.send("nonsense; q\n")
		if rest, status := d.end(); status != 0 || !strings.Contains(rest, `unknown command "nonsense"`) {
			t.Errorf("left with status %d, %q\n%s", status, rest, &d.errs)
		}

		// Under a seed all input is the machine's: at the debugger's prompt it has ended.
		out, errs, status := irqlab(t, "stop\n", "run", "-kd", "-seed", "1", "-arch", arch, "-timeout", limit.String(), "./testdata/console")
		if status != qemu.StopStatus || !strings.Contains(out, "Fatal System Error: 0x000000e2") || !strings.HasSuffix(out, "\nirqlab: exit 66\n") {
			t.Errorf("a stop under a seed: status %d\n%s%s", status, out, errs)
		}
	})
}

// However the machine or the tool ends while the user is at the debugger's prompt,
// nothing is left of either.
func TestConsoleEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	t.Parallel()
	if _, err := qemu.Find(qemu.AMD64); err != nil {
		t.Skip(err)
	}
	for _, tt := range []struct {
		name string
		end  func(tool, machine int)
		say  string
	}{
		{"the machine is killed", func(_, machine int) { syscall.Kill(machine, syscall.SIGKILL) }, "QEMU was killed"},
		{"the tool is interrupted", func(tool, _ int) { syscall.Kill(tool, syscall.SIGTERM) }, "interrupted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := talk(t, "run", "-kd", "-timeout", limit.String(), "./testdata/console")
			d.expect("ready> ")
			d.send("int3\n")
			d.expect("kd> ")
			machine := child(t, d.cmd.Process.Pid)
			tt.end(d.cmd.Process.Pid, machine)
			rest, status := d.end()
			if status != statusFailure || !strings.Contains(d.errs.String(), tt.say) {
				t.Errorf("status %d, want %d and %q\n%s%s", status, statusFailure, tt.say, rest, &d.errs)
			}
			if !soon(func() bool { return syscall.Kill(machine, 0) != nil }) {
				t.Error("the machine is left")
			}
		})
	}
}

// child returns the one child of a process.
func child(t *testing.T, pid int) int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(lists) == 0 {
		t.Skip("needs /proc to see processes")
	}
	for _, list := range lists {
		b, _ := os.ReadFile(list)
		if id, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			return id
		}
	}
	t.Fatal("no machine runs")
	return 0
}

// A session's input, while it is at the prompt.
func TestPrompt(t *testing.T) {
	for _, tt := range []struct {
		typed, want string
		person      bool
	}{
		{"a\x03b", "a\x03b", false},
		{"a\x03b", "a\x05\x15b", true},
		{"a\x01\x01b\x01c", "a\x01b\x01c", true},
		{"a\x01bb", "ab", true},
		{"ab\x01Xc", "ab", true},
	} {
		s := &session{keys: make(chan byte, 16), escapes: sessionKeys}
		if tt.person {
			s.term = new(term.Terminal)
		}
		for _, c := range []byte(tt.typed) {
			s.keys <- c
		}
		close(s.keys)
		got, err := io.ReadAll(&promptReader{session: s})
		if string(got) != tt.want || err != nil {
			t.Errorf("%q, person %v: got %q, %v; want %q", tt.typed, tt.person, got, err, tt.want)
		}
	}
	ended := make(chan struct{})
	close(ended)
	s := &session{keys: make(chan byte), ended: ended}
	if n, err := (&promptReader{session: s}).Read(make([]byte, 8)); n != 0 || err != io.EOF {
		t.Errorf("without a machine: %d, %v", n, err)
	}
}

// The console's unfinished line gives way to the debugger, and comes back.
func TestScreen(t *testing.T) {
	var out bytes.Buffer
	s := &session{screen: screen{dst: &out}}
	console := &s.screen
	fmt.Fprint(console, "one\ntw")
	fmt.Fprint(console, "o> ")
	fmt.Fprint(s, "debugger\n")
	fmt.Fprint(s, "more\n")
	s.giveBack()
	fmt.Fprint(console, "three\n")
	fmt.Fprint(s, "debugger\n")
	s.giveBack()
	fmt.Fprint(console, "four\n")
	const want = "one\ntwo> \ndebugger\nmore\ntwo> three\ndebugger\nfour\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	fmt.Fprint(console, strings.Repeat("x", 2*maxLine))
	if len(console.line) > maxLine {
		t.Errorf("%d bytes are kept", len(console.line))
	}
}

func TestDebuggerFlag(t *testing.T) {
	for words, want := range map[string]string{"": auto, "-kd": on, "-kd=off": off, "-kd=auto": auto, "-kd=on": on, "-kd=maybe": ""} {
		f := debuggerFlag(auto)
		fs := newFlagSet("run")
		fs.Var(&f, "kd", "")
		err := fs.Parse(strings.Fields(words))
		if got := f.String(); err == nil && got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v; want %q", words, got, err, want)
		}
	}
}
