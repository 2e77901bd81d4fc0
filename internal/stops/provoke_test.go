package stops

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"irqlab/disk/layout"
	"irqlab/dump/load"
	"irqlab/internal/diskimage"
	"irqlab/provoke"
	"irqlab/qemu"
)

// TestProvoke has the shell's command crash bring about every bug check that it
// can, on one architecture or the other, and checks screen, exit status and dump.
func TestProvoke(t *testing.T) {
	for a, arch := range qemu.Archs {
		t.Run(string(arch), func(t *testing.T) {
			if _, err := qemu.Find(arch); err != nil {
				t.Skip(err)
			}
			image := build(t, arch, "irqlab/shell")
			for i := range provoke.All {
				p := &provoke.All[i]
				if i%len(qemu.Archs) != a || testing.Short() && i%8 > 1 {
					continue
				}
				t.Run(fmt.Sprintf("%#x", uint32(p.Code)), func(t *testing.T) {
					t.Parallel()
					provokes(t, arch, image, p)
				})
			}
		})
	}
}

func provokes(t *testing.T, arch qemu.Arch, image string, p *provoke.Provocation) {
	dir := t.TempDir()
	m := qemu.Machine{Arch: arch, CPUs: 2, Memory: 64 << 20, Disk: filepath.Join(dir, "disk")}
	if err := diskimage.Make(m.Disk, layout.MinSize); err != nil {
		t.Fatal(err)
	}
	input, err := qemu.StdinOption([]byte(fmt.Sprintf("crash %#x\n", uint32(p.Code))))
	if err != nil {
		t.Fatal(err)
	}
	cmdline, err := qemu.Cmdline{Options: []string{input, "dump=small"}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	status, err := m.Run(context.Background(), image, cmdline, qemu.Console{Out: &out, Err: &errs}, 2*time.Minute)
	if err != nil || status != stopStatus {
		t.Fatalf("status %d: %v\n%s%s", status, err, &errs, &out)
	}
	want(t, out.String(), p.What)
	want(t, out.String(), fmt.Sprintf("*** STOP 0x%08X (", uint32(p.Code)))
	file := filepath.Join(dir, "MEMORY.DMP")
	if _, err := diskimage.Fetch(m.Disk, file); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	d, err := load.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if d.Stop.Code != uint32(p.Code) || len(d.AMD64)+len(d.ARM64) != 2 {
		t.Errorf("the dump says %+v", d.Stop)
	}
	found := line.FindStringSubmatch(out.String())
	for i, v := range d.Stop.Parameters {
		if say := fmt.Sprintf("%016X", v); found[i+2] != say {
			t.Errorf("parameter %d is %s on the screen, %s in the dump", i+1, found[i+2], say)
		}
	}
	analyzes(t, image, d, out.String())
	if len(d.AMD64) > 0 && p.Code%4 == 1 { // a sample: gdb takes a second for the program's symbols
		debugger(t, arch, image, file, uint32(p.Code))
	}
}

// debugger has gdb read the dump, if there is one for the architecture.
func debugger(t *testing.T, arch qemu.Arch, image, file string, code uint32) {
	gdb := gdbFor(t, arch)
	if gdb == "" {
		return
	}
	out, err := exec.CommandContext(t.Context(), gdb, "-nx", "-batch", "-ex", "print/x 'irqlab/bugcheck.LastStop'.Code", "-ex", "bt 1", image, file).CombinedOutput()
	if say := fmt.Sprintf("$1 = %#x", code); err != nil || !strings.Contains(string(out), say) || !strings.Contains(string(out), "#0") {
		t.Errorf("gdb does not say %q: %v\n%s", say, err, out)
	}
}
