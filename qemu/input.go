package qemu

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Keys with a meaning of their own.
const (
	ctrlA = 0x01
	ctrlD = 0x04 // ends piped input
	ctrlV = 0x16 // the next byte of piped input has no such meaning
)

// Keys that are commands to the host after a Ctrl-A.
const (
	KeyQuit    = 'x'
	KeyBreakIn = 'b'
)

// Keys tells keystrokes for the guest from those for the host.
type Keys struct {
	Commands string // those that there are
	escaped  bool
}

// Next takes a key and returns those that are the guest's, or a command. A Ctrl-A
// before any other key is the guest's; it goes out with that key.
func (k *Keys) Next(c byte) (guest []byte, command byte) {
	switch {
	case !k.escaped && c == ctrlA:
		k.escaped = true
		return nil, 0
	case !k.escaped:
		return []byte{c}, 0
	}
	k.escaped = false
	if lower := c | 0x20; strings.IndexByte(k.Commands, lower) >= 0 {
		return nil, lower
	}
	if c == ctrlA {
		return []byte{ctrlA}, 0
	}
	return []byte{ctrlA, c}, 0
}

// errQuit ends a run because the user typed Ctrl-A X.
var errQuit = errors.New("left with Ctrl-A X")

// source is the input. It keeps what went wrong in reading it.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.err = fmt.Errorf("the input cannot be read: %w", err)
	}
	return n, err
}

// forward copies src to the guest until it ends, and then sends the Ctrl-D
// that ends input on a terminal.
func forward(guest io.Writer, src io.Reader, piped bool) error {
	dst := guest
	if piped {
		dst = quoter{guest}
	}
	if _, err := io.Copy(dst, src); err != nil {
		return err
	}
	_, err := guest.Write([]byte{ctrlD})
	return err
}

// quoter is a guest that knows that its input is piped, and so takes any byte.
type quoter struct{ guest io.Writer }

func (q quoter) Write(p []byte) (int, error) {
	if _, err := q.guest.Write(quoteInput(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// quoteInput keeps the bytes from being taken for the end of the input.
func quoteInput(b []byte) []byte {
	quoted := make([]byte, 0, len(b))
	for _, c := range b {
		if c == ctrlD || c == ctrlV {
			quoted = append(quoted, ctrlV)
		}
		quoted = append(quoted, c)
	}
	return quoted
}

// forwardKeys copies keystrokes to the guest until Ctrl-A X.
func forwardKeys(guest io.Writer, src io.Reader) error {
	keys := Keys{Commands: string(KeyQuit)}
	var buf [256]byte
	for {
		n, err := src.Read(buf[:])
		out := make([]byte, 0, n+1)
		for _, c := range buf[:n] {
			typed, command := keys.Next(c)
			if command == KeyQuit {
				guest.Write(out)
				return errQuit
			}
			out = append(out, typed...)
		}
		if _, werr := guest.Write(out); werr != nil {
			return werr
		}
		if err != nil {
			return err
		}
	}
}
