package coverage

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// parse parses the Go files of a directory.
func parse(dir string) ([]*ast.File, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// implemented returns the exported functions and types of package wdk, each with
// its IRQL line, if it has one. The pointer type of a callback counts as the
// callback: PKSTART_ROUTINE is KSTART_ROUTINE.
func implemented(root string) (map[string]string, error) {
	files, err := parse(filepath.Join(root, "wdk"))
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, f := range files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.IsExported() {
					names[d.Name.Name] = levelLine(d.Doc)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if t, ok := s.(*ast.TypeSpec); ok {
						doc := t.Doc
						if doc == nil {
							doc = d.Doc
						}
						names[t.Name.Name] = levelLine(doc)
						names[strings.TrimPrefix(t.Name.Name, "P")] = levelLine(doc)
					}
				}
			}
		}
	}
	return names, nil
}

// levelLine is what a doc comment says of the IRQL.
func levelLine(doc *ast.CommentGroup) string {
	for line := range strings.Lines(doc.Text()) {
		if line, ok := strings.CutPrefix(line, "IRQL: "); ok {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// levelMark is a comment of a test that sees a callback's levels in another way
// than tests/levels can.
var levelMark = regexp.MustCompile(`(?m)^\s*// levels: (\w+)$`)

// tested returns the routines that are tested at their levels: those that the
// tables of tests/levels have, as keys of composite literals, and those that
// other tests name.
func tested(root string) (map[string]bool, error) {
	files, err := parse(filepath.Join(root, "tests", "levels"))
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if kv, ok := n.(*ast.KeyValueExpr); ok {
				if key, ok := kv.Key.(*ast.BasicLit); ok && key.Kind == token.STRING {
					if name, err := strconv.Unquote(key.Value); err == nil {
						names[name] = true
					}
				}
			}
			return true
		})
	}
	err = sources(root, func(path string) error {
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range levelMark.FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
		return err
	})
	return names, err
}

// sources calls fn with each Go file of the module.
func sources(root string, fn func(path string) error) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin"):
			return fs.SkipDir
		case !d.IsDir() && filepath.Ext(path) == ".go":
			return fn(path)
		}
		return nil
	})
}

// Root returns the directory of the module's sources: that of the go.mod at or
// above the working directory.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod at or above %s", start)
		}
		dir = up
	}
}
