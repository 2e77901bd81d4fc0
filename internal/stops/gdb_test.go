package stops

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"irqlab/qemu"
)

// gdbs are the debuggers that know an architecture, or "".
var gdbs = map[qemu.Arch]func() string{
	qemu.AMD64: sync.OnceValue(func() string { return findGDB("i386:x86-64") }),
	qemu.ARM64: sync.OnceValue(func() string { return findGDB("aarch64") }),
}

// withGDB runs a test with a gdb that knows the architecture, if there is one.
func withGDB(t *testing.T, arch qemu.Arch, test func(t *testing.T, gdb string)) {
	t.Run("gdb", func(t *testing.T) {
		gdb := gdbs[arch]()
		if gdb == "" {
			t.Skipf("no gdb for %s: install gdb-multiarch", arch)
		}
		test(t, gdb)
	})
}

func findGDB(arch string) string {
	for _, name := range []string{"gdb-multiarch", "gdb"} {
		out, err := exec.Command(name, "-nx", "-batch", "-ex", "set architecture "+arch).CombinedOutput()
		if err == nil && !strings.Contains(string(out), "Undefined item") {
			return name
		}
	}
	return ""
}

// innermost is what gdb says of the innermost function, with and without an address.
var innermost = regexp.MustCompile(`(?m)^#0 +(?:0x[0-9a-f]+ in )?(\S+) \(`)

// readByGDB has gdb read the dumps one after the other: it takes a second for the
// program's symbols. It must find the code, and the function where the machine
// stopped. Its callers end, for gdb, where the stack changes.
func (d *dumps) readByGDB(t *testing.T, gdb, image string) {
	t.Helper()
	args := []string{"-nx", "-batch"}
	for _, c := range d.all {
		args = append(args, "-ex", "core-file "+c.file, "-ex", "print/x 'irqlab/bugcheck.LastStop'.Code", "-ex", "backtrace", "-ex", "echo \\n----\\n")
	}
	out, err := exec.CommandContext(t.Context(), gdb, append(args, image)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	parts := strings.Split(string(out), "----\n")
	if len(parts) != len(d.all)+1 {
		t.Fatalf("gdb says %d things of %d dumps\n%s", len(parts)-1, len(d.all), out)
	}
	for i, c := range d.all {
		f := innermost.FindStringSubmatch(parts[i])
		if f == nil || !strings.Contains(c.console, f[1]) || !strings.Contains(parts[i], fmt.Sprintf("= %#x\n", uint32(c.p.Code))) {
			t.Errorf("gdb does not tell of %#x what the screen does\n%s\n%s", uint32(c.p.Code), parts[i], c.console)
		}
	}
}
