package linux

import (
	"irqlab/board"
)

// The command line is words separated by spaces. Up to a word "--" they are
// options (seed=7), and variables for the environment when the first letter is
// upper case (GODEBUG=...); after it they are the program's arguments. Bytes
// can be written %xx, and % alone is an empty word.

// words yields the words of a command line.
type words struct {
	rest string
}

func (w *words) next() (word string, ok bool) {
	i := 0
	for i < len(w.rest) && w.rest[i] == ' ' {
		i++
	}
	from := i
	for i < len(w.rest) && w.rest[i] != ' ' {
		i++
	}
	word, w.rest = w.rest[from:i], w.rest[i:]
	return word, word != ""
}

// argumentMark ends options.
const argumentMark = "--"

// Option returns the value of an option or environment variable, still encoded.
//
// IRQL: any
func Option(name string) (value string, ok bool) { return option(board.CommandLine(), name) }

// Seed returns the number that decides what a repeatable run leaves to chance,
// 0 without one. 0 itself asks for a repeatable run that leaves nothing to it,
// for measurements.
//
// IRQL: any
func Seed() uint64 {
	n := uint64(0)
	digits, _ := Option("seed")
	for i := range len(digits) {
		n = n*10 + uint64(digits[i]-'0')
	}
	return n
}

func option(line, name string) (value string, ok bool) {
	w := words{line}
	for {
		word, more := w.next()
		if !more || word == argumentMark {
			return value, ok
		}
		if len(word) > len(name) && word[:len(name)] == name && word[len(name)] == '=' {
			value, ok = word[len(name)+1:], true // the last one counts
		}
	}
}

// isVariable reports whether a word belongs to the environment.
func isVariable(word string) bool {
	if word[0] < 'A' || word[0] > 'Z' {
		return false
	}
	for i := range len(word) {
		if word[i] == '=' {
			return true
		}
	}
	return false
}

// unescape returns the first byte of an encoded word, and what follows it. A
// percent sign without two hexadecimal digits stands for itself.
func unescape(s string) (b byte, rest string) {
	if s[0] == '%' && len(s) >= 3 {
		hi, ok1 := hexDigit(s[1])
		lo, ok2 := hexDigit(s[2])
		if ok1 && ok2 {
			return hi<<4 | lo, s[3:]
		}
	}
	return s[0], s[1:]
}

func hexDigit(c byte) (v byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return (c | 0x20) - 'a' + 10, true
	}
	return 0, false
}
