//go:build unix && !linux

package qemu

import (
	"os"
	"os/exec"
	"syscall"
)

// isolate puts the command in a process group of its own, out of reach of the
// terminal's signals.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }
