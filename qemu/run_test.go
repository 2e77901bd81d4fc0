package qemu

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

// fakeQEMU puts a shell script in QEMU's place.
func fakeQEMU(t *testing.T, script string) (image string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, AMD64.binary())
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	image = filepath.Join(dir, "image")
	if err := os.WriteFile(image, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return image
}

var testMachine = Machine{Arch: AMD64, CPUs: 1, Memory: DefaultMemory}

func TestRunStatus(t *testing.T) {
	tests := []struct {
		name, script string
		want         int // -1: an error
		say          string
	}{
		{"success", `echo hi; echo "irqlab: exit 0"; exit 33`, 0, ""},
		{"guest failure", `echo "irqlab: exit 3"; exit 39`, 3, ""},
		{"silent success", `exit 33`, -1, "console does not end"},
		{"reset", `echo hi; exit 0`, -1, "triple fault"},
		{"bad option", `echo "no such CPU" >&2; exit 1`, -1, "QEMU failed"},
		{"crash", `kill -SEGV $$`, -1, "killed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			image := fakeQEMU(t, tt.script)
			var out bytes.Buffer
			got, err := testMachine.Run(context.Background(), image, "", Console{Out: &out, Err: t.Output()}, 5*time.Minute)
			if err != nil {
				got = -1
				if !strings.Contains(err.Error(), tt.say) {
					t.Errorf("the error does not say %q: %v", tt.say, err)
				}
			}
			if got != tt.want {
				t.Errorf("got %d, %v; want %d", got, err, tt.want)
			}
		})
	}
}

// Input waits for the guest's first sign of life, arrives whole, and ends with
// a Ctrl-D.
func TestRunInput(t *testing.T) {
	image := fakeQEMU(t, `sleep 0.2; printf '\0'; head -c 10001 | cksum; echo "irqlab: exit 0"; exit 33`)
	var out bytes.Buffer
	in := strings.NewReader(strings.Repeat("0123456789", 1000))
	if _, err := testMachine.Run(context.Background(), image, "", Console{In: in, Out: &out, Err: t.Output(), HideExit: true}, 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	const want = "3170295675 10001\n"
	if out.String() != want {
		t.Errorf("the guest read %q, want %q", out.String(), want)
	}
}

// The end of the input is not among the bytes of a pipe.
func TestRunAnyInput(t *testing.T) {
	image := fakeQEMU(t, `printf '\0'; head -c 7 | od -An -tx1; echo "irqlab: exit 0"; exit 33`)
	var out bytes.Buffer
	c := Console{In: strings.NewReader("a\x04b\x16"), Out: &out, Err: t.Output(), HideExit: true, Piped: true}
	if _, err := testMachine.Run(context.Background(), image, "", c, 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	if want := " 61 16 04 62 16 16 04\n"; out.String() != want {
		t.Errorf("the guest read %q, want %q", out.String(), want)
	}
}

// Input that cannot be read ends the run, but only that.
func TestRunUnreadable(t *testing.T) {
	image := fakeQEMU(t, `printf '\0'; exec sleep 100`)
	directory, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer directory.Close()
	for _, keys := range []bool{false, true} {
		c := Console{In: directory, Out: t.Output(), Err: t.Output(), Keys: keys}
		if _, err := testMachine.Run(context.Background(), image, "", c, 5*time.Minute); !errors.Is(err, syscall.EISDIR) {
			t.Errorf("keys %v: got %v, want %v", keys, err, syscall.EISDIR)
		}
	}
	image = fakeQEMU(t, `printf '\0'; exec <&-; sleep 0.5; echo "irqlab: exit 0"; exit 33`)
	c := Console{In: iotest.ErrReader(io.EOF), Out: t.Output(), Err: t.Output()}
	if _, err := testMachine.Run(context.Background(), image, "", c, 5*time.Minute); err != nil {
		t.Errorf("a guest that does not read: %v", err)
	}
}

// What the guest has written is there when Drain returns.
func TestDrain(t *testing.T) {
	image := fakeQEMU(t, `printf 'hello> '; read line; echo "$line"; echo "irqlab: exit 0"; exit 33`)
	pipe, err := NewPipe()
	if err != nil {
		t.Fatal(err)
	}
	pipe.Drain() // of a machine that does not run yet
	var out bytes.Buffer
	in, keyboard := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := testMachine.Run(context.Background(), image, "", Console{In: in, Out: &out, Err: t.Output(), HideExit: true, Pipe: pipe}, 5*time.Minute)
		done <- err
	}()
	for shown := ""; shown != "hello> "; {
		time.Sleep(time.Millisecond)
		pipe.Drain()
		pipe.mu.Lock()
		shown = out.String()
		pipe.mu.Unlock()
	}
	io.WriteString(keyboard, "world\n")
	if err := <-done; err != nil || out.String() != "hello> world\n" {
		t.Errorf("%v, %q", err, &out)
	}
	pipe.Drain() // of one that does not run any more
}

func TestRunTimeout(t *testing.T) {
	image := fakeQEMU(t, `sleep 1000 & echo $!; wait`)
	var out bytes.Buffer
	// A busy host may not start the child in time.
	for limit := 300 * time.Millisecond; out.Len() == 0 && limit < time.Minute; limit *= 4 {
		start := time.Now()
		_, err := testMachine.Run(context.Background(), image, "", Console{Out: &out, Err: t.Output()}, limit)
		var timeout *TimeoutError
		if !errors.As(err, &timeout) {
			t.Errorf("got %v, want a timeout", err)
		}
		if d := time.Since(start); d > limit+time.Minute {
			t.Errorf("it took %v", d)
		}
	}
	child, err := strconv.Atoi(strings.TrimSpace(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	if err := gone(child); err != nil {
		t.Errorf("QEMU's child %d is alive: %v", child, err)
	}
}

// gone waits for a process that was killed to disappear or become a zombie.
func gone(pid int) error {
	for range 500 {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return syscall.Kill(pid, 0)
}

// KVM may give up a guest, and QEMU does not end.
func TestRunKVM(t *testing.T) {
	image := fakeQEMU(t, `echo "KVM internal error. Suberror: 1" >&2; echo "RAX=0" >&2; exec sleep 100`)
	m := testMachine
	m.Accel = "kvm"
	var errs bytes.Buffer
	_, err := m.Run(context.Background(), image, "", Console{Out: t.Output(), Err: &errs}, 5*time.Minute)
	if !errors.Is(err, errKVM) || !strings.HasSuffix(errs.String(), "RAX=0\n") {
		t.Errorf("got %v, want %v\n%s", err, errKVM, &errs)
	}
}

func TestRunInterrupted(t *testing.T) {
	image := fakeQEMU(t, `sleep 100`)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := testMachine.Run(ctx, image, "", Console{Out: t.Output(), Err: t.Output()}, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestRunLeft(t *testing.T) {
	image := fakeQEMU(t, `echo hello; sleep 100`)
	var out bytes.Buffer
	c := Console{In: strings.NewReader("\x01x"), Out: &out, Err: t.Output(), Keys: true}
	if status, err := testMachine.Run(context.Background(), image, "", c, 5*time.Minute); status != 0 || err != nil {
		t.Errorf("got %d, %v; want 0", status, err)
	}
}

func TestRunMissing(t *testing.T) {
	image := fakeQEMU(t, `exit 33`)
	if _, err := testMachine.Run(context.Background(), image+".no", "", Console{}, 0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing image: %v", err)
	}
	t.Setenv("PATH", "")
	if _, err := testMachine.Run(context.Background(), image, "", Console{}, 0); err == nil || !strings.Contains(err.Error(), "install it with") {
		t.Errorf("missing QEMU: %v", err)
	}
}
