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
	port   int
}

func kdCommand() *subcommand {
	var k kdFlags
	fs := newFlagSet("kd")
	k.register(fs)
	fs.DurationVar(&k.timeout, "timeout", 0, "end the run after this `time` (default none)")
	fs.StringVar(&k.dump, "z", "", "look into a crash dump `file`; the program is found by itself if it was built here")
	fs.StringVar(&k.attach, "attach", "", "attach to the gdb stub of a machine that runs, at a `port` of 127.0.0.1")
	fs.StringVar(&k.script, "c", "", "run `commands`, with semicolons between them, and leave")
	fs.IntVar(&k.port, "port", 0, "TCP `port` of the gdb stub on 127.0.0.1 (default any free one)")
	return &subcommand{
		name:  "kd",
		usage: "kd [flags] <package or image> [-- program arguments]",
		help:  "debug the kernel, on a machine or in a dump, with WinDbg's commands",
		long: "The machine stops before its first instruction; g lets it run, Ctrl-C breaks in, and a\n" +
			"bug check does. While it runs, what is typed is for its console. Without -c, commands\n" +
			"come from the terminal or, a line each, from a pipe. The exit status is 1 if a command\n" +
			"of a script has failed. .help lists the commands; docs/kd.md explains them.",
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
	s, err := k.session(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	return s.run(ctx, kd.New(image, t, s.out), "vertarget; .bugcheck")
}

// programOfDump returns the program that a dump is of: the one given, or one that
// was built here before.
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
	best, built := "", time.Time{}
	for _, f := range files {
		// The same program may have been built in several places.
		if info, err := os.Stat(f); err == nil && info.ModTime().After(built) && t.Check(f) == nil {
			best, built = f, info.ModTime()
		}
	}
	if best != "" {
		return best, nil
	}
	return "", fmt.Errorf("%s: the program that the dump is of is not among those built here; name its image", k.dump)
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
	path, err := k.imageFile(ctx, words)
	if err != nil {
		return err
	}
	image, err := kd.Open(path)
	if err != nil {
		return err
	}
	defer image.Close()
	dial, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	t, err := remote.Dial(dial, net.JoinHostPort(host, port))
	if err != nil {
		return err
	}
	defer t.Detach()
	s, err := k.session(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	return s.run(ctx, kd.New(image, t, s.out), "~")
}

// debugBooted boots a machine for the session, and ends it with it.
func (k *kdFlags) debugBooted(ctx context.Context, words, program []string) error {
	if err := k.Check(); err != nil {
		return &usageError{"kd", err}
	}
	if _, err := qemu.Find(k.Arch); err != nil {
		return err
	}
	path, err := k.imageFile(ctx, words)
	if err != nil {
		return err
	}
	image, err := kd.Open(path)
	if err != nil {
		return err
	}
	defer image.Close()
	if string(image.Arch()) != string(k.Arch) {
		return fmt.Errorf("%s is for %s; say -arch %s", path, image.Arch(), image.Arch())
	}
	if k.GDB, err = loopback(k.port); err != nil {
		return err
	}
	cmdline, err := k.cmdline(program)
	if err != nil {
		return err
	}
	s, err := k.session(ctx)
	if err != nil {
		return err
	}
	defer s.close()

	// Whatever ends the session ends the machine, and the other way round.
	ctx, stop := context.WithCancelCause(ctx)
	done := make(chan struct{})
	var ended error
	go func() {
		defer close(done)
		_, ended = k.start(ctx, path, cmdline, s.console(), k.timeout)
		stop(ended)
	}()
	defer func() {
		stop(nil)
		<-done
	}()
	dial, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	t, err := remote.Dial(dial, k.GDB)
	if err != nil {
		stop(err)
		<-done
		return errors.Join(ended, err)
	}
	defer t.Close()
	err = s.run(context.WithoutCancel(ctx), kd.New(image, t, s.out), "")
	if timeout := (*qemu.TimeoutError)(nil); errors.As(context.Cause(ctx), &timeout) {
		return timeout
	}
	return err
}
