//go:build irqlab

package disk

import (
	"bytes"
	"testing"
	"unsafe"

	"irqlab/arch"
	"irqlab/disk"
	"irqlab/disk/layout"
	"irqlab/irql"
	"irqlab/linux"
	"irqlab/mm"
	"irqlab/ntstatus"
	"irqlab/tests/kit"
)

// page returns n bytes of memory that the device can address.
func page(t *testing.T, n int) (pa uintptr, b []byte) {
	t.Helper()
	var ok bool
	kit.Kernel(func() { pa, ok = mm.AllocContiguous(n / arch.PageSize) })
	if !ok {
		t.Fatal("out of memory")
	}
	return pa, unsafe.Slice((*byte)(unsafe.Pointer(pa)), n)
}

// needDisk skips the test in a run that repeats, which has no disk unless it is
// given one.
func needDisk(t *testing.T) {
	t.Helper()
	if _, seeded := linux.Option("seed"); seeded && disk.Size() == 0 {
		t.Skip("a run that repeats has no disk")
	}
}

// header reads the disk's header.
func header(t *testing.T) *layout.Header {
	t.Helper()
	needDisk(t)
	pa, _ := page(t, arch.PageSize)
	if e := disk.Read(0, pa, layout.SectorSize); e != disk.OK {
		t.Fatal(e)
	}
	return (*layout.Header)(unsafe.Pointer(pa))
}

func TestHeader(t *testing.T) {
	needDisk(t)
	if disk.Size() == 0 {
		t.Fatal("there is no disk")
	}
	if h := header(t); !h.Valid(disk.Size()) {
		t.Errorf("%d bytes, header %+v", disk.Size(), h)
	}
}

// What is written is read back, from one sector to the largest request, at every
// level, and nothing beside it changes.
func TestReadWrite(t *testing.T) {
	base := header(t).DumpFile.Offset + layout.PageSize
	const size = disk.MaxTransfer
	from, out := page(t, size)
	to, in := page(t, size)
	for i := range out {
		out[i] = byte(i*7 + i>>9)
	}
	for n := uintptr(layout.SectorSize); n <= size; n *= 2 {
		if e := disk.Write(base, from, n); e != disk.OK {
			t.Fatal(e)
		}
		clear(in)
		if e := disk.Read(base, to, n); e != disk.OK {
			t.Fatal(e)
		}
		if !bytes.Equal(in[:n], out[:n]) || n < size && !bytes.Equal(in[n:2*n], make([]byte, n)) {
			t.Fatalf("%d bytes: read back differently", n)
		}
	}
	old := irql.Raise(irql.Dispatch)
	e := disk.Read(base, to, layout.PageSize)
	irql.Lower(old)
	if e != disk.OK {
		t.Error(e)
	}
	if e := disk.Flush(); e != disk.OK {
		t.Error(e)
	}
}

func TestErrors(t *testing.T) {
	needDisk(t)
	pa, _ := page(t, arch.PageSize)
	for name, c := range map[string]struct {
		offset uint64
		n      uintptr
		want   disk.Error
	}{
		"beyond the end":    {disk.Size(), layout.SectorSize, disk.Beyond},
		"across the end":    {disk.Size() - layout.SectorSize, 2 * layout.SectorSize, disk.Beyond},
		"an odd offset":     {1, layout.SectorSize, disk.Unsupported},
		"an odd size":       {0, 100, disk.Unsupported},
		"more than allowed": {0, disk.MaxTransfer + layout.SectorSize, disk.Unsupported},
	} {
		if e := disk.Read(c.offset, pa, c.n); e != c.want {
			t.Errorf("%s: %v", name, e)
		}
	}
}

// All processors use the disk at once, each its own part.
func TestContention(t *testing.T) {
	base := header(t).DumpFile.Offset + layout.PageSize
	var threads []*kit.Thread
	bad := make([]int, arch.NumCPUs)
	for cpu := range arch.NumCPUs {
		pa, b := page(t, arch.PageSize)
		at := base + uint64(cpu)*layout.PageSize
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			for round := range 20 {
				for i := range b {
					b[i] = byte(int(cpu)*50 + round)
				}
				e := disk.Write(at, pa, arch.PageSize)
				clear(b)
				if e != disk.OK || disk.Read(at, pa, arch.PageSize) != disk.OK || b[0] != byte(int(cpu)*50+round) || b[4095] != b[0] {
					bad[cpu]++
				}
			}
			return ntstatus.Success
		}, func() { kit.OnCPU(cpu) }))
	}
	for cpu, th := range threads {
		th.Join(t)
		if bad[cpu] != 0 {
			t.Errorf("CPU %d: %d of 20 rounds failed", cpu, bad[cpu])
		}
	}
}
