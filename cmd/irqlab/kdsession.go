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
	"sync/atomic"

	"golang.org/x/term"

	"irqlab/kd"
	"irqlab/qemu"
)

// session is a debugger's user: a person at a terminal, or a script.
type session struct {
	screen
	script string         // of -c
	lines  *bufio.Scanner // commands, if input is nothing else
	term   *term.Terminal // of a person

	// Keys are for the debugger while the machine stands still, and for its console
	// while it runs.
	keys      chan byte // as they are typed
	console   chan byte // of these, the console's
	escapes   qemu.Keys
	hungUp    bool                               // there will be no more
	interrupt atomic.Pointer[context.CancelFunc] // what a person's Ctrl-C does meanwhile

	piped  bool            // there is no keyboard
	shared bool            // the debugger is a guest on the console, which runs at once
	ended  <-chan struct{} // closed when there is no machine any more
	leave  func()          // ends the machine

	restore func()
}

// sessionKeys are the commands to a session.
var sessionKeys = qemu.Keys{Commands: string([]byte{qemu.KeyQuit, qemu.KeyBreakIn})}

// newSession sets up the user's side, with input that is shared with the machine's
// console or not. A person's is anyhow.
func newSession(in *os.File, shared bool) (*session, error) {
	s := &session{shared: shared, restore: func() {}, escapes: sessionKeys}
	s.dst = os.Stdout
	if in == nil {
		s.lines = bufio.NewScanner(strings.NewReader(""))
		return s, nil
	}
	keyboard := qemu.IsTerminal(in)
	s.piped = !keyboard
	person := keyboard && qemu.IsTerminal(os.Stdout)
	if !person && !shared {
		s.lines = bufio.NewScanner(in)
		return s, nil
	}
	if keyboard {
		restore, err := qemu.RawMode(in)
		if err != nil {
			return nil, err
		}
		s.restore = restore
	}
	s.keys = make(chan byte, 4096)
	if person {
		s.raw = true
		s.term = term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{&promptReader{session: s}, s.dst}, "")
	}
	go s.listen(in)
	return s, nil
}

// listen reads the keys.
func (s *session) listen(in io.Reader) {
	defer close(s.keys)
	r := bufio.NewReader(in)
	for {
		c, err := r.ReadByte()
		if err != nil {
			return
		}
		if interrupt := s.interrupt.Load(); c == ctrlC && s.term != nil && interrupt != nil {
			(*interrupt)()
			continue
		}
		s.keys <- c
	}
}

func (s *session) close() { s.restore() }

// machineConsole returns where the console of the session's machine leads.
func (s *session) machineConsole() (qemu.Console, error) {
	pipe, err := qemu.NewPipe()
	if err != nil {
		return qemu.Console{}, err
	}
	s.pipe = pipe
	c := qemu.Console{Out: &s.screen, Err: os.Stderr, Raw: s.raw, HideExit: !s.shared, Pipe: pipe, Piped: s.piped}
	if s.keys != nil {
		s.console = make(chan byte, 4096)
		c.In = consoleReader(s.console)
	}
	return c, nil
}

// consoleReader reads the console's keys.
type consoleReader <-chan byte

func (r consoleReader) Read(p []byte) (int, error) {
	c, ok := <-r
	if !ok {
		return 0, io.EOF
	}
	p[0] = c
	return 1, nil
}

// promptReader reads the keys of lines of commands. A person's Ctrl-C erases the
// line instead of ending the input, which is for Ctrl-D.
type promptReader struct {
	*session
	pending []byte
}

const ctrlC = 0x03

func (r *promptReader) Read(p []byte) (int, error) {
	for len(r.pending) == 0 {
		var c byte
		ok := false
		select {
		case c, ok = <-r.keys:
		case <-r.ended:
		}
		if !ok {
			return 0, io.EOF
		}
		typed, command := r.escapes.Next(c)
		if command == qemu.KeyQuit {
			return 0, io.EOF
		}
		for _, c := range typed {
			if c == ctrlC && r.term != nil {
				const end, erase = 0x05, 0x15
				r.pending = append(r.pending, end, erase)
			} else {
				r.pending = append(r.pending, c)
			}
		}
	}
	n := copy(p, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}

// Write implements io.Writer for the debugger.
func (s *session) Write(p []byte) (int, error) {
	s.take()
	if s.term != nil {
		return s.term.Write(p)
	}
	return s.dst.Write(p)
}

// run executes the user's commands until there are no more, or no machine on
// whose console they are typed. First is what a person gets to see at the
// beginning.
func (s *session) run(ctx context.Context, d *kd.Debugger, first string) error {
	if s.script != "" {
		return result(s.execute(ctx, d, s.script))
	}
	if s.shared {
		s.execute(ctx, d, "g")
	}
	if s.term != nil && !d.Gone() {
		fmt.Fprintln(s, "Kernel debugger: .help lists the commands, Tab completes, g goes on, q leaves.")
		s.complete(d)
		d.Execute(ctx, first)
	}
	var failed error
	for !(s.keys != nil && d.Gone()) {
		line, err := s.readLine(d)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err = s.execute(ctx, d, line); err == kd.ErrQuit {
			break
		}
		failed = errors.Join(failed, err)
	}
	if s.lines == nil {
		return nil
	}
	return result(failed)
}

// result is a script's. What failed is in its output.
func result(err error) error {
	if err == nil || err == kd.ErrQuit {
		return nil
	}
	return guestStatus(1)
}

// complete has Tab complete a person's words.
func (s *session) complete(d *kd.Debugger) {
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
			fmt.Fprintln(s, strings.Join(found, "  "))
		}
		return line, len(line), true
	}
}

// readLine returns the user's next line, or io.EOF.
func (s *session) readLine(d *kd.Debugger) (line string, err error) {
	prompt := fmt.Sprintf("%d: kd> ", d.CPU())
	switch {
	case s.term != nil:
		s.take()
		if width, height, err := term.GetSize(int(os.Stdout.Fd())); err == nil && width > 0 { // some do not know
			s.term.SetSize(width, height)
		}
		s.term.SetPrompt(prompt)
		if line, err = s.term.ReadLine(); err == term.ErrPasteIndicator {
			err = nil
		}
		if err != nil {
			s.newLine()
		}
		return line, err
	case s.keys != nil:
		fmt.Fprint(s, prompt)
		line, err = readKeys(&promptReader{session: s})
	case s.lines.Scan():
		fmt.Fprint(s, prompt)
		line = s.lines.Text()
	default:
		if err = s.lines.Err(); err == nil {
			err = io.EOF
		}
		return "", err
	}
	fmt.Fprintln(s, line)
	return line, err
}

// readKeys returns a line without its end.
func readKeys(r io.Reader) (string, error) {
	var line []byte
	for {
		var c [1]byte
		if _, err := r.Read(c[:]); err != nil {
			return string(line), err
		}
		if c[0] == '\n' || c[0] == '\r' {
			return string(line), nil
		}
		line = append(line, c[0])
	}
}

// execute runs a line. A person's Ctrl-C interrupts it.
func (s *session) execute(ctx context.Context, d *kd.Debugger, line string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.interrupt.Store(&cancel)
	defer s.interrupt.Store(nil)
	ended := d.Gone()
	err := d.Execute(ctx, line)
	if d.Gone() && !ended && !s.shared {
		fmt.Fprintln(s, "the machine has ended")
	}
	return err
}

// watch gives the screen and the keys to the machine's console while it runs.
func (s *session) watch(ctx context.Context, run func(context.Context) (kd.Stop, error)) (kd.Stop, error) {
	ctx, breakIn := context.WithCancel(ctx)
	defer breakIn()
	if s.shared {
		defer s.interrupt.Store(s.interrupt.Swap(nil))
	}
	s.giveBack()
	var wait sync.WaitGroup
	defer wait.Wait()
	done := make(chan struct{})
	defer close(done)
	if s.keys != nil {
		wait.Go(func() { s.forward(done, breakIn) })
	}
	return run(ctx)
}

// forward passes keys on to the console until done. Ctrl-A B breaks in.
func (s *session) forward(done <-chan struct{}, breakIn func()) {
	for !s.hungUp {
		select {
		case <-done:
			return
		case c, ok := <-s.keys:
			if !ok {
				s.hangUp(breakIn)
				return
			}
			typed, command := s.escapes.Next(c)
			switch command {
			case qemu.KeyBreakIn:
				breakIn()
				return // the next ones are for the debugger
			case qemu.KeyQuit:
				s.leave()
			}
			for _, c := range typed {
				s.pass(c, done)
			}
		}
	}
}

// pass passes a key on to the console. A person must not have to wait for
// somebody to read it.
func (s *session) pass(c byte, done <-chan struct{}) {
	select {
	case s.console <- c:
		return
	default:
	}
	if s.term == nil {
		select {
		case s.console <- c:
		case <-done:
		}
	}
}

// hangUp does what the end of input means: the end of the console's, or of the
// session.
func (s *session) hangUp(breakIn func()) {
	s.hungUp = true
	if s.shared {
		close(s.console)
	} else {
		breakIn()
	}
}
