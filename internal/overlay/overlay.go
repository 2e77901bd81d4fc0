// Package overlay lets TamaGo's packages compile with the stock Go toolchain.
// They expect a package runtime/goos and a few functions in the standard
// library; a build overlay adds these files to the ones in GOROOT and replaces
// none.
//
// The drivers that the kernel itself uses do without. A program with more of
// TamaGo has a standard library of its own, which must be compiled: other
// programs share the toolchain's.
package overlay

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed _src
var source embed.FS

const root = "_src"

// Files returns the added files' contents by their paths below GOROOT/src.
func Files() map[string][]byte {
	files := make(map[string][]byte)
	err := fs.WalkDir(source, root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := source.ReadFile(path)
		files[strings.TrimPrefix(path, root+"/")] = b
		return err
	})
	if err != nil {
		panic(err) // the files are part of this program
	}
	return files
}

// Config is the go command's -overlay file, under construction.
type Config struct {
	Replace map[string]string // path the go command sees: path of the contents

	dir string // where the contents are kept
}

// New starts an overlay. Contents are stored in dir.
func New(dir string) *Config { return &Config{Replace: make(map[string]string), dir: dir} }

// AddTamaGo adds TamaGo's files to goroot.
func (c *Config) AddTamaGo(goroot string) error {
	for path, b := range Files() {
		if err := c.Add(filepath.Join(goroot, "src", filepath.FromSlash(path)), b); err != nil {
			return err
		}
	}
	return nil
}

const (
	tamago = "github.com/usbarmory/tamago"
	kernel = "irqlab/board" // has TamaGo's drivers that need no overlay
)

// Needed reports whether a package with these imports, of a program for the
// machine, needs TamaGo's files.
func Needed(path string, imports []string) bool {
	if path == kernel || within(path, tamago) {
		return false
	}
	return slices.ContainsFunc(imports, func(i string) bool { return within(i, tamago) || i == "runtime/goos" })
}

func within(path, module string) bool {
	return path == module || strings.HasPrefix(path, module+"/")
}

// Add adds a file. It refuses to replace one.
func (c *Config) Add(path string, contents []byte) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s exists; the overlay only adds files", path)
	}
	stored, err := store(c.dir, filepath.Base(path), contents)
	if err != nil {
		return err
	}
	c.Replace[path] = stored
	return nil
}

// Clone returns a copy that can be added to on its own.
func (c *Config) Clone() *Config {
	return &Config{Replace: maps.Clone(c.Replace), dir: c.dir}
}

// Write stores the overlay and returns the path for the -overlay flag.
func (c *Config) Write() (string, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return store(c.dir, "overlay.json", b)
}
