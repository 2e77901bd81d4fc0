//go:build !irqlab

package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/term"

	"irqlab/qemu"
)

// At a terminal the debugger is there unasked: with editing, completion and the
// keys of the console. The terminal is left as it was.
func TestConsoleTerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	t.Parallel()
	if _, err := qemu.Find(qemu.AMD64); err != nil {
		t.Skip(err)
	}
	user, terminal := openTerminal(t)
	before, err := term.GetState(int(terminal.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	d := &dialogue{t: t, cmd: exec.CommandContext(t.Context(), tool, "run", "-timeout", limit.String(), "./testdata/console"), in: user, out: user}
	d.cmd.Stdin, d.cmd.Stdout, d.cmd.Stderr = terminal, terminal, &d.errs
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.expect("ready> ")
	d.send(breakIn)
	contains(t, "break-in", d.expect("kd> "), `^\r\nBreak-in\r\n`, `q leaves\.\r\n`)
	d.send("!irx\x7fq\t\r") // rubbed out and completed
	d.expect("!irql")
	contains(t, "completed", d.expect("kd> "), `CPU 0: IRQL \d`)
	d.send("g\r")
	d.expect("\r\nready> ") // again
	d.send("int3\n")
	d.expect("Break instruction exception")
	d.expect("kd> ")
	d.send("nothing\x03q\r") // Ctrl-C erases
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s%s", err, d.all, &d.errs)
	}
	after, err := term.GetState(int(terminal.Fd()))
	if err != nil || *after != *before {
		t.Errorf("the terminal is left otherwise than it was: %v", err)
	}

	d = &dialogue{t: t, cmd: exec.CommandContext(t.Context(), tool, "run", "-kd=off", "-timeout", limit.String(), "./testdata/console"), in: user, out: user}
	d.cmd.Stdin, d.cmd.Stdout, d.cmd.Stderr = terminal, terminal, &d.errs
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.expect("ready> ")
	d.send("stop\n")
	d.expect("irqlab: exit 66") // without the debugger
	if d.cmd.Wait(); d.cmd.ProcessState.ExitCode() != qemu.StopStatus {
		t.Errorf("%v\n%s%s", d.cmd.ProcessState, d.all, &d.errs)
	}
}

// openTerminal returns both ends of a pseudoterminal (pty(7)).
func openTerminal(t *testing.T) (user, terminal *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { user.Close() })
	unlock, number := int32(0), int32(0)
	if err := control(user, ioctlUnlock, &unlock); err != nil {
		t.Skip(err)
	}
	if err := control(user, ioctlNumber, &number); err != nil {
		t.Skip(err)
	}
	if terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return user, terminal
}

// Requests to the user's side (ioctl_tty(2)).
const (
	ioctlUnlock = syscall.TIOCSPTLCK
	ioctlNumber = syscall.TIOCGPTN
)

// control makes a request that is about a number.
func control(f *os.File, request uintptr, n *int32) error {
	conn, err := f.SyscallConn() // unlike Fd, it leaves deadlines possible
	if err != nil {
		return err
	}
	var errno syscall.Errno
	err = conn.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(n)))
	})
	if err == nil && errno != 0 {
		err = errno
	}
	return err
}
