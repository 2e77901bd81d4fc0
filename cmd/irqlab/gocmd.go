package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"irqlab/image"
	"irqlab/internal/overlay"
	"irqlab/internal/resident"
	"irqlab/qemu"
)

// entryPackage is the package that makes a program a kernel.
const entryPackage = "irqlab/entry"

// buildTag is set in every build for the machine: a test file that needs the
// kernel below it says so with this constraint.
const buildTag = "irqlab"

// loadAddress is where the linker puts the first byte of code: high enough
// above the start of RAM to leave room for what the firmware puts there, and
// on arm64 0x1000 above a multiple of the linker's 64 KiB segment alignment.
var loadAddress = map[qemu.Arch]string{
	qemu.AMD64: "0x201000",
	qemu.ARM64: "0x40201000",
}

// goCommand runs the go command so that it builds for the kernel.
type goCommand struct {
	arch    qemu.Arch
	overlay *overlay.Config
	binary  string
	env     []string
	tags    []string // the user's build tags
	goroot  string
	cache   string // directory for everything the tool keeps
	modules string // GOMODCACHE
	outside bool   // the directory is in no module
}

func newGoCommand(ctx context.Context, arch qemu.Arch) (*goCommand, error) {
	g := &goCommand{arch: arch, binary: "go"}
	g.env = append(os.Environ(), "GOOS=linux", "GOARCH="+string(arch), "CGO_ENABLED=0")
	out, err := g.output(ctx, "env", "-json", "GOROOT", "GOMODCACHE", "GOMOD", "GOWORK")
	if err != nil {
		return nil, err
	}
	var env struct{ GOROOT, GOMODCACHE, GOMOD, GOWORK string }
	if err := json.Unmarshal(out, &env); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	g.modules = env.GOMODCACHE
	g.outside = (env.GOMOD == "" || env.GOMOD == os.DevNull) && (env.GOWORK == "" || env.GOWORK == "off")
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	g.cache = filepath.Join(base, "irqlab")
	g.overlay = overlay.New(filepath.Join(g.cache, "overlay"))
	g.goroot, err = g.ownGoroot(env.GOROOT)
	return g, err
}

// ownGoroot returns a path to goroot that an overlay may add files to. The go
// command refuses overlays inside the module cache, where it keeps toolchains
// it has downloaded; a link to one is not inside.
func (g *goCommand) ownGoroot(goroot string) (string, error) {
	if !within(goroot, g.modules) {
		return goroot, nil
	}
	link := filepath.Join(g.cache, "goroot", filepath.Base(goroot))
	if err := os.MkdirAll(filepath.Dir(link), 0o777); err != nil {
		return "", err
	}
	if err := os.Symlink(goroot, link); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	g.binary = filepath.Join(link, "bin", "go")
	g.env = append(g.env, "GOROOT="+link, "GOTOOLCHAIN=local")
	return link, nil
}

func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// command prepares the go command. When ctx ends, so does all that it started:
// compilers, and under go test this tool again, which ends its machine.
func (g *goCommand) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, g.binary, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = g.env
	cmd.Stderr = os.Stderr
	return cmd
}

// output runs the go command for its output. What it says on standard error
// becomes the error.
func (g *goCommand) output(ctx context.Context, args ...string) ([]byte, error) {
	var stderr bytes.Buffer
	cmd := g.command(ctx, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("the go command is not in PATH; install Go from https://go.dev/dl")
	case strings.Contains(stderr.String(), "go.mod file not found"):
		return nil, errNoModule
	case stderr.Len() == 0:
		return nil, fmt.Errorf("go %s: %w", args[0], err)
	}
	return nil, fmt.Errorf("go %s: %s", args[0], bytes.TrimSpace(stderr.Bytes()))
}

// flags returns the build flags of a kernel. Later -gcflags win, so a user's
// belong before them.
func (g *goCommand) flags() ([]string, error) { return g.flagsWith(g.overlay) }

func (g *goCommand) flagsWith(overlay *overlay.Config) ([]string, error) {
	config, err := overlay.Write()
	if err != nil {
		return nil, err
	}
	return slices.Concat(resident.GCFlags(), []string{
		"-overlay=" + config,
		// go test would strip the symbols the image needs, and keeps DWARF
		// only for profiles.
		"-tags=" + g.tagList(),
		"-ldflags=-s=false -T " + loadAddress[g.arch] + " -E " + image.Entry,
		"-buildvcs=false",
	}), nil
}

func (g *goCommand) tagList() string { return strings.Join(append(g.tags, buildTag), ",") }

// pkg is what go list tells about a package.
type pkg struct {
	ImportPath, Dir, Name     string
	DepOnly                   bool
	GoFiles, Imports          []string
	TestGoFiles, XTestGoFiles []string
	Error                     *struct{ Err string }
}

const pkgFields = "-json=ImportPath,Dir,Name,DepOnly,GoFiles,Imports,TestGoFiles,XTestGoFiles,Error"

// list runs go list -e on the patterns.
func (g *goCommand) list(ctx context.Context, args ...string) ([]pkg, error) {
	config, err := g.overlay.Write()
	if err != nil {
		return nil, err
	}
	out, err := g.output(ctx, slices.Concat([]string{"list", "-e", "-overlay=" + config, "-tags=" + g.tagList(), pkgFields}, args)...)
	if err != nil {
		return nil, err
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return pkgs, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		pkgs = append(pkgs, p)
	}
}

// addTamaGo completes the overlay if one of a program's packages needs it.
func (g *goCommand) addTamaGo(program []pkg) error {
	for _, p := range program {
		if path, _, _ := strings.Cut(p.ImportPath, " "); overlay.Needed(path, p.Imports) {
			return g.overlay.AddTamaGo(g.goroot)
		}
	}
	return nil
}

var errNoModule = errors.New("this directory is in no Go module; make it one with\n\tgo mod init NAME")

// checkModule reports whether packages here can import the kernel.
func (g *goCommand) checkModule(ctx context.Context) error {
	if g.outside {
		return errNoModule
	}
	pkgs, err := g.list(ctx, "-deps", entryPackage)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(pkgs, func(p pkg) bool { return p.ImportPath == entryPackage && p.Dir != "" }) {
		return fmt.Errorf("this directory's module does not require irqlab; in its go.mod, add\n" +
			"\trequire irqlab v0.0.0\n\treplace irqlab => <path of your irqlab checkout>\n" +
			"and run\n\tgo get " + entryPackage)
	}
	return checkSums(pkgs)
}

// checkSums reports that the user's go.sum lacks the modules that the kernel needs,
// which the go command would say for every package of theirs.
func checkSums(pkgs []pkg) error {
	if slices.ContainsFunc(pkgs, func(p pkg) bool { return p.Error != nil && strings.Contains(p.Error.Err, "missing go.sum entry") }) {
		return fmt.Errorf("this directory's module does not have all that irqlab needs; run\n\tgo get " + entryPackage)
	}
	return nil
}

// entryFile is the file that makes a main package import the kernel.
const entryFile = "zz_irqlab.go"

func entrySource(clause string) []byte {
	return []byte("package " + clause + "\n\nimport _ \"" + entryPackage + "\"\n")
}

// moduleDir returns the root of the module in the current directory.
func (g *goCommand) moduleDir(ctx context.Context) (string, error) {
	out, err := g.output(ctx, "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return "", err
	}
	dir := string(bytes.TrimSpace(out))
	if dir == "" {
		return "", fmt.Errorf("not in a module")
	}
	return dir, nil
}

// imageName is a program's name from the words that name its package.
func imageName(words []string, p pkg) string {
	if strings.HasSuffix(words[0], ".go") {
		return strings.TrimSuffix(filepath.Base(words[0]), ".go")
	}
	return filepath.Base(p.Dir)
}
