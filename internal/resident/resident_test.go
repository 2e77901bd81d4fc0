package resident

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "irqlab/"

// layers returns the rows of the table of packages in docs/architecture.md, by
// package: the lower a package, the larger its number.
func layers(t *testing.T) map[string]int {
	doc, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "| package | owns |")
	table, _, _ = strings.Cut(table, "\n\n")
	layer := make(map[string]int)
	for n, row := range strings.Split(table, "\n") {
		names, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " |")
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(names, -1) {
			layer[m[1]] = n
		}
	}
	return layer
}

// imports returns what each package of the module imports of it, for the machine.
func imports(t *testing.T, arch string) map[string][]string {
	cmd := exec.Command("go", "list", "-e", "-tags", "irqlab", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...")
	cmd.Env = append(os.Environ(), "GOARCH="+arch, "GOOS=linux")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		for _, w := range words[1:] {
			if strings.HasPrefix(w, module) {
				found[words[0]] = append(found[words[0]], w)
			}
		}
	}
	return found
}

// The table of packages is in the order of their dependencies.
func TestLayers(t *testing.T) {
	layer := layers(t)
	place := func(path string) (name string, n int, ok bool) {
		for name = strings.TrimPrefix(path, module); ; name = name[:strings.LastIndexByte(name, '/')] {
			if n, ok = layer[name]; ok || !strings.Contains(name, "/") {
				return name, n, ok
			}
		}
	}
	for _, arch := range []string{"amd64", "arm64"} {
		for path, list := range imports(t, arch) {
			a, above, ok := place(path)
			for _, i := range list {
				if b, below, known := place(i); ok && known && a != b && below < above {
					t.Errorf("%s imports %s, which is above it in docs/architecture.md", path, i)
				}
			}
		}
	}
	// Resident is what lies at or below entry.
	for _, path := range Packages {
		if name, n, ok := place(path); ok && n < layer["entry"] && !slices.Contains([]string{"bench", "soak"}, name) {
			t.Errorf("%s is resident, and above entry in docs/architecture.md", path)
		}
	}
	for name, n := range layer {
		if n >= layer["entry"] && !slices.Contains(Packages, module+name) {
			t.Errorf("%s is not resident, and below entry in docs/architecture.md", name)
		}
	}
}
