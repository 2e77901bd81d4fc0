package overlay

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiles(t *testing.T) {
	got := slices.Sorted(maps.Keys(Files()))
	want := []string{"os/signal/tamago.go", "runtime/goos/goos.go", "runtime/tamago.go"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A program with more of TamaGo than the kernel's drivers needs the files.
func TestNeeded(t *testing.T) {
	const lapic = "github.com/usbarmory/tamago/amd64/lapic"
	for _, c := range []struct {
		path     string
		imported string
		want     bool
	}{
		{"irqlab/board", lapic, false},
		{lapic, "github.com/usbarmory/tamago/internal/reg", false},
		{"irqlab/tests/tamago", lapic, true},
		{"irqlab/boarding", lapic, true},
		{"example.com/driver", "runtime/goos", true},
		{"example.com/driver", "github.com/usbarmory/tamago-example", false},
		{"example.com/driver", "runtime", false},
	} {
		if got := Needed(c.path, []string{"fmt", c.imported}); got != c.want {
			t.Errorf("%s with %s needs the files: %v, want %v", c.path, c.imported, got, c.want)
		}
	}
}

// The files add to a standard library that has none of them.
func TestTamaGo(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	c := New(t.TempDir())
	if err := c.AddTamaGo(string(bytes.TrimSpace(goroot))); err != nil {
		t.Fatal(err)
	}
	if len(c.Replace) != len(Files()) {
		t.Errorf("%v are not all the files", c.Replace)
	}
}

func TestOnlyAdds(t *testing.T) {
	existing := filepath.Join(t.TempDir(), "there.go")
	if err := os.WriteFile(existing, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if New(t.TempDir()).Add(existing, []byte("package x\n")) == nil {
		t.Error("a file was replaced")
	}
}

func TestWrite(t *testing.T) {
	c := New(t.TempDir())
	added := filepath.Join(t.TempDir(), "x.go")
	if err := c.Add(added, []byte("package x\n")); err != nil {
		t.Fatal(err)
	}
	path, err := c.Write()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got Config
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Replace, got.Replace); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again, err := c.Write(); err != nil || again != path {
		t.Errorf("the same overlay is %s, then %s (%v)", path, again, err)
	}
}
