package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"

	"irqlab/kd"
	"irqlab/qemu"
)

// session is a debugger's user: a person at a terminal, or a script.
type session struct {
	out     io.Writer
	script  string         // of -c
	lines   io.Reader      // of a pipe
	term    *term.Terminal // of a person
	keys    chan byte      // what they type
	typed   chan byte      // of that, what is for the machine's console
	restore func()
}

// session sets up the user's side.
func (k *kdFlags) session(ctx context.Context) (*session, error) {
	s := &session{out: os.Stdout, script: k.script, lines: os.Stdin, restore: func() {}}
	if k.script != "" || !qemu.IsTerminal(os.Stdin) || !qemu.IsTerminal(os.Stdout) {
		return s, nil
	}
	restore, err := qemu.RawMode(os.Stdin)
	if err != nil {
		return nil, err
	}
	s.restore = restore
	s.keys, s.typed = make(chan byte, 64), make(chan byte, 1024)
	go func() {
		defer close(s.keys)
		in := bufio.NewReader(os.Stdin)
		for {
			c, err := in.ReadByte()
			if err != nil {
				return
			}
			s.keys <- c
		}
	}()
	s.term = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{&keyReader{s.keys, ctx.Done(), true}, os.Stdout}, "")
	s.out = s.term
	return s, nil
}

func (s *session) close() { s.restore() }

// console is the machine's console. What a script's machine would read is
// nothing.
func (s *session) console() qemu.Console {
	c := qemu.Console{Out: s.out, Err: os.Stderr, HideExit: true}
	if s.term != nil {
		c.In = &keyReader{keys: s.typed}
	}
	return c
}

// keyReader reads keys, until done is closed. Those of lines that are edited are
// not quite what was typed: Ctrl-C erases the line instead of ending the input,
// which is for Ctrl-D.
type keyReader struct {
	keys  <-chan byte
	done  <-chan struct{}
	lines bool
}

func (k *keyReader) Read(p []byte) (int, error) {
	const ctrlC, end, erase = 0x03, 0x05, 0x15
	var c byte
	ok := false
	select {
	case c, ok = <-k.keys:
	case <-k.done:
	}
	switch {
	case !ok:
		return 0, io.EOF
	case k.lines && c == ctrlC && len(p) > 1:
		return copy(p, []byte{end, erase}), nil
	}
	p[0] = c
	return 1, nil
}

// run executes the user's commands until there are no more. First is what a
// person gets to see at the beginning.
func (s *session) run(ctx context.Context, d *kd.Debugger, first string) error {
	switch {
	case s.term != nil:
		return s.interactive(ctx, d, first)
	case s.script != "":
		return result(d.Execute(ctx, s.script))
	}
	var failed error
	in := bufio.NewScanner(s.lines)
	for in.Scan() {
		fmt.Fprintf(s.out, "%d: kd> %s\n", d.CPU(), in.Text())
		err := d.Execute(ctx, in.Text())
		if err == kd.ErrQuit || ctx.Err() != nil {
			break
		}
		failed = errors.Join(failed, err)
	}
	return errors.Join(in.Err(), result(failed))
}

// result is a script's. What failed is in its output.
func result(err error) error {
	if err == nil || err == kd.ErrQuit {
		return nil
	}
	return guestStatus(1)
}

// interactive serves a person.
func (s *session) interactive(ctx context.Context, d *kd.Debugger, first string) error {
	fmt.Fprintln(s.out, "Kernel debugger: .help lists the commands, Tab completes, q leaves.")
	d.Execute(ctx, first)
	s.term.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' || pos != len(line) {
			return "", 0, false
		}
		line, found := d.Complete(line)
		if len(found) > 0 {
			const most = 40
			if len(found) > most {
				found = append(found[:most], "...")
			}
			fmt.Fprintln(s.out, strings.Join(found, "  "))
		}
		return line, len(line), true
	}
	for !d.Gone() {
		s.term.SetPrompt(fmt.Sprintf("%d: kd> ", d.CPU()))
		line, err := s.term.ReadLine()
		if err == io.EOF {
			return nil
		}
		if err != nil && err != term.ErrPasteIndicator {
			return err
		}
		if s.execute(ctx, d, line) == kd.ErrQuit {
			return nil
		}
	}
	return nil
}

// execute runs a line. Meanwhile keys are for the machine's console, and Ctrl-C
// breaks in.
func (s *session) execute(ctx context.Context, d *kd.Debugger, line string) error {
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	done := make(chan struct{})
	wait.Go(func() {
		const ctrlC = 0x03
		for {
			select {
			case <-done:
				return
			case c, ok := <-s.keys:
				switch {
				case !ok:
					cancel()
					return
				case c == ctrlC:
					cancel()
				default:
					select {
					case s.typed <- c:
					default: // nobody listens
					}
				}
			}
		}
	})
	err := d.Execute(ctx, line)
	close(done)
	wait.Wait()
	cancel()
	return err
}
