package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"irqlab/qemu"
)

func TestParse(t *testing.T) {
	var m machineFlags
	fs := newFlagSet("run")
	m.register(fs)
	words, program, err := parse(fs, strings.Fields("-cpus 4 ./demos/mutex --arch arm64 -mem=256M -seed 7 -- -x --arch 3"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"./demos/mutex"}, words); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"-x", "--arch", "3"}, program); diff != "" {
		t.Errorf("program (-want +got):\n%s", diff)
	}
	if m.CPUs != 4 || m.Arch != qemu.ARM64 || m.Memory.String() != "256M" || *m.Seed != 7 {
		t.Errorf("machine %+v", m.Machine)
	}
}

func TestParseErrors(t *testing.T) {
	for _, line := range []string{
		"-arch riscv ./x", "-cpus two ./x", "-mem lots ./x", "-seed -1 ./x", "./x -nonsense",
		"-env lower=1 ./x", "-env NAME ./x", "-opt UPPER=1 ./x", "-opt =1 ./x", "./x -timeout soon", "./x -cpus",
	} {
		var m machineFlags
		fs := newFlagSet("run")
		m.register(fs)
		fs.DurationVar(&m.timeout, "timeout", 0, "")
		_, _, err := parse(fs, strings.Fields(line))
		var usage *usageError
		if !errors.As(err, &usage) {
			t.Errorf("%s: got %v, want a usage error", line, err)
		}
	}
}

func TestCmdline(t *testing.T) {
	var m machineFlags
	fs := newFlagSet("run")
	m.register(fs)
	if err := fs.Parse(strings.Fields("-env GOGC=50 -opt dump=small -seed 9")); err != nil {
		t.Fatal(err)
	}
	got, err := m.cmdline([]string{"a b"}, "stdin=x\x04")
	if want := "GOGC=50 dump=small stdin=x%04 seed=9 -- a%20b"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	// The flags that a repeat command shows mean the same again.
	var again machineFlags
	fs = newFlagSet("run")
	again.register(fs)
	if err := fs.Parse(m.argv()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.argv(), again.argv()); diff != "" {
		t.Errorf("argv (-first +again):\n%s", diff)
	}
}

func TestSplitTestArgs(t *testing.T) {
	tests := []struct{ in, own, rest string }{
		{"./...", "", "./..."},
		{"-arch arm64 -run Foo ./x -cpus=4 -v", "-arch=arm64 -cpus=4", "-run Foo ./x -v"},
		{"-cpu 1,2 ./x", "", "-cpu 1,2 ./x"},
		{"-cpu cortex-a72 ./x -count=1", "-cpu=cortex-a72", "./x -count=1"},
		{"--seed 7 --json ./x", "-seed=7", "--json ./x"},
		{"./x -args -seed 7", "", "./x -args -seed 7"},
		{"-bench . -benchmem ./x", "", "-bench . -benchmem ./x"},
	}
	for _, tt := range tests {
		own, rest, err := splitTestArgs(strings.Fields(tt.in))
		if err != nil || strings.Join(own, " ") != tt.own || strings.Join(rest, " ") != tt.rest {
			t.Errorf("%s: got %q and %q, %v; want %q and %q", tt.in, own, rest, err, tt.own, tt.rest)
		}
	}
	for _, line := range []string{"-exec foo ./x", "-race ./x", "-ldflags=-w ./x", "-coverprofile=x ./x", "-run"} {
		if _, _, err := splitTestArgs(strings.Fields(line)); err == nil {
			t.Errorf("%s was accepted", line)
		}
	}
}

func TestSplitPatterns(t *testing.T) {
	flags, patterns, binary := splitPatterns(strings.Fields("-v -run Foo ./a -count=1 ./b/... -args ./c"))
	got := []string{strings.Join(flags, " "), strings.Join(patterns, " "), strings.Join(binary, " ")}
	if diff := cmp.Diff([]string{"-v -run Foo -count=1", "./a ./b/...", "-args ./c"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	tags, rest := takeTags(strings.Fields("-v -tags x,y ./a --tags=z -run B -args -tags w"))
	if diff := cmp.Diff([]string{"x", "y", "z"}, tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(strings.Fields("-v ./a -run B -args -tags w"), rest); diff != "" {
		t.Errorf("rest (-want +got):\n%s", diff)
	}
}

func TestTestArgs(t *testing.T) {
	double := func(d time.Duration) time.Duration { return 2 * d }
	tests := []struct {
		in, guest string
		limit     time.Duration
	}{
		{"", "", testLimit},
		{"-test.v=true -test.testlogfile=/tmp/x", "-test.v=true", testLimit},
		{"-test.timeout=1m0s", "-test.timeout=2m0s", time.Minute + testGrace},
		{"-test.timeout=0", "-test.timeout=0", 0},
		{"-trace on", "-trace on", testLimit},
	}
	for _, tt := range tests {
		guest, limit, err := testArgs(strings.Fields(tt.in), double)
		if err != nil || strings.Join(guest, " ") != tt.guest || limit != tt.limit {
			t.Errorf("%s: got %q, %v, %v; want %q, %v", tt.in, guest, limit, err, tt.guest, tt.limit)
		}
	}
	for _, line := range []string{"-test.cpuprofile=x", "-test.timeout=soon"} {
		if _, _, err := testArgs(strings.Fields(line), double); err == nil {
			t.Errorf("%s was accepted", line)
		}
	}
}

func TestClosest(t *testing.T) {
	names := []string{"build", "run", "test", "debug", "help"}
	for word, want := range map[string]string{"rum": "run", "tset": "test", "buidl": "build", "deploy": "", "": ""} {
		if got, _ := closest(word, names); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"a": "a", "a b": "'a b'", "it's": `"it's"`} {
		if got := quote(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestShellWords(t *testing.T) {
	got := shellWords([]string{"gdb", "-run=TestA|TestB", "a b", "it's", "", "-seed=7"})
	if want := `gdb '-run=TestA|TestB' 'a b' 'it'\''s' '' -seed=7`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestReport(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{guestStatus(66), 66},
		{&usageError{"run", errors.New("no")}, statusUsage},
		{&qemu.TimeoutError{Limit: time.Second}, statusTimeout},
		{errors.New("anything else"), statusFailure},
	} {
		if got := report(tt.err); got != tt.want {
			t.Errorf("%v: exit status %d, want %d", tt.err, got, tt.want)
		}
	}
}
