package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"irqlab/kd"
	"irqlab/kd/core"
	"irqlab/kd/remote"
	"irqlab/qemu"
)

// kdFlags are the flags of irqlab kd.
type kdFlags struct {
	machineFlags
	dump   string
	attach string
	script string
}

func kdCommand() *subcommand {
	var k kdFlags
	fs := newFlagSet("kd")
	k.register(fs)
	fs.DurationVar(&k.timeout, "timeout", 0, "end the run after this `time` (default none); with -attach, wait so long for the machine to answer (default 5s)")
	fs.StringVar(&k.dump, "z", "", "look into a crash dump `file`; the program is found by itself if it was built here, the current module's first")
	fs.StringVar(&k.attach, "attach", "", "attach to the gdb stub of a machine that runs, at a `port` of 127.0.0.1")
	fs.StringVar(&k.script, "c", "", "run `commands`, with semicolons between them, and leave")
	return &subcommand{
		name:  "kd",
		usage: "kd [flags] <package or image> [-- program arguments]",
		help:  "debug the kernel, on a machine or in a dump, with WinDbg's commands",
		long: "The machine stops before its first instruction; g lets it run, Ctrl-C breaks in, and a\n" +
			"bug check or a breakpoint instruction does. While it runs, what is typed is for its\n" +
			"console. Without -c, commands come from the terminal or, a line each, from a pipe. The\n" +
			"exit status is 1 if a command of a script has failed. .help lists the commands;\n" +
			"docs/kd.md explains them.",
		flags: fs,
		run: func(ctx context.Context, args []string) error {
			words, program, err := parse(fs, args)
			if err != nil {
				return err
			}
			if k.dump != "" && k.attach != "" {
				return &usageError{"kd", errors.New("-z and -attach are about different machines")}
			}
			switch {
			case k.dump != "":
				return k.debugDump(ctx, words)
			case k.attach != "":
				return k.debugAttached(ctx, words)
			}
			return k.debugBooted(ctx, words, program)
		},
	}
}

// debugDump looks into a dump.
func (k *kdFlags) debugDump(ctx context.Context, words []string) error {
	t, err := core.Open(k.dump)
	if err != nil {
		return err
	}
	defer t.Close()
	path, err := k.programOfDump(ctx, t, words)
	if err != nil {
		return err
	}
	image, err := kd.Open(path)
	if err != nil {
		return err
	}
	defer image.Close()
	return k.debug(ctx, image, t, "vertarget; .bugcheck")
}

// debug has the user debug a machine that stands still. First is what a person
// gets to see at the beginning.
func (k *kdFlags) debug(ctx context.Context, image *kd.Image, t kd.Target, first string) error {
	s, err := k.session()
	if err != nil {
		return err
	}
	defer s.close()
	return s.run(ctx, kd.New(image, t, s), first)
}

// session is the user's side of a session without the machine's console.
func (k *kdFlags) session() (*session, error) {
	if k.script == "" {
		return newSession(os.Stdin, false)
	}
	s, err := newSession(nil, false)
	if err == nil {
		s.script = k.script
	}
	return s, err
}

// programOfDump returns the program that a dump is of: the one given, or one that
// was built here lately (keepBuilds).
func (k *kdFlags) programOfDump(ctx context.Context, t *core.Target, words []string) (string, error) {
	if len(words) > 0 {
		k.Arch = t.Arch()
		path, err := k.imageFile(ctx, words)
		if err == nil {
			err = t.Check(path)
		}
		return path, err
	}
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	files, err := filepath.Glob(filepath.Join(base, "irqlab", string(t.Arch()), "*", "*.elf"))
	if err != nil {
		return "", err
	}
	// The same program may have been built in several places.
	root := moduleRoot()
	best, built, ours := "", time.Time{}, false
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			continue
		}
		source, _ := os.ReadFile(filepath.Join(filepath.Dir(f), sourceFile))
		here := root != "" && strings.HasPrefix(string(source)+"/", root+"/")
		if (here && !ours || here == ours && info.ModTime().After(built)) && t.Check(f) == nil {
			best, built, ours = f, info.ModTime(), here
		}
	}
	if best != "" {
		return best, nil
	}
	return "", fmt.Errorf("%s: the program that the dump is of is not among those built here; name its image", k.dump)
}

// moduleRoot returns the directory of the module that the current directory is in,
// or "" if it is in none.
func moduleRoot() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// imageFile returns the image that the words name: a file, or a package to build.
func (k *kdFlags) imageFile(ctx context.Context, words []string) (string, error) {
	if len(words) == 1 {
		if info, err := os.Stat(words[0]); err == nil && info.Mode().IsRegular() && !strings.HasSuffix(words[0], ".go") {
			return words[0], nil
		}
	}
	p, err := build(ctx, "kd", &k.machineFlags, words)
	if err != nil {
		return "", err
	}
	return p.image, nil
}

// image opens the image that the words name.
func (k *kdFlags) image(ctx context.Context, words []string) (*kd.Image, error) {
	path, err := k.imageFile(ctx, words)
	if err != nil {
		return nil, err
	}
	return kd.Open(path)
}

// debugAttached debugs a machine that somebody else started.
func (k *kdFlags) debugAttached(ctx context.Context, words []string) error {
	host, port, ok := strings.Cut(k.attach, ":")
	if !ok {
		host, port = "", k.attach
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return &usageError{"kd", fmt.Errorf("-attach %s: a gdb stub gives its clients the whole machine; only this host's are allowed", k.attach)}
	}
	image, err := k.image(ctx, words)
	if err != nil {
		return err
	}
	defer image.Close()
	patience := k.timeout
	if patience == 0 {
		patience = 5 * time.Second
	}
	dial, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	t, err := remote.Dial(dial, net.JoinHostPort(host, port))
	if err != nil {
		return err
	}
	defer t.Detach()
	return k.debug(ctx, image, t, "~")
}

// debugBooted boots a machine for the session, and ends it with it.
func (k *kdFlags) debugBooted(ctx context.Context, words, program []string) error {
	if err := k.Check(); err != nil {
		return &usageError{"kd", err}
	}
	if _, err := qemu.Find(k.Arch); err != nil {
		return err
	}
	image, err := k.image(ctx, words)
	if err != nil {
		return err
	}
	defer image.Close()
	cmdline, err := k.cmdline(program)
	if err != nil {
		return err
	}
	s, err := k.session()
	if err != nil {
		return err
	}
	defer s.close()
	_, ended, err := k.bootDebugged(ctx, image, cmdline, s, k.timeout)
	if timeout := (*qemu.TimeoutError)(nil); errors.As(ended, &timeout) {
		return timeout
	}
	return err
}
