package stops

import (
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"irqlab/qemu"
)

// directory has the images.
var directory string

func TestMain(m *testing.M) {
	var err error
	if directory, err = os.MkdirTemp("", "stops"); err != nil {
		panic(err)
	}
	flag.Parse()
	// A machine waits for its disk now and then, and its host for it.
	if f := flag.Lookup("test.parallel"); f.Value.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) {
		f.Value.Set(fmt.Sprint(runtime.GOMAXPROCS(0) + 1))
	}
	status := m.Run()
	os.RemoveAll(directory)
	os.Exit(status)
}

// images are those that were built, by path.
var images sync.Map

// build returns the image of a program, which is built once.
func build(t *testing.T, arch qemu.Arch, pkg string) string {
	t.Helper()
	path := filepath.Join(directory, string(arch)+"-"+filepath.Base(pkg))
	once, _ := images.LoadOrStore(path, sync.OnceValue(func() error {
		out, err := exec.Command("go", "run", "irqlab/cmd/irqlab", "build", "-arch", string(arch), "-o", path, pkg).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	}))
	if err := once.(func() error)(); err != nil {
		t.Fatal(err)
	}
	return path
}

// program is the image of tests/stops for an architecture.
func program(t *testing.T, arch qemu.Arch) string { return build(t, arch, "irqlab/tests/stops") }

// machine is what stops are provoked on: a small one. Without a disk, which it does
// not set up, a PC gets the firmware that does least, if QEMU has it: it is booted
// some hundreds of times.
func machine(arch qemu.Arch, cpus int, disk string) qemu.Machine {
	m := qemu.Machine{Arch: arch, CPUs: cpus, Memory: 64 << 20, Disk: disk}
	if rom := firmware(); arch == qemu.AMD64 && disk == "" && rom != "" {
		m.Extra = []string{"-bios", rom}
	}
	return m
}

var firmware = sync.OnceValue(func() string {
	path, err := qemu.Find(qemu.AMD64)
	if err != nil {
		return ""
	}
	folders, _ := exec.Command(path, "-L", "help").Output()
	for _, folder := range strings.Fields(string(folders)) {
		rom := filepath.Join(folder, "qboot.rom")
		if _, err := os.Stat(rom); err == nil {
			return rom
		}
	}
	return ""
})

// together are the stops that take two processors.
var together = map[string]bool{
	"beside-high": true, "hung-processor": true, "spin-foreign-release": true, "dpc-bad-cpu": true,
	"hang-device": true, "hang-high": true, "verifier-unload-dpc": true,
	"dpc-watchdog-idle": true, "0x101": true, "beside-caller": true, "second-processor": true,
}

var all = flag.Bool("all", false, "provoke each stop with 1 and with 2 processors on each architecture")

// processors returns the numbers of processors that a stop is provoked with. Without
// -all, what takes one on one architecture takes two on the other.
func processors(arch qemu.Arch, name string) []int {
	switch {
	case together[name]:
		return []int{2}
	case *all:
		return []int{1, 2}
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	n := h.Sum32() >> 8
	if arch == qemu.ARM64 {
		n++
	}
	return []int{1 + int(n%2)}
}

// each runs a test for each architecture, both at a time.
func each(t *testing.T, test func(*testing.T, qemu.Arch)) {
	for _, arch := range qemu.Archs {
		t.Run(string(arch), func(t *testing.T) {
			if _, err := qemu.Find(arch); err != nil {
				t.Skip(err)
			}
			t.Parallel()
			test(t, arch)
		})
	}
}
