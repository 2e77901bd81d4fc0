// Package gotests knows the Go distribution's own tests: which of them a
// machine without files, processes and network can run, and what they should
// print.
package gotests

import (
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// Program is a test program of GOROOT/test. It must exit with status 0 and
// print what is expected of it.
type Program struct {
	Name  string   // slash-separated, below GOROOT: test/ken/array.go
	Files []string // where it is; the first names it
	Flags []string // for go build
	Args  []string // for the program
	Want  string   // what it prints
	Skip  string   // why it cannot run here; empty if it can
}

// directories of GOROOT/test that hold programs of one file.
var directories = []string{".", "abi", "chan", "fixedbugs", "interface", "ken", "typeparam", "typeparam/mdempsky", "dwarf"}

// Programs lists the "// run" programs of GOROOT/test for an architecture.
func Programs(goroot, goarch string) ([]Program, error) {
	context := build.Default
	context.GOOS, context.GOARCH, context.CgoEnabled = "linux", goarch, false
	var programs []Program
	for _, dir := range directories {
		full := filepath.Join(goroot, "test", dir)
		entries, err := os.ReadDir(full)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".go") {
				continue
			}
			p := Program{Name: path.Join("test", dir, e.Name()), Files: []string{filepath.Join(full, e.Name())}}
			ok, err := p.read(&context)
			if err != nil {
				return nil, err
			}
			if ok {
				programs = append(programs, p)
			}
		}
	}
	return programs, nil
}

// read fills p in from its source. It reports false if the file is not a
// program that is to be run.
func (p *Program) read(context *build.Context) (bool, error) {
	src, err := os.ReadFile(p.Files[0])
	if err != nil {
		return false, err
	}
	action, ok := runAction(string(src))
	if !ok {
		return false, nil
	}
	// The words are what go run takes: flags, files, arguments.
	for ; len(action) > 0 && strings.HasPrefix(action[0], "-"); action = action[1:] {
		p.Flags = append(p.Flags, action[0])
	}
	for ; len(action) > 0 && strings.HasSuffix(action[0], ".go"); action = action[1:] {
		p.Files = append(p.Files, filepath.Join(filepath.Dir(p.Files[0]), action[0]))
	}
	p.Args = action
	want, err := os.ReadFile(strings.TrimSuffix(p.Files[0], ".go") + ".out")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	p.Want = string(want)
	p.Skip, err = p.obstacle(context, src)
	return true, err
}

// runAction returns the words after "// run" in the line that tells the
// distribution's test runner what to do: the first that is not a build
// constraint.
func runAction(src string) (words []string, ok bool) {
	for line := range strings.Lines(src) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "//go:build") || strings.HasPrefix(line, "// +build") {
			continue
		}
		rest, ok := strings.CutPrefix(line, "// run")
		if !ok || rest != "" && rest[0] != ' ' {
			return nil, false
		}
		return splitQuoted(rest), true
	}
	return nil, false
}

// splitQuoted splits s at spaces outside quotes, and drops the quotes.
func splitQuoted(s string) (words []string) {
	var quote rune
	for _, w := range strings.FieldsFunc(s, func(r rune) bool {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		}
		return quote == 0 && r == ' '
	}) {
		words = append(words, strings.NewReplacer(`"`, "", "'", "").Replace(w))
	}
	return words
}

// obstacle says why the machine cannot run the program, or nothing.
func (p *Program) obstacle(context *build.Context, src []byte) (string, error) {
	if why, ok := programSkips[context.GOARCH][p.Name]; ok {
		return why, nil
	}
	match, err := context.MatchFile(filepath.Split(p.Files[0]))
	if err != nil {
		return "", err
	}
	if !match {
		return "its build constraints exclude linux/" + context.GOARCH, nil
	}
	for i, f := range p.Flags {
		switch {
		case strings.HasPrefix(f, "-race"):
			return "the race detector needs an operating system", nil
		case strings.Contains(f, "all=") && strings.Contains(f, "checkptr"):
			return "checkptr in all packages forbids the kernel its device registers", nil
		case strings.HasPrefix(f, "-goexperiment"):
			return "needs a toolchain experiment", nil
		case f == "-gcflags" && i+1 == len(p.Flags):
			return "its flags cannot be told from its arguments", nil
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), p.Files[0], src, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	return needs(file), nil
}

// imports that nothing in the machine can serve.
var unservedImports = map[string]string{
	"C":           "needs cgo",
	"os/exec":     "starts processes",
	"net":         "needs a network",
	"net/http":    "needs a network",
	"plugin":      "loads files",
	"os/signal":   "sends itself signals from outside",
	"go/build":    "reads GOROOT",
	"os/user":     "reads files",
	"io/ioutil":   "uses files",
	"debug/elf":   "reads its own executable",
	"debug/dwarf": "reads its own executable",
}

// functions of package os that use files.
var fileFunctions = map[string]bool{
	"Chdir": true, "Create": true, "CreateTemp": true, "Executable": true, "Getwd": true, "Lstat": true,
	"Mkdir": true, "MkdirAll": true, "MkdirTemp": true, "Open": true, "OpenFile": true, "Pipe": true,
	"ReadDir": true, "ReadFile": true, "Remove": true, "RemoveAll": true, "Stat": true, "TempDir": true,
	"WriteFile": true, "StartProcess": true,
}

// needs reports what a program uses that the machine does not have.
func needs(file *ast.File) (what string) {
	for _, spec := range file.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		if why, ok := unservedImports[name]; ok {
			return why
		}
		if strings.HasPrefix(name, "internal/") || strings.Contains(name, "/internal/") {
			return "imports " + name + ", which only GOROOT may"
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == "os" && fileFunctions[sel.Sel.Name] {
			what = "uses files (os." + sel.Sel.Name + ")"
		}
		return true
	})
	return what
}

// Short reports whether p belongs to the representative selection.
func (p *Program) Short() bool {
	for _, prefix := range shortPrograms {
		if strings.HasPrefix(p.Name, prefix) {
			return true
		}
	}
	return false
}
