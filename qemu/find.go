package qemu

import (
	"fmt"
	"os/exec"
)

// Find locates the emulator for an architecture. The error of a missing one
// says how to install it here.
func Find(a Arch) (string, error) {
	path, err := exec.LookPath(a.binary())
	if err != nil {
		return "", fmt.Errorf("%s is not installed; install it with\n\t%s", a.binary(), here().command())
	}
	return path, nil
}
