//go:build !irqlab

package residentcheck

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mostAssembly is the largest share of an image's own source lines that may be
// assembly, in percent.
const mostAssembly = 5

// What is not Go of an image is assembly for what Go cannot say: entry, vectors,
// changes of stack, system registers.
func TestAssemblyShare(t *testing.T) {
	for _, goarch := range []string{"amd64", "arm64"} {
		list := exec.Command("go", "list", "-deps", "-tags", "irqlab", "-json=ImportPath,Dir,GoFiles,SFiles", "irqlab/shell", "irqlab/soak")
		list.Env = append(os.Environ(), "GOARCH="+goarch, "CGO_ENABLED=0")
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		goLines, assembly := 0, 0
		for d := json.NewDecoder(bytes.NewReader(out)); ; {
			var p struct {
				ImportPath, Dir string
				GoFiles, SFiles []string
			}
			if err := d.Decode(&p); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(p.ImportPath, "irqlab/") {
				continue
			}
			for _, f := range p.GoFiles {
				goLines += codeLines(t, filepath.Join(p.Dir, f))
			}
			for _, f := range p.SFiles {
				assembly += codeLines(t, filepath.Join(p.Dir, f))
			}
		}
		share := 100 * float64(assembly) / float64(assembly+goLines)
		t.Logf("%s: %d lines of assembly, %d of Go: %.1f %%", goarch, assembly, goLines, share)
		if share >= mostAssembly || assembly == 0 {
			t.Errorf("%s: %.1f %% of the code is assembly; it must stay under %d %%", goarch, share, mostAssembly)
		}
	}
}

// codeLines counts the lines of a file that are neither blank nor all comment.
func codeLines(t *testing.T, path string) int {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		if s := strings.TrimSpace(line); s != "" && !strings.HasPrefix(s, "//") {
			n++
		}
	}
	return n
}
