package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"irqlab/disk/layout"
	"irqlab/internal/diskimage"
	"irqlab/qemu"
)

func TestEnsureDisk(t *testing.T) {
	var m machineFlags
	m.Memory = 64 << 20
	m.Disk = filepath.Join(t.TempDir(), "disk")
	for range 2 { // made, then found
		if err := ensureDisk(&m); err != nil {
			t.Fatal(err)
		}
	}
	f, h, err := diskimage.Open(m.Disk, os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if h.PageFile.Room() < uint64(m.Memory) || h.DumpFile.Room() < uint64(m.Memory) {
		t.Errorf("the disk has no room for a complete dump: %+v", h)
	}
}

// What is no disk of irqlab is left alone.
func TestForeignDisk(t *testing.T) {
	name := filepath.Join(t.TempDir(), "letter")
	if err := os.WriteFile(name, make([]byte, layout.MinSize), 0o666); err != nil {
		t.Fatal(err)
	}
	m := machineFlags{Machine: qemu.Machine{Disk: name}}
	if err := ensureDisk(&m); err == nil || !strings.Contains(err.Error(), "no disk") {
		t.Error(err)
	}
	m.Disk = noDisk
	if err := ensureDisk(&m); err != nil || m.Disk != "" {
		t.Errorf("%v %q", err, m.Disk)
	}
}
