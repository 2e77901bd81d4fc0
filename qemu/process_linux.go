package qemu

import (
	"os"
	"os/exec"
	"syscall"
)

// isolate puts the command in a process group of its own, out of reach of the
// terminal's signals, and has the kernel end it should the tool die unasked.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }
