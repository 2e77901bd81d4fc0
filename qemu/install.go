package qemu

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// manager is a system's package manager.
type manager struct {
	tool    string
	update  string // what a fresh machine needs first
	install string // installs both emulators
	root    bool   // may do so
}

var homebrew = manager{tool: "brew", install: "brew install qemu"}

var managers = []manager{
	{"apt-get", "apt-get update", "apt-get install -y --no-install-recommends qemu-system-x86 qemu-system-arm", true},
	{"dnf", "", "dnf install qemu-system-x86-core qemu-system-aarch64-core", true},
	{"pacman", "", "pacman -S qemu-system-x86 qemu-system-aarch64", true},
	homebrew,
}

// here returns this system's package manager.
func here() *manager {
	if runtime.GOOS == "darwin" {
		return &homebrew
	}
	for i := range managers {
		if _, err := exec.LookPath(managers[i].tool); err == nil {
			return &managers[i]
		}
	}
	return &managers[0]
}

// command is what a user types.
func (m *manager) command() string {
	sudo := ""
	if m.root {
		sudo = "sudo "
	}
	if m.update != "" {
		return sudo + m.update + " && " + sudo + m.install
	}
	return sudo + m.install
}

// Install installs what is missing of the emulators, where apt-get and root are at
// hand; sudo may ask for a password at a terminal. Elsewhere the error says what to
// do. What is installed shows on out.
func Install(ctx context.Context, out io.Writer) error {
	missing := findAll()
	if missing == nil {
		return nil
	}
	m := here()
	_, err := exec.LookPath("apt-get")
	prefix, ok := becomeRoot()
	if m.tool != "apt-get" || err != nil || !ok {
		return missing
	}
	run := func(command string) error {
		words := strings.Fields(prefix + "env DEBIAN_FRONTEND=noninteractive " + command)
		cmd := exec.CommandContext(ctx, words[0], words[1:]...)
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	}
	if run(m.install) != nil {
		// A fresh machine has no package lists yet.
		if err := run(m.update); err != nil {
			return fmt.Errorf("%s: %w", m.update, err)
		}
		if err := run(m.install); err != nil {
			return fmt.Errorf("%s: %w", m.install, err)
		}
	}
	return findAll()
}

// findAll reports the first emulator that is missing.
func findAll() error {
	for _, a := range Archs {
		if _, err := Find(a); err != nil {
			return err
		}
	}
	return nil
}

// becomeRoot returns what to put in front of a command that needs root. A password
// can be asked for at a terminal only.
func becomeRoot() (prefix string, ok bool) {
	if os.Geteuid() == 0 {
		return "", true
	}
	if exec.Command("sudo", "-n", "true").Run() == nil {
		return "sudo -n ", true
	}
	_, err := exec.LookPath("sudo")
	return "sudo ", err == nil && IsTerminal(os.Stderr)
}
