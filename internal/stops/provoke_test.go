package stops

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"irqlab/disk/layout"
	"irqlab/dump/load"
	"irqlab/internal/diskimage"
	"irqlab/provoke"
	"irqlab/qemu"
)

// TestProvoke has the shell's command crash bring about every bug check that it
// can, and checks screen, exit status and dump: what the notes say, what the kernel
// debugger makes of it, and what gdb does.
func TestProvoke(t *testing.T) {
	each(t, func(t *testing.T, arch qemu.Arch) {
		image, dir := build(t, arch, "irqlab/shell"), t.TempDir()
		var dumps dumps
		t.Run("crash", func(t *testing.T) {
			for i := range provoke.All {
				p := &provoke.All[i]
				if testing.Short() && i%8 != 0 {
					continue
				}
				code := fmt.Sprintf("%#x", uint32(p.Code))
				for _, cpus := range processors(arch, code) {
					name := fmt.Sprintf("%s-%d", code, cpus)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						d := crashed{p: p, file: filepath.Join(dir, name+".dmp")}
						d.provoke(t, arch, cpus, image)
						dumps.add(d)
					})
				}
			}
		})
		withGDB(t, arch, func(t *testing.T, gdb string) { dumps.readByGDB(t, gdb, image) })
	})
}

// crashed is a dump of what was provoked.
type crashed struct {
	p       *provoke.Provocation
	file    string
	console string
}

// provoke fills in the console.
func (c *crashed) provoke(t *testing.T, arch qemu.Arch, cpus int, image string) {
	m := machine(arch, cpus, filepath.Join(t.TempDir(), "disk"))
	if err := diskimage.Make(m.Disk, layout.MinSize); err != nil {
		t.Fatal(err)
	}
	var options []string
	if o := c.p.Option(); o != "" {
		options = []string{o}
	}
	out, status := shell(t, m, image, fmt.Sprintf("crash %#x", uint32(c.p.Code)), options...)
	c.console = out
	if status != qemu.StopStatus {
		t.Fatalf("status %d\n%s", status, out)
	}
	want(t, out, c.p.What)
	want(t, out, fmt.Sprintf("*** STOP 0x%08X (", uint32(c.p.Code)))
	if _, err := diskimage.Fetch(m.Disk, c.file); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	d, err := load.Open(c.file)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	frozen := m.CPUs - strings.Count(out, " could not be frozen\n")
	if d.Stop.Code != uint32(c.p.Code) || len(d.AMD64)+len(d.ARM64) != frozen {
		t.Errorf("the dump says %+v", d.Stop)
	}
	found := line.FindStringSubmatch(out)
	for i, v := range d.Stop.Parameters {
		if say := fmt.Sprintf("%016X", v); found[i+2] != say {
			t.Errorf("parameter %d is %s on the screen, %s in the dump", i+1, found[i+2], say)
		}
	}
	analyzes(t, image, d, out)
}

// shell boots the shell with kernel options, gives it a command, and returns the console.
func shell(t *testing.T, m qemu.Machine, image, command string, options ...string) (console string, status int) {
	t.Helper()
	input, err := qemu.StdinOption([]byte(command + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	cmdline, err := qemu.Cmdline{Options: append(options, input, "dump=small")}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	status, err = m.Run(context.Background(), image, cmdline, qemu.Console{Out: &out, Err: &errs}, 5*time.Minute)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, &errs, &out)
	}
	return out.String(), status
}

// dumps are those of one architecture.
type dumps struct {
	mu  sync.Mutex
	all []crashed
}

func (d *dumps) add(c crashed) {
	d.mu.Lock()
	d.all = append(d.all, c)
	d.mu.Unlock()
}
