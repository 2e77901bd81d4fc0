//go:build !irqlab

// These tests boot machines; they do not run inside one.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"irqlab/qemu"
)

// tool is the command under test, built for the tests that boot machines.
var tool string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "irqlab")
	if err != nil {
		panic(err)
	}
	tool = filepath.Join(dir, "irqlab")
	if out, err := exec.Command("go", "build", "-o", tool, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// limit is what a machine gets that should be done in seconds, on a host that runs
// it a small part of the time.
const limit = 5 * time.Minute

// irqlab runs the tool with a time limit of its own.
func irqlab(t *testing.T, stdin string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// eachArch runs a test on every architecture whose emulator is installed.
func eachArch(t *testing.T, f func(t *testing.T, arch string)) {
	for _, arch := range qemu.Archs {
		t.Run(string(arch), func(t *testing.T) {
			if _, err := qemu.Find(arch); err != nil {
				t.Skip(err)
			}
			f(t, string(arch))
		})
	}
}

func TestRun(t *testing.T) {
	eachArch(t, func(t *testing.T, arch string) {
		out, errs, status := irqlab(t, "", "run", "./testdata/hello", "-arch", arch, "-timeout", limit.String(),
			"-env", "GREETING=good morning", "--", "a b", "")
		const want = "[\"a b\" \"\"] good morning\nirqlab: exit 0\n"
		if out != want || status != 0 {
			t.Errorf("status %d\n%s\nstandard output %q, want %q", status, errs, out, want)
		}
	})
}

// A program with more of TamaGo than the kernel has gets the overlay.
func TestRunTamaGo(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a standard library")
	}
	out, errs, status := irqlab(t, "", "run", "./testdata/dma", "-timeout", limit.String())
	const want = "0x40000000 to 0x40001000\nirqlab: exit 0\n"
	if out != want || status != 0 {
		t.Errorf("status %d\n%s\nstandard output %q, want %q", status, errs, out, want)
	}
}

func TestRunExitStatus(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	eachArch(t, func(t *testing.T, arch string) {
		for given, want := range map[int]int{3: 3, 128: 128, 200: 200, -1: 255} {
			out, errs, status := irqlab(t, "", "run", "-arch", arch, "-timeout", limit.String(), "./testdata/hello", "-env", fmt.Sprint("STATUS=", given))
			if status != want || !strings.HasSuffix(out, fmt.Sprintf("\nirqlab: exit %d\n", want)) {
				t.Errorf("os.Exit(%d): status %d, want %d\n%s%s", given, status, want, out, errs)
			}
		}
	})
}

func TestRunInput(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	eachArch(t, func(t *testing.T, arch string) {
		var lines strings.Builder
		for i := range 500 {
			fmt.Fprintf(&lines, "line %d of the input\n", i)
		}
		var every []byte
		for i := range 256 {
			every = append(every, byte(i))
		}
		for _, tt := range []struct{ name, input, seed string }{
			{"any bytes on the UART", string(every) + string(every) + "\x16\x04", ""},
			{"any bytes with the boot", string(every) + "\x04", "-seed=1"},
			{"on the UART", lines.String(), ""},
			{"with the boot", "one\ntwo %20\n", "-seed=1"},
			{"none", "", "-seed=1"},
		} {
			args := []string{"run", "-arch", arch, "-timeout", limit.String(), "./testdata/input"}
			if tt.seed != "" {
				args = append(args, tt.seed)
			}
			out, errs, status := irqlab(t, tt.input, args...)
			want := fmt.Sprintf("%d bytes, sum %08x\n", len(tt.input), crc32.ChecksumIEEE([]byte(tt.input)))
			if !strings.Contains(out, want) || status != 0 {
				t.Errorf("%s: status %d, want the line %q in\n%s%s", tt.name, status, want, out, errs)
			}
		}
	})
}

func TestTest(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	eachArch(t, func(t *testing.T, arch string) {
		test := func(args ...string) (string, int) {
			out, errs, status := irqlab(t, "", append([]string{"test", "-arch", arch, "./testdata/tests"}, args...)...)
			return out + errs, status
		}
		out, status := test("-run", "TestPass", "-v")
		if status != 0 || !strings.Contains(out, "--- PASS: TestPass") || !strings.Contains(out, "ok  \tirqlab/cmd/irqlab/testdata/tests") ||
			strings.Contains(out, "irqlab: exit") {
			t.Errorf("a passing test: status %d\n%s", status, out)
		}
		out, status = test("-run=TestFail", "-seed=7")
		if status == 0 || !strings.Contains(out, "as expected") ||
			!strings.HasSuffix(out, "repeat with: irqlab test -arch="+arch+" -cpus=2 -mem=128M -seed=7 ./testdata/tests -run=TestFail\n") {
			t.Errorf("a failing test: status %d\n%s", status, out)
		}
		out, status = test("-run=TestHang", "-timeout=2s")
		if status == 0 || !strings.Contains(out, "panic: test timed out after 2s") {
			t.Errorf("a hanging test: status %d\n%s", status, out)
		}
	})
}

// userModule writes a module of a user's with one program.
func userModule(t *testing.T) (dir string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, text := range map[string]string{
		"go.mod":           "module example.com/mine\n\ngo 1.26.5\n\nrequire irqlab v0.0.0\n\nreplace irqlab => " + root + "\n",
		"mydriver/main.go": "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"my driver\") }\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A module of the user's own, with a program that imports nothing of irqlab.
func TestUserModule(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	dir := userModule(t)
	t.Chdir(dir)
	const cure = "go get irqlab/entry"
	if _, errs, status := irqlab(t, "", "run", "./mydriver"); status != statusFailure || !strings.Contains(errs, cure) {
		t.Errorf("without go.sum: status %d\n%s", status, errs)
	}
	if out, err := exec.Command("go", "get", "irqlab/entry").CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cure, err, out)
	}
	out, errs, status := irqlab(t, "", "run", "./mydriver", "-timeout", limit.String())
	if status != 0 || !strings.HasPrefix(out, "my driver\n") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

func TestMistakes(t *testing.T) {
	for _, tt := range []struct {
		line   string
		status int
		say    string
	}{
		{"", statusUsage, ""},
		{"rum ./x", statusUsage, `did you mean "run"?`},
		{"run", statusUsage, "name the main package"},
		{"run ./testdata/hello extra", statusUsage, "after --"},
		{"run ./testdata/hello -cpus 9", statusUsage, "1 to 8"},
		{"run ./testdata/hello -cpus two", statusUsage, "not a number"},
		{"run ./testdata/hello -timeout -5s", statusUsage, "-timeout"},
		{"run ./testdata/hello -arch mips", statusUsage, "use amd64 or arm64"},
		{"run ./nowhere", statusFailure, "nowhere"},
		{"run ../../image", statusFailure, "not a main package"},
		{"run ./testdata/hello -seed 1 -accel kvm", statusUsage, "-accel tcg"},
		{"build ./testdata/hello -- x", statusUsage, "irqlab run"},
		{"test -exec x .", statusUsage, "-exec"},
		{"test -cpus 1,9 .", statusUsage, "1 to 8"},
		{"test -cpus 1,two .", statusUsage, "not a number"},
		{"gotests -p 0 sync", statusUsage, "-p"},
		{"check-image build.go", statusFailure, "build.go: "},
		{"exec /dev/null", statusFailure, "not an ELF file"},
		{"exec " + tool, statusFailure, "build it with irqlab"},
		{"help rum", statusUsage, `did you mean "run"?`},
	} {
		out, errs, status := irqlab(t, "", strings.Fields(tt.line)...)
		if status != tt.status || !strings.Contains(errs, tt.say) || out != "" {
			t.Errorf("irqlab %s: status %d, want %d and %q:\n%s%s", tt.line, status, tt.status, tt.say, out, errs)
		}
	}
}

func TestNoModule(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, line := range []string{"run ./x", "test ./...", "build ./x"} {
		_, errs, status := irqlab(t, "", strings.Fields(line)...)
		if status != statusFailure || !strings.Contains(errs, "go mod init") {
			t.Errorf("irqlab %s: status %d\n%s", line, status, errs)
		}
	}
}

func TestMissingTools(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, errs, status := irqlab(t, "", "run", "./testdata/hello")
	if status != statusFailure || !strings.Contains(errs, "install it with") {
		t.Errorf("status %d\n%s", status, errs)
	}
}

// An interrupted run ends its machine.
func TestInterrupt(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	if _, err := qemu.Find(qemu.AMD64); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir) // the image's path tells the machine from others
	cmd := exec.Command(tool, "test", "-run=TestHang", "./testdata/tests")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if !soon(func() bool { return runs(t, dir+"/irqlab") }) {
		t.Error("no machine was started")
	}
	cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err == nil {
		t.Error("an interrupted test succeeded")
	}
	if !soon(func() bool { return !runs(t, dir) }) {
		t.Error("processes are left")
	}
}

// soon waits for a condition, for which a busy host may have to build a program.
func soon(condition func() bool) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if condition() {
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	return false
}

// runs reports whether a QEMU runs whose arguments contain the text.
func runs(t *testing.T, text string) bool { return len(machines(t, text)) > 0 }

// machines returns the processes of the QEMUs whose arguments contain the text.
func machines(t *testing.T, text string) (pids []string) {
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(paths) == 0 {
		t.Skip("needs /proc to see processes")
	}
	for _, path := range paths {
		line, _ := os.ReadFile(path) // it may have ended meanwhile
		if bytes.Contains(line, []byte("qemu-system")) && bytes.Contains(line, []byte(text)) {
			pids = append(pids, filepath.Base(filepath.Dir(path)))
		}
	}
	return pids
}

// The kernel's own resident code is resident.
func TestResident(t *testing.T) {
	for _, arch := range qemu.Archs {
		t.Run(string(arch), func(t *testing.T) {
			out, errs, status := irqlab(t, "", "check-image", "-arch", string(arch))
			if status != 0 {
				t.Errorf("status %d\n%s%s", status, out, errs)
			}
		})
	}
}
