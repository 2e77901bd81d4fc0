package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
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
}

func newKeyboard(r io.Reader, w io.Writer, complete func(line string, pos int) (string, int, []string)) *keyboard {
	k := &keyboard{term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{&keys{r: r}, w}, prompt)}
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

// keys turns bytes into what Terminal understands. Ctrl-C clears the line instead
// of ending input, which is for Ctrl-D. What is not UTF-8, and an escape sequence
// that does not end, would keep Terminal waiting for the rest for ever.
type keys struct {
	r       io.Reader
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

func (k *keys) Read(p []byte) (int, error) {
	for len(k.pending) == 0 {
		var b [64]byte
		n, err := k.r.Read(b[:])
		if n == 0 {
			return 0, err
		}
		k.translate(append(k.partial, b[:n]...))
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
