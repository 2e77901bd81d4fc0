package residentcheck

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
)

// Source is a package's source, as the build for one architecture selects it.
type Source struct {
	Path  string   // import path
	Files []string // Go files
}

// Whole writes a program that refers to every exported function and method of
// the packages. The linker drops what nothing refers to, and code that is
// dropped is not checked. Generic code is left to those who instantiate it.
func Whole(packages []Source) ([]byte, error) {
	var imports, uses bytes.Buffer
	for i, p := range packages {
		names, err := exported(p.Files)
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			fmt.Fprintf(&imports, "_ %q\n", p.Path)
			continue
		}
		fmt.Fprintf(&imports, "p%d %q\n", i, p.Path)
		for _, n := range names {
			fmt.Fprintf(&uses, n+",\n", fmt.Sprintf("p%d", i))
		}
	}
	return format.Source(fmt.Appendf(nil, `// Command zz_kernel links every function of the resident packages.
package main

import (
	%s)

var functions = []any{
	%s}

func main() { println(len(functions)) }
`, &imports, &uses))
}

// exported lists expressions for a package's exported functions and methods,
// with a verb for the package's name.
func exported(files []string) (names []string, err error) {
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() || f.Type.TypeParams != nil {
				continue
			}
			if f.Recv == nil {
				names = append(names, "%s."+f.Name.Name)
				continue
			}
			receiver := f.Recv.List[0].Type
			if p, ok := receiver.(*ast.StarExpr); ok {
				receiver = p.X
			}
			// A generic receiver is an index expression.
			if t, ok := receiver.(*ast.Ident); ok && t.IsExported() {
				names = append(names, "(*%s."+t.Name+")."+f.Name.Name)
			}
		}
	}
	return names, nil
}
