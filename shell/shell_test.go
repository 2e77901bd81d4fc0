package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestLookup(t *testing.T) {
	for _, c := range []struct{ word, want, text string }{
		{"help", "help", ""},
		{"he", "help", ""},
		{"!rea", "!ready", ""},
		{"p", "", "could be"},
		{"!", "", "could be"},
		{"irql", "", "did you mean !irql?"},
		{"mutex", "", "unknown command"},
		{strings.Repeat("x", 5000), "", "unknown command"},
		{"\x00\xff\u202e", "", "unknown command"},
	} {
		got, err := lookup(c.word)
		switch {
		case err == nil && got.name != c.want:
			t.Errorf("%.20q is %s, want %s", c.word, got.name, c.want)
		case err == nil && c.want == "":
			t.Errorf("%.20q is %s, want an error", c.word, got.name)
		case err != nil && (c.text == "" || !strings.Contains(err.Error(), c.text)):
			t.Errorf("%.20q: %v", c.word, err)
		case err != nil && len(err.Error()) > 400:
			t.Errorf("%.20q: a message of %d bytes", c.word, len(err.Error()))
		}
	}
}

func TestComplete(t *testing.T) {
	sh := &shell{}
	for _, c := range []struct {
		line, want string
		pos        int
		found      string
	}{
		{"he", "help ", 2, ""},
		{"demo mutex-", "demo mutex-race ", 11, ""},
		{"demo m", "demo mutex", 6, ""},
		{"demo mutex", "demo mutex", 10, "mutex mutex-race"},
		{"!t", "!t", 2, "!timer !thread"},
		{"!ti", "!timer ", 3, ""},
		{"xyz", "xyz", 3, ""},
		{"demo mutex 1", "demo mutex 1", 12, ""},
		{"he foo", "help  foo", 2, ""},
		{"", "", 0, strings.Join(commandNames(), " ")},
	} {
		line, pos, found := sh.complete(c.line, c.pos)
		if line != c.want || strings.Join(found, " ") != c.found || pos != c.pos+len(c.want)-len(c.line) {
			t.Errorf("%q at %d: %q at %d, candidates %v", c.line, c.pos, line, pos, found)
		}
	}
}

// talk runs a session over lines that need no kernel.
func talk(scripted bool, input string) (status int, output string) {
	var out bytes.Buffer
	sh := &shell{scripted: scripted}
	if scripted {
		sh.console = newScript(strings.NewReader(input), &out)
	} else {
		sh.console = newKeyboard(strings.NewReader(input), &out, sh.complete)
	}
	return sh.run(), out.String()
}

// dialogue is a session: what it is told, the status with which it ends, from a
// script and from a keyboard, and a part of what it says.
type dialogue struct {
	input              string
	scripted, keyboard int
	says               string
}

func (c dialogue) test(t *testing.T) {
	t.Helper()
	for _, scripted := range []bool{true, false} {
		want := c.keyboard
		if scripted {
			want = c.scripted
		} else if !strings.HasSuffix(c.input, "\n") && c.input != "" {
			continue // a keyboard has no end
		}
		status, output := talk(scripted, c.input)
		if status != want || !strings.Contains(output, c.says) {
			t.Errorf("%.40q, scripted %v: status %d, want %d; output\n%.400s", c.input, scripted, status, want, output)
		}
	}
}

func TestSession(t *testing.T) {
	for _, c := range []dialogue{
		{"", 0, 0, ""},
		{"exit\n", 0, 0, ""},
		{"exit 5\nexit 6\n", 5, 5, ""},
		{"exit 200\n", 200, 200, ""},
		{"exit 010\n", 10, 10, ""},
		{"exit 0x10\n", 16, 16, ""},
		{"exit 0b1\nexit\n", 1, 0, "not a number"},
		{"exit 256\nexit\n", 1, 0, "at most 255"},
		{"exit -1\n", 1, 0, "not a number"},
		{"exit x", 1, 0, "not a number"},
		{"exit 1 2\n", 1, 0, "usage: exit [status]"},
		{"help\n", 0, 0, "list the commands"},
		{"help help", 0, 0, "usage: help [command or bug check]"},
		{"help nothing\n", 1, 0, "unknown command"},
		{"  \t \n\n\r\nhelp\r\n", 0, 0, "list the commands"},
		{"demo\n", 0, 0, "mutex-race"},
		{"help 0x123456\n", 1, 0, "0x123456 is no bug check"},
		{"exit 99999999999999999999999\n", 1, 0, "too large"},
		{"demo nothing\n", 1, 0, "there is no demo"},
		{"!pcr 1000000000000\n!pcr 0x\n!pcr 99999999999999999999999\n", 1, 0, "there is no CPU"},
		{"!irql 1 2\n", 1, 0, "usage: !irql [cpu]"},
		{"top -n\ntop -x 1\ntop -n 0\ntop -d NaN\ntop -n -1\n", 1, 0, "usage: top"},
		{strings.Repeat("x", maxLine+1) + "\nhelp\n", 1, 0, "list the commands"},
		{"\x1b[A\x1b[B\x00\x07\xff\xfe世界 \n", 1, 0, "unknown command"},
	} {
		c.test(t)
	}
}

func TestEditing(t *testing.T) {
	for _, c := range []struct{ input, says string }{
		{"bogus\x03help\r", "list the commands"},      // Ctrl-C clears the line
		{"hel\t\r", "list the commands"},              // Tab completes
		{"hepl\x7f\x7flp\r", "list the commands"},     // Backspace
		{"exit 3\x01\x0bhelp\r", "list the commands"}, // Ctrl-A Ctrl-K
	} {
		if status, output := talk(false, c.input); status != 0 || !strings.Contains(output, c.says) {
			t.Errorf("%q: status %d, output\n%s", c.input, status, output)
		}
	}
	if status, output := talk(false, "help\r\x1b[A\r\x04exit 3\r"); status != 0 || strings.Count(output, "list the commands") != 2 {
		t.Errorf("history and Ctrl-D: status %d, output\n%s", status, output)
	}
}

// A line of a script is shown as typed, unless that would disturb the terminal.
func TestEcho(t *testing.T) {
	for line, want := range map[string]string{
		"demo mutex": "demo mutex", "世界": "世界", "a\x1b[2J": `"a\x1b[2J"`, "\xff": `"\xff"`, `say "x"`: `"say \"x\""`,
	} {
		if got := printable(line); got != want {
			t.Errorf("%q is shown as %s, want %s", line, got, want)
		}
	}
}

func FuzzKeyboard(f *testing.F) {
	f.Add("demo mu\t\x1b[A\x04\r")
	f.Add("\x1b[200~paste\nlines\x1b[201~\r")
	f.Add(strings.Repeat("世", 1000) + "\x15\x17\x0c\r")
	f.Add("\x1b" + strings.Repeat("世", 300))
	f.Fuzz(func(t *testing.T, input string) {
		k := newKeyboard(strings.NewReader(input), io.Discard, (&shell{}).complete)
		for range len(input) + 1 {
			line, err := k.ReadLine()
			if err != nil {
				return
			}
			lookup(line)
		}
	})
}

func TestExitError(t *testing.T) {
	var leave *exitError
	if err := (&shell{}).exit([]string{"0x10"}); !errors.As(err, &leave) || leave.status != 16 {
		t.Errorf("exit 0x10: %v", err)
	}
}
