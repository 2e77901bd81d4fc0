package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Console is where a guest's console leads.
type Console struct {
	In       io.Reader // nil: nothing will ever be typed
	Out, Err io.Writer // the guest's console; QEMU's own complaints
	Keys     bool      // In is a terminal in raw mode; Ctrl-A X leaves
	Piped    bool      // the kernel has been told PipedInput
	Raw      bool      // Out is one too, and needs carriage returns
	HideExit bool      // keep the guest's exit line off Out
	Pipe     *Pipe     // what leads to Out, for a caller that wants to Drain it
}

// TimeoutError reports a guest that did not finish in time.
type TimeoutError struct{ Limit time.Duration }

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("the guest did not finish within %v (-timeout); QEMU was killed", e.Limit)
}

// Run boots image and carries its console until the machine stops. It returns
// the guest's exit status; every other way to end is an error, except that a
// user who leaves with Ctrl-A X is a guest that exited with 0. A limit of zero
// is none. When Run returns, QEMU and all its children are gone.
func (m *Machine) Run(ctx context.Context, image, cmdline string, c Console, limit time.Duration) (int, error) {
	if m.Debugger != nil {
		defer m.Debugger.Close()
	}
	if err := m.Check(); err != nil {
		return 0, err
	}
	path, err := Find(m.Arch)
	if err != nil {
		return 0, err
	}
	if _, err := os.Stat(image); err != nil {
		return 0, fmt.Errorf("kernel image: %w", err)
	}

	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, &TimeoutError{limit})
		defer cancel()
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	out := newOutput(c.Out, c.Raw, c.HideExit)
	pipe := c.Pipe
	if pipe == nil {
		if pipe, err = NewPipe(); err != nil {
			return 0, err
		}
	}
	cmd := exec.CommandContext(ctx, path, m.Args(image, cmdline)...)
	cmd.Stdout, cmd.Stderr = pipe.w, c.Err
	if strings.HasPrefix(m.accel(), "kvm") {
		cmd.Stderr = &kvmWatch{Writer: c.Err, failed: func() { stop(errKVM) }}
	}
	if m.Debugger != nil {
		cmd.ExtraFiles = []*os.File{m.Debugger}
	}
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	cmd.WaitDelay = 5 * time.Second
	isolate(cmd)

	// The kernel ties QEMU's life to the thread that started it (isolate), so
	// this one must outlive it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	if c.In != nil {
		guest, err := cmd.StdinPipe()
		if err != nil {
			return 0, err
		}
		go func() {
			if err := c.feed(ctx, guest, out.alive); err != nil {
				stop(err)
			}
		}()
	}

	carried := pipe.start(out)
	if err = cmd.Start(); err == nil {
		pipe.w.Close()
		if m.Debugger != nil {
			m.Debugger.Close() // the debugger's connection is to end with QEMU
		}
		err = cmd.Wait()
	}
	pipe.close(carried)
	status, werr := out.close()
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errQuit):
		return 0, nil
	case cause != nil:
		return 0, cause
	case werr != nil:
		return 0, fmt.Errorf("console: %w", werr)
	case cmd.ProcessState == nil:
		return 0, fmt.Errorf("cannot start QEMU: %w", err)
	case cmd.ProcessState.ExitCode() < 0:
		return 0, fmt.Errorf("QEMU was killed: %v", cmd.ProcessState)
	}
	return verdict(cmd.ProcessState.ExitCode(), status)
}

// feed carries the input to the guest. What arrives before the guest has set up its
// receiver is lost when it resets the FIFO: so it begins when the guest is alive. It
// returns what ends the run: the user, or input that cannot be read. That the guest
// has gone does not.
func (c *Console) feed(ctx context.Context, guest io.Writer, alive <-chan struct{}) error {
	select {
	case <-alive:
	case <-ctx.Done():
		return nil
	}
	src := source{Reader: c.In}
	if !c.Keys {
		forward(guest, &src, c.Piped)
	} else if err := forwardKeys(guest, &src); errors.Is(err, errQuit) {
		return err
	}
	return src.err
}
