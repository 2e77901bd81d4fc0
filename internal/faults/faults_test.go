// Package faults boots the soak again and again with one fault in each run, at a
// random occasion: an allocation that fails, an interrupt that is lost, late or
// spurious, a disk that refuses a request, a kernel stack that ends, a page fault in
// a service routine; see package irqlab/fault. Whatever comes of it must be one of:
//
//   - the soak passes, with every count right;
//   - a bug check, whose dump, if one was written, can be read and tells the same;
//   - the Go runtime's own fatal error, or the soak's, for want of memory.
//
// A machine that hangs fails the test, whichever watchdog should have struck.
package faults

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"irqlab/disk/layout"
	"irqlab/dump/load"
	"irqlab/internal/diskimage"
	"irqlab/qemu"
)

var (
	runs = flag.Int("faults", 6, "runs for each architecture")
	seed = flag.Uint64("faultseed", uint64(time.Now().UnixNano()%1e6), "decides the faults")
)

// kinds are the faults, with about how many occasions for each a run has.
var kinds = []struct {
	name string
	most int
}{
	{"pool", 3000}, {"page", 3000}, {"ipi", 2000}, {"spurious", 100}, {"late", 3000}, {"disk", 40}, {"stack", 2000}, {"nested", 3000},
}

// limit is how long a run may take. The watchdogs of a processor that does not
// answer and of a part that does not get on need half a minute of it.
const limit = 3 * time.Minute

func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	t.Logf("-faultseed=%d", *seed)
	for i, arch := range qemu.Archs {
		t.Run(string(arch), func(t *testing.T) {
			if _, err := qemu.Find(arch); err != nil {
				t.Skip(err)
			}
			image := filepath.Join(t.TempDir(), "image")
			cmd := exec.CommandContext(t.Context(), "go", "run", "irqlab/cmd/irqlab", "build", "-arch", string(arch), "-o", image, "irqlab/soak")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			random := rand.New(rand.NewPCG(*seed, uint64(i)))
			for range *runs {
				k := kinds[random.IntN(len(kinds))]
				fault := fmt.Sprintf("fault=%s@%d", k.name, 1+random.IntN(k.most))
				if random.IntN(4) == 0 {
					fault += fmt.Sprintf("+%d", 1+random.IntN(20))
				}
				cpus := 1 + random.IntN(2)
				t.Run(fmt.Sprintf("%s,%d", fault, cpus), func(t *testing.T) {
					t.Parallel()
					run(t, arch, image, fault, cpus)
				})
			}
		})
	}
}

var stop = regexp.MustCompile(`\*\*\* STOP 0x([0-9A-F]{8})`)

func run(t *testing.T, arch qemu.Arch, image, fault string, cpus int) {
	dir := t.TempDir()
	m := qemu.Machine{Arch: arch, CPUs: cpus, Memory: 64 << 20, Disk: filepath.Join(dir, "disk")}
	if err := diskimage.Make(m.Disk, layout.MinSize); err != nil {
		t.Fatal(err)
	}
	line, err := qemu.Cmdline{Options: []string{fault, "dump=small"}, Args: []string{"1s"}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	status, err := m.Run(context.Background(), image, line, qemu.Console{Out: &out, Err: &errs}, limit)
	defer func() {
		if t.Failed() {
			t.Logf("repeat with: irqlab run -arch %s -cpus %d -mem 64M -disk DISK -opt %s ./soak -- 1s\n%s%s", arch, cpus, fault, &errs, &out)
		}
	}()
	if what := verdict(fault, out.String(), status, err); what != "" {
		t.Error(what)
	}
	if code := stop.FindStringSubmatch(out.String()); code != nil && strings.Contains(out.String(), "in the page file. Fetch") {
		checkDump(t, m.Disk, code[1])
	}
}

// verdict says what is wrong with how a run ended, if anything is.
func verdict(fault, console string, status int, err error) string {
	stopped := stop.MatchString(console)
	switch {
	case err != nil:
		return err.Error()
	case stopped && status == 66:
	case !stopped && status == 0 && strings.Contains(console, "soak: PASS"):
	case stopped || !strings.HasPrefix(fault, "fault=p"): // pool or page
		return fmt.Sprintf("status %d", status)
	case status == 2 && strings.Contains(console, "fatal error:"):
	case status == 1 && strings.Contains(console, "no memory for the workers"):
	default:
		return fmt.Sprintf("status %d", status)
	}
	return ""
}

// A run that did not end as it must is seen.
func TestVerdict(t *testing.T) {
	const screen = "*** STOP 0x0000000A (...)"
	for _, tt := range []struct {
		fault, console string
		status         int
		err            error
		good           bool
	}{
		{"fault=ipi@1", "soak: PASS", 0, nil, true},
		{"fault=ipi@1", screen, 66, nil, true},
		{"fault=page@1", "fatal error: runtime: out of memory", 2, nil, true},
		{"fault=ipi@1", "", 0, context.DeadlineExceeded, false},
		{"fault=ipi@1", "soak: FAIL: 1 counts are wrong", 1, nil, false},
		{"fault=ipi@1", "", 0, nil, false},
		{"fault=ipi@1", screen, 0, nil, false},
		{"fault=ipi@1", "", 66, nil, false},
		{"fault=ipi@1", "fatal error: runtime: out of memory", 2, nil, false},
		{"fault=pool@1", "", 2, nil, false},
		{"fault=pool@1", "soak: FAIL: no memory for the workers", 1, nil, true},
		{"fault=pool@1", "soak: FAIL: 1 counts are wrong", 1, nil, false},
	} {
		if what := verdict(tt.fault, tt.console, tt.status, tt.err); (what == "") != tt.good {
			t.Errorf("%+v: %q", tt, what)
		}
	}
}

// checkDump checks that the dump on the disk is whole and of that stop.
func checkDump(t *testing.T, disk, code string) {
	file := filepath.Join(t.TempDir(), "MEMORY.DMP")
	if _, err := diskimage.Fetch(disk, file); err != nil {
		t.Error(err)
		return
	}
	d, err := load.Open(file)
	if err != nil {
		t.Error(err)
		return
	}
	defer d.Close()
	if want, _ := strconv.ParseUint(code, 16, 32); uint64(d.Stop.Code) != want {
		t.Errorf("the dump says %#x, the screen %#x", d.Stop.Code, want)
	}
}
