package qemu

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

func TestOutput(t *testing.T) {
	tests := []struct {
		name      string
		raw, hide bool
		in, want  string
		status    int
	}{
		{"exit line shown", false, false, "hi\nirqlab: exit 0\n", "hi\nirqlab: exit 0\n", 0},
		{"exit line hidden", false, true, "PASS\nirqlab: exit 0\n", "PASS\n", 0},
		{"status of three digits", false, true, "irqlab: exit 255\n", "", 255},
		{"status out of range", false, true, "irqlab: exit 256\n", "irqlab: exit 256\n", -1},
		{"not the last line", false, true, "irqlab: exit 0\nmore", "irqlab: exit 0\nmore", -1},
		{"a second exit line counts", false, true, "irqlab: exit 0\nirqlab: exit 3\n", "irqlab: exit 0\n", 3},
		{"not a line of its own", false, true, "x irqlab: exit 0\n", "x irqlab: exit 0\n", -1},
		{"unfinished", false, true, "irqlab: exit 0", "irqlab: exit 0", -1},
		{"no status", false, true, "irqlab: exit \n", "irqlab: exit \n", -1},
		{"prompt begins like it", false, true, "irqlab> ", "irqlab> ", -1},
		{"nothing", false, true, "", "", -1},
		{"carriage returns", false, true, "a\r\nb\rc\r\nirqlab: exit 0\r\n", "a\nb\rc\n", 0},
		{"last carriage return", false, true, "a\r", "a\r", -1},
		{"two carriage returns", false, true, "a\r\r\n", "a\r\n", -1},
		{"raw terminal", true, false, "a\nb\r\nirqlab: exit 0\n", "a\r\nb\r\nirqlab: exit 0\r\n", 0},
		{"NULs", false, true, "\x00a\x00\n", "a\n", -1},
		{"empty lines before", false, true, "\n\nirqlab: exit 1\n", "\n\n", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, chunk := range []int{1, len(tt.in) + 1} {
				var b bytes.Buffer
				o := newOutput(&b, tt.raw, tt.hide)
				for in := tt.in; in != ""; {
					n := min(chunk, len(in))
					if _, err := o.Write([]byte(in[:n])); err != nil {
						t.Fatal(err)
					}
					in = in[n:]
				}
				status, err := o.close()
				if err != nil {
					t.Fatal(err)
				}
				if b.String() != tt.want || status != tt.status {
					t.Errorf("chunks of %d: got %q, status %d; want %q, status %d",
						chunk, b.String(), status, tt.want, tt.status)
				}
			}
		})
	}
}

// A prompt has no newline, and the user waits for it.
func TestOutputDoesNotWait(t *testing.T) {
	var b bytes.Buffer
	o := newOutput(&b, false, true)
	o.Write([]byte("hello\nirqlab> "))
	if got := b.String(); got != "hello\nirqlab> " {
		t.Errorf("shown so far: %q", got)
	}
}

func TestKeys(t *testing.T) {
	keys := Keys{Commands: string([]byte{KeyQuit, KeyBreakIn})}
	var guest, commands []byte
	for _, c := range []byte("a\x01Bb\x01b\x01\x01x\x01yX\x01x") {
		typed, command := keys.Next(c)
		guest = append(guest, typed...)
		if command != 0 {
			commands = append(commands, command)
		}
	}
	if string(guest) != "ab\x01x\x01yX" || string(commands) != "bbx" {
		t.Errorf("%q for the guest, commands %q", guest, commands)
	}
}

func TestForwardKeys(t *testing.T) {
	tests := []struct {
		name, in, want string
		quit           bool
	}{
		{"keys", "ab\x03\x04", "ab\x03\x04", false},
		{"leave", "ab\x01xcd", "ab", true},
		{"leave with a capital", "\x01X", "", true},
		{"Ctrl-A twice", "\x01\x01x", "\x01x", false},
		{"Ctrl-A is the guest's", "\x01b", "\x01b", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			err := forwardKeys(&b, iotest.OneByteReader(strings.NewReader(tt.in)))
			if b.String() != tt.want || errors.Is(err, errQuit) != tt.quit {
				t.Errorf("got %q, %v; want %q, quit %v", b.String(), err, tt.want, tt.quit)
			}
		})
	}
}
