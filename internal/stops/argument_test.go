package stops

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"irqlab/disk/layout"
	"irqlab/qemu"
)

func init() {
	for name, stop := range argumentStops {
		stops[name] = stop
	}
}

var argumentStops = map[string]stop{
	"argument-raised":   {0x0A, [4]uint64{0, 2, 0, address}},
	"argument-in-dpc":   {0x0A, [4]uint64{0, 2, 0, address}},
	"argument-nowhere":  {0x50, [4]uint64{address, 0, address, 0}},
	"argument-indirect": {0x0A, [4]uint64{0, 2, 0, address}},
	"argument-pageable": {0xC4, [4]uint64{0xE1, address, 0, 0}},
	"argument-type":     {0xC4, [4]uint64{0x1AB0003, 0, address, any}},
}

// atCall has the stops whose instruction at fault is a call of the program's: what
// the line says that makes it, and which parameter is its address, or 0.
var atCall = map[string]struct {
	line      string
	parameter int
}{
	"argument-raised":   {"KeSetEvent(", 4},
	"argument-in-dpc":   {"KeResetEvent(", 4},
	"argument-nowhere":  {"KeQueryTickCount(", 3},
	"argument-indirect": {"routines[", 4},
	"argument-pageable": {"KeClearEvent(", 0},
	"argument-type":     {"KeResetEvent(", 0},
	"wdk-dpc-elsewhere": {"KeInitializeDpc(", 0},
	"lower-to-higher":   {"irql.Lower(", 4},
	"wait-at-dispatch":  {".Wait(", 4},
}

// A call on the screen, where it returns to in the program, and the line that the
// kernel debugger makes of it.
var (
	callAt   = regexp.MustCompile(`(?m)^=> ([0-9a-f]{16}) (?:call|bl|blr) `)
	returnTo = regexp.MustCompile(`(?m)^ *\d+ ([0-9a-f]{16}) main\.`)
	blamed   = regexp.MustCompile(`(?m)^> *\d+: (.*)$`)
)

// testAtCall checks that the screen, the parameters and the kernel debugger blame
// the program's line, and not the routine of the kernel that noticed.
func testAtCall(t *testing.T, arch qemu.Arch, image string) {
	for name, want := range atCall {
		s := newStopped(t, arch, image, layout.MinSize)
		out := s.boot(t, name, "dump=small")
		call, back := callAt.FindStringSubmatch(out), returnTo.FindStringSubmatch(out)
		if call == nil || back == nil {
			t.Errorf("%s: no call is shown\n%s", name, out)
			continue
		}
		if size := parse(t, back[1]) - parse(t, call[1]); size < 2 || size > 5 {
			t.Errorf("%s: the call is not that of the back trace\n%s", name, out)
		}
		d, _ := s.fetch(t)
		if n := want.parameter; n != 0 && d.Stop.Parameters[n-1] != parse(t, call[1]) {
			t.Errorf("%s: parameter %d is not the call\n%s", name, n, out)
		}
		analysis := analyzes(t, image, d, out)
		if source := blamed.FindStringSubmatch(analysis); source == nil || !strings.Contains(source[1], want.line) {
			t.Errorf("%s: the debugger blames %q, want %q\n%s", name, source, want.line, analysis)
		}
	}
}

func parse(t *testing.T, hex string) uint64 {
	t.Helper()
	v, err := strconv.ParseUint(hex, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
