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

func TestOnlyAdds(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(t.TempDir(), string(bytes.TrimSpace(goroot)))
	if err != nil {
		t.Fatal(err)
	}
	existing := filepath.Join(t.TempDir(), "there.go")
	if err := os.WriteFile(existing, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if c.Add(existing, []byte("package x\n")) == nil {
		t.Error("a file was replaced")
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	c, err := New(dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
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
