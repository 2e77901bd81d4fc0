package residentcheck

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const plantedPackage = "irqlab/internal/residentcheck/testdata/planted/resident"

// link builds the program with the planted violations.
func link(t *testing.T, goarch string, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "planted")
	cmd := exec.Command("go", slices.Concat([]string{"build", "-o", path}, flags, []string{"./testdata/planted"})...)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+goarch, "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func TestPlanted(t *testing.T) {
	for _, goarch := range []string{"amd64", "arm64"} {
		t.Run(goarch, func(t *testing.T) {
			violations, _, err := Check(link(t, goarch), []string{plantedPackage})
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[string]string)
			for _, v := range violations {
				name, ok := strings.CutPrefix(v.Function, plantedPackage+".")
				if !ok {
					name = strings.TrimPrefix(v.Path[0], plantedPackage+".")
				} else if name != "init" && !strings.Contains(v.Position, "resident.go:") {
					t.Errorf("%s has no position: %s", name, v.Position)
				}
				if name == "Use" { // which has been inlined into in places
					continue
				}
				if strings.HasPrefix(name, "Good") {
					t.Errorf("false alarm: %v", v)
				}
				if !strings.Contains(got[name], v.Callee) {
					got[name] += v.Callee + " "
				}
			}
			want := map[string]string{
				"New":     "runtime.newobject",
				"Barrier": "runtime.writeBarrier",
				"Append":  "runtime.growslice",
				"Map":     "runtime.mapassign_fast64",
				"Send":    "runtime.chansend1",
				"Convert": "runtime.convT64",
				"Concat":  "runtime.concatstring2",
				"Defer":   "runtime.deferproc",
				"Start":   "runtime.newproc",
				"Lock":    "runtime.semacquire1",
				"init":    plantedPackage + ".init",
			}
			for name, callee := range want {
				if !strings.Contains(got[name], callee) {
					t.Errorf("%s: %s went unseen; seen: %s", name, callee, got[name])
				}
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
				t.Errorf("functions at fault (-want +got):\n%s", diff)
			}
		})
	}
}

// The compiler's -wb=false removes barriers and the check sees the difference.
func TestWithoutBarriers(t *testing.T) {
	violations, _, err := Check(link(t, "amd64", "-gcflags="+plantedPackage+"=-wb=false"), []string{plantedPackage})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		if v.Callee == "runtime.writeBarrier" && len(v.Path) == 0 {
			t.Errorf("a barrier without barriers: %v", v)
		}
	}
}

func TestNothingToCheck(t *testing.T) {
	if _, _, err := Check(link(t, "amd64"), []string{"irqlab/nowhere"}); err == nil {
		t.Error("a program without resident code passed")
	}
	if _, _, err := Check(link(t, "amd64", "-ldflags=-s"), []string{plantedPackage}); err == nil {
		t.Error("a program without symbols passed")
	}
}

func TestPackagePath(t *testing.T) {
	for symbol, want := range map[string]string{
		"irqlab/sync/spin.(*Lock).Acquire":             "irqlab/sync/spin",
		"irqlab/dpc.Run.func1":                         "irqlab/dpc",
		"irqlab/list.(*List[go.shape.*a/b.C]).Push":    "irqlab/list",
		"runtime.memmove":                              "runtime",
		"github.com/usbarmory/tamago/soc/x.(*UART).Tx": "github.com/usbarmory/tamago/soc/x",
		"_rt0_amd64_linux":                             "",
	} {
		if got := packagePath(symbol); got != want {
			t.Errorf("%s: got %q, want %q", symbol, got, want)
		}
	}
}
