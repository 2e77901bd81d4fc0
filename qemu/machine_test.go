package qemu

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestArgs(t *testing.T) {
	seed := uint64(15)
	tests := []struct {
		name string
		m    Machine
		want string
	}{
		{
			"amd64 defaults",
			Machine{Arch: AMD64, CPUs: 2, Memory: DefaultMemory},
			"-M q35 -accel tcg,thread=multi -rtc base=utc -cpu max -m 128M -smp 2 " +
				"-nodefaults -display none -no-reboot -chardev stdio,id=console,signal=off -serial chardev:console " +
				"-device isa-debug-exit,iobase=0xf4,iosize=4 -kernel IMG -append LINE",
		},
		{
			"arm64 with a seed and a debugger",
			Machine{Arch: ARM64, CPUs: 4, Memory: 256 << 20, Model: "cortex-a72", Seed: &seed, GDB: "127.0.0.1:1234"},
			"-M virt,gic-version=3 -accel tcg -icount shift=7,sleep=off -rtc base=2026-01-01T00:00:00,clock=vm " +
				"-cpu cortex-a72 -m 256M -smp 4 " +
				"-nodefaults -display none -no-reboot -chardev stdio,id=console,signal=off -serial chardev:console " +
				"-semihosting-config enable=on,target=native -gdb tcp:127.0.0.1:1234 -S -kernel IMG -append LINE",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(strings.Fields(tt.want), tt.m.Args("IMG", "LINE")); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	seed := uint64(1)
	for _, m := range []Machine{
		{CPUs: 0}, {CPUs: MaxCPUs + 1}, {CPUs: -1}, {CPUs: 1, Accel: "kvm", Seed: &seed},
		{CPUs: 1, Arch: ARM64, Type: "virt,secure=off,gic-version=2"},
	} {
		if m.Check() == nil {
			t.Errorf("%+v was accepted", m)
		}
	}
	if err := (&Machine{CPUs: 1, Seed: &seed}).Check(); err != nil {
		t.Error(err)
	}
}

func TestMachineType(t *testing.T) {
	for _, tt := range []struct {
		arch      Arch
		typ, want string
	}{
		{AMD64, "", "q35"},
		{AMD64, "pc", "pc"},
		{ARM64, "", "virt,gic-version=3"},
		{ARM64, "virt", "virt,gic-version=3"},
		{ARM64, "virt-7.2,virtualization=on", "virt-7.2,virtualization=on,gic-version=3"},
		{ARM64, "virt,gic-version=max", "virt,gic-version=max"},
		{ARM64, "sbsa-ref", "sbsa-ref"},
	} {
		m := Machine{Arch: tt.arch, Type: tt.typ, CPUs: 1}
		if got := m.machineType(); got != tt.want || m.Check() != nil {
			t.Errorf("%s %q: got %q, %v; want %q", tt.arch, tt.typ, got, m.Check(), tt.want)
		}
	}
}

func TestUnused(t *testing.T) {
	for _, tt := range []struct {
		arch         Arch
		memory, want Size
	}{
		{AMD64, 128 << 20, 0},
		{AMD64, 2815 << 20, 0},
		{AMD64, 2816 << 20, 768 << 20},
		{AMD64, 8 << 30, 6 << 30},
		{ARM64, 8 << 30, 0},
	} {
		m := Machine{Arch: tt.arch, Memory: tt.memory}
		if got := m.Unused(); got != tt.want {
			t.Errorf("%s, %v: got %v, want %v", tt.arch, tt.memory, got, tt.want)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]string{
		"128": "128M", "128M": "128M", "64m": "64M", "1G": "1G", "1024M": "1G", "32768K": "32M", "8193K": "8193K",
	} {
		var s Size
		if err := s.Set(text); err != nil || s.String() != want {
			t.Errorf("%s: got %v, %v; want %s", text, s, err, want)
		}
	}
	for _, text := range []string{"", "M", "0", "-1", "1.5G", "128MB", "1K", "65G", "99999999999999999999"} {
		var s Size
		if s.Set(text) == nil {
			t.Errorf("%q was accepted as %v", text, s)
		}
	}
}

func TestArch(t *testing.T) {
	var a Arch
	if err := a.Set("aarch64"); err != nil || a != ARM64 {
		t.Errorf("got %v, %v", a, err)
	}
	if a.Set("riscv64") == nil {
		t.Error("riscv64 was accepted")
	}
}
