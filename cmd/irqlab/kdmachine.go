package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"irqlab/kd"
	"irqlab/kd/remote"
	"irqlab/qemu"
)

// errLeft ends a machine because its user has left.
var errLeft = errors.New("left")

// bootDebugged boots an image for a session. The end of one is the end of the
// other. It returns how the machine ended, with a status of 0 if the user has left
// it, and what went wrong in the session.
func (m *machineFlags) bootDebugged(ctx context.Context, image *kd.Image, cmdline string, s *session, limit time.Duration) (status int, ended, err error) {
	if string(image.Arch()) != string(m.Arch) {
		return 0, nil, fmt.Errorf("%s is for %s; say -arch %s", image.Path, image.Arch(), image.Arch())
	}
	console, err := s.machineConsole()
	if err != nil {
		return 0, nil, err
	}
	conn, stub, err := connection()
	if err != nil {
		return 0, nil, err
	}
	defer conn.Close()
	m.Debugger = stub

	user := context.WithoutCancel(ctx) // the machine's end is what ends the session
	ctx, stop := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		status, ended = m.start(ctx, image.Path, cmdline, console, limit)
		stop(ended)
	}()
	s.ended, s.leave = ctx.Done(), func() { stop(errLeft) }

	t, err := remote.New(conn)
	if err != nil {
		// QEMU is about to say why.
		giveUp := time.AfterFunc(time.Second, s.leave)
		<-done
		giveUp.Stop()
		return status, ended, err
	}
	d := kd.New(image, onScreen{t, s}, s)
	err = s.run(user, d, "")
	stopped := d.Stopped()
	switch {
	case d.Gone():
	case stopped && s.shared && !m.Resets:
		t.Detach() // it ends by itself
	default:
		s.leave()
	}
	<-done
	if errors.Is(ended, errLeft) {
		ended = nil
		if stopped {
			status = qemu.StopStatus
		}
	}
	return status, ended, err
}

// connection returns both ends of one that nobody else can use: ours, and a file
// for QEMU.
func connection() (net.Conn, *os.File, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("debugger: %w", err)
	}
	for _, fd := range fds {
		syscall.CloseOnExec(fd)
	}
	ours, stub := os.NewFile(uintptr(fds[0]), "debugger"), os.NewFile(uintptr(fds[1]), "gdb stub")
	conn, err := net.FileConn(ours) // a duplicate
	ours.Close()
	if err != nil {
		stub.Close()
		return nil, nil, fmt.Errorf("debugger: %w", err)
	}
	return conn, stub, nil
}

// onScreen is a machine whose console is on a session's screen.
type onScreen struct {
	*remote.Target
	session *session
}

// Resume implements kd.Control.
func (m onScreen) Resume(ctx context.Context) (kd.Stop, error) {
	return m.session.watch(ctx, m.Target.Resume)
}
