package qemu

import (
	"errors"
	"io"
)

// Keys with a meaning of their own.
const (
	ctrlA = 0x01
	ctrlD = 0x04
)

// errQuit ends a run because the user typed Ctrl-A X.
var errQuit = errors.New("left with Ctrl-A X")

// forward copies src to the guest until it ends, and then sends the Ctrl-D
// that ends input on a terminal.
func forward(guest io.Writer, src io.Reader) error {
	if _, err := io.Copy(guest, src); err != nil {
		return err
	}
	_, err := guest.Write([]byte{ctrlD})
	return err
}

// forwardKeys copies keystrokes to the guest until Ctrl-A X. A Ctrl-A before
// any other key is the guest's; it goes out with that key.
func forwardKeys(guest io.Writer, src io.Reader) error {
	var buf [256]byte
	escaped := false
	for {
		n, err := src.Read(buf[:])
		out := make([]byte, 0, n+1)
		for _, c := range buf[:n] {
			switch {
			case escaped && (c == 'x' || c == 'X'):
				guest.Write(out)
				return errQuit
			case escaped:
				out = append(out, ctrlA)
				escaped = false
				if c != ctrlA {
					out = append(out, c)
				}
			case c == ctrlA:
				escaped = true
			default:
				out = append(out, c)
			}
		}
		if _, werr := guest.Write(out); werr != nil {
			return werr
		}
		if err != nil {
			return err
		}
	}
}
