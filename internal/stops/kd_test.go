package stops

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"irqlab/dump/load"
	"irqlab/internal/spec"
	"irqlab/kd"
	"irqlab/kd/core"
	"irqlab/qemu"
)

// symbols is an image that the kernel debugger has read, which takes a moment. It is
// for one session at a time, which holds the lock.
type symbols struct {
	sync.Mutex
	image *kd.Image
}

// debugged are the images that the debugger knows, by path.
var debugged sync.Map

// symbolsOf returns an image as the debugger knows it, locked.
func symbolsOf(t *testing.T, path string) *symbols {
	t.Helper()
	v, _ := debugged.LoadOrStore(path, new(symbols))
	s := v.(*symbols)
	s.Lock()
	if s.image == nil {
		var err error
		if s.image, err = kd.Open(path); err != nil {
			s.Unlock()
			t.Fatal(err)
		}
	}
	return s
}

var cited = regexp.MustCompile(`; "(.+) routine"\n`)

var faulting = regexp.MustCompile(`(?m)^FAULTING_FUNCTION:  (.+)$`)

// analyzes has the kernel debugger explain a dump. It must name the code that the
// screen does, and as the faulting routine one that the screen shows, be it in
// the trace or as a parameter. It returns what the debugger says.
func analyzes(t *testing.T, image string, d *load.Dump, screen string) string {
	t.Helper()
	var out bytes.Buffer
	s := symbolsOf(t, image)
	defer s.Unlock()
	session := kd.New(s.image, core.New(d), &out)
	if err := session.Execute(t.Context(), ".bugcheck; !analyze -v"); err != nil {
		t.Errorf("kd: %v\n%s", err, &out)
	}
	name := regexp.MustCompile(`(?m)^\*\*\* ([A-Z0-9_]+): `).FindStringSubmatch(screen)
	if name == nil || !strings.HasPrefix(out.String(), fmt.Sprintf("Bugcheck code %08X %s\n", d.Stop.Code, name[1])) ||
		!strings.Contains(out.String(), fmt.Sprintf("\n%s (%x)\n", name[1], d.Stop.Code)) {
		t.Errorf("kd does not name the stop\n%s\n%s", screen, &out)
	}
	// The debugger finds functions that the screen misses: those that a trap
	// interrupted before they had a frame, such as a closure of one that it shows.
	f := faulting.FindStringSubmatch(out.String())
	if f == nil {
		f = []string{"", "none"}
	}
	if outer, _, _ := strings.Cut(f[1], ".func"); !strings.Contains(screen, outer) {
		t.Errorf("kd does not name a routine that the screen does\n%s\n%s", screen, &out)
	}
	for _, m := range cited.FindAllStringSubmatch(out.String(), -1) {
		if !slices.ContainsFunc(spec.Routines(), func(r spec.Routine) bool { return r.Name == m[1] }) {
			t.Errorf("kd cites a page that does not exist, %q\n%s", m[1], &out)
		}
	}
	if head, _, _ := strings.Cut(out.String(), "Debugging Details"); repeats(head) {
		t.Errorf("kd says something twice\n%s", &out)
	}
	return out.String()
}

// testGaveWay checks that the code is named that made the Go runtime wait, which the
// runtime does on another stack than the code's.
func testGaveWay(t *testing.T, arch qemu.Arch, image string) {
	for name, function := range map[string]string{
		"send-at-dispatch": "main.init.func", "receive-under-lock": "main.init.func", "recursion-at-dispatch": "main.recurse",
	} {
		s := newStopped(t, arch, image, diskSize)
		out := s.boot(t, name)
		if !strings.Contains(out, function) {
			t.Errorf("%s: the screen does not show %s\n%s", name, function, out)
		}
		d, _ := s.fetch(t)
		if f := faulting.FindStringSubmatch(analyzes(t, image, d, out)); f == nil || !strings.HasPrefix(f[1], function) {
			t.Errorf("%s: the debugger blames %q, want %s", name, f, function)
		}
	}
}

// repeats reports whether a text has a line twice in succession.
func repeats(text string) bool {
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return line == "" })
	return len(slices.Compact(slices.Clone(lines))) < len(lines)
}

// debugs has the kernel debugger run commands on a dump, and checks what it says. Of
// what fails, the first must be what is wanted.
func debugs(t *testing.T, image string, d *load.Dump, commands string, want error, patterns ...string) {
	t.Helper()
	var out bytes.Buffer
	s := symbolsOf(t, image)
	defer s.Unlock()
	err := kd.New(s.image, core.New(d), &out).Execute(t.Context(), commands)
	if (err == nil) != (want == nil) || want != nil && !strings.Contains(err.Error(), want.Error()) {
		t.Errorf("%s: %v, want %v\n%s", commands, err, want, &out)
	}
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(out.String()) {
			t.Errorf("%s: nothing fits %s in\n%s", commands, p, &out)
		}
	}
}
