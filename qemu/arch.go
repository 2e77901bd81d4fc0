package qemu

import "fmt"

// Arch is an architecture irqlab runs on, under its Go name.
type Arch string

// The architectures and the QEMU machines that stand for them: q35 and virt.
const (
	AMD64 Arch = "amd64"
	ARM64 Arch = "arm64"
)

// Archs lists every supported architecture.
var Archs = []Arch{AMD64, ARM64}

// Set implements flag.Value.
func (a *Arch) Set(s string) error {
	switch s {
	case "amd64", "x86-64", "x86_64", "x64":
		*a = AMD64
	case "arm64", "aarch64":
		*a = ARM64
	default:
		return fmt.Errorf("unknown architecture; use amd64 or arm64")
	}
	return nil
}

func (a *Arch) String() string { return string(*a) }

// binary is the emulator's name.
func (a Arch) binary() string {
	if a == ARM64 {
		return "qemu-system-aarch64"
	}
	return "qemu-system-x86_64"
}
