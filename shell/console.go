package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/term"
)

const prompt = "irqlab> "

// errTooLong is a line that nobody has typed on purpose.
var errTooLong = errors.New("line too long")

// keyboard is a console with a person at it: lines can be edited, recalled and
// completed.
type keyboard struct {
	*term.Terminal
	keys *keys
}

func newKeyboard(r io.Reader, w io.Writer, complete func(line string, pos int) (string, int, []string)) *keyboard {
	keys := newKeys(r)
	k := &keyboard{term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{keys, w}, prompt), keys}
	k.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' {
			return "", 0, false
		}
		line, pos, found := complete(line, pos)
		if found != nil {
			fmt.Fprintln(k, strings.Join(found, "  "))
		}
		return line, pos, true
	}
	return k
}

func (k *keyboard) ReadLine() (string, error) {
	line, err := k.Terminal.ReadLine()
	if err == term.ErrPasteIndicator {
		err = nil
	}
	return line, err
}

// Interrupt implements console.
func (k *keyboard) Interrupt() (typed <-chan struct{}, done func()) {
	select {
	case <-k.keys.interrupt: // of the command before
	default:
	}
	k.keys.watched.Store(true)
	return k.keys.interrupt, func() { k.keys.watched.Store(false) }
}

// keys turns bytes into what Terminal understands. Ctrl-C clears the line instead
// of ending input, which is for Ctrl-D, or interrupts a command that watches for it.
// What is not UTF-8, and an escape sequence that does not end, would keep Terminal
// waiting for the rest for ever.
type keys struct {
	typed     chan []byte
	watched   atomic.Bool   // Ctrl-C goes to interrupt
	interrupt chan struct{} // has one if it was typed

	partial []byte // of a character
	escape  int    // characters since an escape sequence began, or 0
	pending []byte // ready to be read
}

const (
	ctrlC     = 0x03
	ctrlE     = 0x05 // go to the end
	ctrlU     = 0x15 // erase what is in front
	escape    = 0x1b
	escapeEnd = '~' // ends a sequence, as letters do

	maxEscape = 16 // characters
)

// typeAhead is how many reads may wait for the command that runs to end.
const typeAhead = 64

func newKeys(r io.Reader) *keys {
	k := &keys{typed: make(chan []byte, typeAhead), interrupt: make(chan struct{}, 1)}
	go k.listen(r)
	return k
}

// listen reads what is typed, also while a command runs.
func (k *keys) listen(r io.Reader) {
	defer close(k.typed)
	for {
		b := make([]byte, 64)
		n, err := r.Read(b)
		b = b[:n]
		if k.watched.Load() && bytes.IndexByte(b, ctrlC) >= 0 {
			b = bytes.ReplaceAll(b, []byte{ctrlC}, nil)
			select {
			case k.interrupt <- struct{}{}:
			default:
			}
		}
		k.typed <- b
		if err != nil {
			return
		}
	}
}

func (k *keys) Read(p []byte) (int, error) {
	for len(k.pending) == 0 {
		b, ok := <-k.typed
		if !ok {
			return 0, io.EOF
		}
		k.translate(append(k.partial, b...))
	}
	n := copy(p, k.pending)
	k.pending = k.pending[n:]
	return n, nil
}

func (k *keys) translate(b []byte) {
	for utf8.FullRune(b) {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == ctrlC:
			k.pending = append(k.pending, ctrlE, ctrlU)
		case r == utf8.RuneError:
			k.pending = append(k.pending, '?')
		default:
			k.pending = append(k.pending, b[:n]...)
		}
		b = b[n:]
		k.follow(r)
	}
	k.partial = append([]byte(nil), b...)
}

// follow keeps track of escape sequences, and ends one that is too long.
func (k *keys) follow(r rune) {
	switch {
	case k.escape == 0:
		if r == escape {
			k.escape = 1
		}
	case 'a' <= r|0x20 && r|0x20 <= 'z' || r == escapeEnd:
		k.escape = 0
	case k.escape == maxEscape:
		k.pending = append(k.pending, escapeEnd)
		k.escape = 0
	default:
		k.escape++
	}
}

// script is a console that is fed by a program. Lines appear in the output as if
// they had been typed, so that it can be read.
type script struct {
	io.Writer
	r *bufio.Reader
}

// maxLine bounds a line of a script, in bytes.
const maxLine = 4096

func newScript(r io.Reader, w io.Writer) *script {
	return &script{w, bufio.NewReaderSize(r, maxLine)}
}

// Interrupt implements console: a script has no second thoughts.
func (s *script) Interrupt() (typed <-chan struct{}, done func()) { return nil, func() {} }

func (s *script) ReadLine() (string, error) {
	fmt.Fprint(s, prompt)
	b, tooLong, err := s.r.ReadLine()
	line := string(b)
	for tooLong && err == nil {
		line, err = "", errTooLong
		for tooLong {
			if _, tooLong, err = s.r.ReadLine(); err != nil {
				break
			}
		}
		if err == nil {
			fmt.Fprintln(s)
			return "", errTooLong
		}
	}
	if err != nil {
		fmt.Fprintln(s)
		return "", err
	}
	fmt.Fprintln(s, printable(line))
	return line, nil
}

// printable shows control characters instead of having the terminal obey them.
func printable(s string) string {
	q := strconv.Quote(s)
	if q[1:len(q)-1] == s {
		return s
	}
	return q
}
