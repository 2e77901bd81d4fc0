package qemu

import (
	"fmt"
	"strings"
)

// MaxCmdline is the kernel's limit on its command line, in bytes.
const MaxCmdline = 2048

// Cmdline is what the kernel is told at boot.
type Cmdline struct {
	Options []string // kernel options (seed=7) and environment (GOGC=50), in order
	Args    []string // argv[1:] of the program
}

// Encode joins the words with single spaces, the program's arguments after a
// "--". Bytes that QEMU, the firmware or the kernel's parser could mistake are
// percent-encoded, and an empty word is a lone "%".
func (c Cmdline) Encode() (string, error) {
	var b strings.Builder
	for _, w := range c.Options {
		appendWord(&b, w)
	}
	if len(c.Args) > 0 {
		appendWord(&b, "--")
		for _, w := range c.Args {
			appendWord(&b, w)
		}
	}
	if b.Len() > MaxCmdline {
		return "", fmt.Errorf("kernel command line is %d bytes long, the kernel takes %d: pass fewer or shorter arguments",
			b.Len(), MaxCmdline)
	}
	return b.String(), nil
}

func appendWord(b *strings.Builder, w string) {
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if w == "" {
		b.WriteByte('%')
		return
	}
	for i := range len(w) {
		if c := w[i]; plain(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(b, "%%%02X", c)
		}
	}
}

// plain reports whether c stands for itself in an encoded word.
func plain(c byte) bool {
	switch {
	case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("._/=:,+^$|()*@-", c) >= 0
}

// PipedInput is the kernel option that makes a Ctrl-D end input on the UART, unless
// a Ctrl-V is in front of it: see Console.Piped. A program that reads a keyboard gets
// both itself.
const PipedInput = "input=pipe"

// StdinOption is the kernel option that carries a seeded run's piped input:
// what arrives with the boot cannot arrive at a different instruction the next
// time. The kernel's console reads it before the UART. A Ctrl-D ends it, as it
// ends piped input on the UART.
func StdinOption(input []byte) (string, error) {
	const limit = 1500
	option := "stdin=" + string(quoteInput(input)) + "\x04"
	var b strings.Builder
	appendWord(&b, option)
	if b.Len() > limit {
		return "", fmt.Errorf("a seeded run takes its piped input on the kernel command line: %d encoded bytes are too long, the limit is %d; shorten the input or drop the seed",
			b.Len(), limit)
	}
	return option, nil
}
