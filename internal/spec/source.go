package spec

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
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

// levelNames are the levels that IRQL lines name. A device's levels are all that
// a device can have.
var levelNames = map[string]Levels{
	"PASSIVE_LEVEL":                   {0, 0},
	"APC_LEVEL":                       {1, 1},
	"DISPATCH_LEVEL":                  {2, 2},
	"SYNCH_LEVEL":                     {12, 12},
	"the interrupt's SynchronizeIrql": {3, 12},
	"CLOCK_LEVEL":                     {13, 13},
	"IPI_LEVEL":                       {14, 14},
	"HIGH_LEVEL":                      {15, 15},
}

// parseLevels returns what an IRQL line allows in all: clauses that depend on
// parameters, after semicolons, widen the range.
func parseLevels(line string) (Levels, error) {
	all := Levels{15, 0}
	for clause := range strings.SplitSeq(line, "; ") {
		clause, _, _ = strings.Cut(clause, " with ")
		clause, _, _ = strings.Cut(clause, " for ")
		l := Levels{0, 15}
		if clause != "any" {
			operator, name, found := strings.Cut(clause, " ")
			if !found || !strings.ContainsAny(operator, "<>") {
				operator, name = "", clause
			}
			n, ok := levelNames[name]
			if !ok {
				return l, fmt.Errorf("IRQL line %q: no level %q", line, name)
			}
			switch operator {
			case "":
				l = n
			case "<=":
				l = Levels{0, n.Max}
			case "<":
				l = Levels{0, n.Min - 1}
			case ">=":
				l = Levels{n.Min, 15}
			}
		}
		all = Levels{min(all.Min, l.Min), max(all.Max, l.Max)}
	}
	return all, nil
}

// tested returns the routines that the tables of tests/levels call at every
// level: the keys of its composite literals.
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
	return names, nil
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
