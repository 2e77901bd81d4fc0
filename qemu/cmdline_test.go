package qemu

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEncode(t *testing.T) {
	tests := []struct {
		name string
		in   Cmdline
		want string
	}{
		{"nothing", Cmdline{}, ""},
		{"options only", Cmdline{Options: []string{"seed=7", "GOGC=50"}}, "seed=7 GOGC=50"},
		{"arguments only", Cmdline{Args: []string{"-v"}}, "-- -v"},
		{"both", Cmdline{Options: []string{"seed=7"}, Args: []string{"a", "b"}}, "seed=7 -- a b"},
		{"space and percent", Cmdline{Args: []string{"a b", "100%"}}, "-- a%20b 100%25"},
		{"empty argument", Cmdline{Args: []string{"", "x"}}, "-- % x"},
		{"second separator", Cmdline{Args: []string{"--", "x"}}, "-- -- x"},
		{"test pattern", Cmdline{Args: []string{"-test.run=^(TestA|TestB)$/x*"}}, "-- -test.run=^(TestA|TestB)$/x*"},
		{"beyond ASCII", Cmdline{Args: []string{"é\n\"'"}}, "-- %C3%A9%0A%22%27"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.in.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodeLimit(t *testing.T) {
	fits := Cmdline{Options: []string{strings.Repeat("x", MaxCmdline)}}
	if _, err := fits.Encode(); err != nil {
		t.Errorf("%d bytes: %v", MaxCmdline, err)
	}
	long := Cmdline{Options: []string{strings.Repeat(" ", MaxCmdline/3+1)}}
	if s, err := long.Encode(); err == nil {
		t.Errorf("%d bytes were accepted", len(s))
	}
}

func TestStdinOption(t *testing.T) {
	got, err := StdinOption([]byte("demo mutex\n"))
	if err != nil || got != "stdin=demo mutex\n\x04" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := StdinOption([]byte(strings.Repeat("\n", 600))); err == nil {
		t.Error("1800 encoded bytes were accepted")
	}
}
