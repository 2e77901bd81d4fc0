package qemu

import (
	"fmt"
	"os/exec"
	"runtime"
)

// Find locates the emulator for an architecture. The error of a missing one
// says how to install it here.
func Find(a Arch) (string, error) {
	path, err := exec.LookPath(a.binary())
	if err != nil {
		return "", fmt.Errorf("%s is not installed; install it with\n\t%s", a.binary(), installCommand())
	}
	return path, nil
}

// installCommand is the command that installs both emulators on this system.
func installCommand() string {
	if runtime.GOOS == "darwin" {
		return "brew install qemu"
	}
	managers := []struct{ tool, command string }{
		{"apt-get", "sudo apt-get install --no-install-recommends qemu-system-x86 qemu-system-arm"},
		{"dnf", "sudo dnf install qemu-system-x86-core qemu-system-aarch64-core"},
		{"pacman", "sudo pacman -S qemu-system-x86 qemu-system-aarch64"},
		{"brew", "brew install qemu"},
	}
	for _, m := range managers {
		if _, err := exec.LookPath(m.tool); err == nil {
			return m.command
		}
	}
	return managers[0].command
}
