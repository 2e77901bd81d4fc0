package load

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"irqlab/dump"
)

// core is a dump of one page, by hand.
func core(t *testing.T, machine uint16, stop *dump.Stop, registers any) []byte {
	t.Helper()
	var notes bytes.Buffer
	note := func(owner string, kind uint32, v any) {
		size := binary.Size(v)
		binary.Write(&notes, binary.LittleEndian, []uint32{uint32(len(owner) + 1), uint32(size), kind})
		notes.WriteString(owner + "\x00")
		notes.Write(make([]byte, -notes.Len()&3))
		binary.Write(&notes, binary.LittleEndian, v)
		notes.Write(make([]byte, -notes.Len()&3))
	}
	note(dump.CoreOwner, dump.TypePRStatus, registers)
	if stop != nil {
		note(dump.Owner, dump.TypeStop, stop)
	}
	const headers = dump.HeaderSize + 2*dump.SegmentSize
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: uint16(elf.ET_CORE), Machine: machine, Version: 1,
		Phoff: dump.HeaderSize, Ehsize: dump.HeaderSize, Phentsize: dump.SegmentSize, Phnum: 2,
	})
	binary.Write(&b, binary.LittleEndian, elf.Prog64{Type: uint32(elf.PT_NOTE), Off: headers, Filesz: uint64(notes.Len())})
	binary.Write(&b, binary.LittleEndian, elf.Prog64{Type: uint32(elf.PT_LOAD), Off: dump.PageSize,
		Vaddr: 0x7000, Paddr: 0x2000, Filesz: dump.PageSize, Memsz: dump.PageSize})
	b.Write(notes.Bytes())
	b.Write(make([]byte, dump.PageSize-b.Len()))
	for i := range dump.PageSize {
		b.WriteByte(byte(i))
	}
	return b.Bytes()
}

func TestSizes(t *testing.T) {
	for v, want := range map[any]int{dump.PRStatusAMD64{}: 336, dump.PRStatusARM64{}: 392, dump.Status{}: 112} {
		if n := binary.Size(v); n != want {
			t.Errorf("%T has %d bytes, want %d", v, n, want)
		}
	}
}

func TestRead(t *testing.T) {
	stop := dump.Stop{Version: dump.Version, Kind: dump.Small, Code: 0xE2, Parameters: [4]uint64{1, 2, 3, 4}}
	var regs dump.PRStatusAMD64
	regs.PID, regs.Registers.IP = 1, 0x201234
	d, err := Read(bytes.NewReader(core(t, dump.MachineAMD64, &stop, regs)))
	if err != nil {
		t.Fatal(err)
	}
	if d.Stop != stop || len(d.AMD64) != 1 || d.AMD64[0] != regs {
		t.Errorf("stop %+v, registers %+v", d.Stop, d.AMD64)
	}
	b := make([]byte, 4)
	if n, err := d.ReadAt(b, 0x7010); n != 4 || err != nil || b[0] != 0x10 {
		t.Errorf("virtual: %d %v %x", n, err, b)
	}
	if n, err := d.ReadPhysical(b, 0x2020); n != 4 || err != nil || b[0] != 0x20 {
		t.Errorf("physical: %d %v %x", n, err, b)
	}
	if n, err := d.ReadAt(b, 0x7ffe); n != 2 || err != ErrNotHeld {
		t.Errorf("beyond the end: %d %v", n, err)
	}
	if _, err := d.ReadAt(b, 0x6fff); err != ErrNotHeld {
		t.Errorf("before the start: %v", err)
	}
}

func TestReadErrors(t *testing.T) {
	whole := core(t, dump.MachineARM64, &dump.Stop{}, dump.PRStatusARM64{})
	for name, b := range map[string][]byte{
		"no ELF file":     []byte("hello"),
		"cut":             whole[:200],
		"of a program":    core(t, dump.MachineARM64, nil, dump.PRStatusARM64{}),
		"another machine": core(t, 243, &dump.Stop{}, dump.PRStatusARM64{}),
		"note too long":   append(append(bytes.Clone(whole[:dump.HeaderSize+2*dump.SegmentSize+4]), 0xff, 0xff, 0xff, 0x7f), whole[dump.HeaderSize+2*dump.SegmentSize+8:]...),
	} {
		if _, err := Read(bytes.NewReader(b)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Read(bytes.NewReader(whole)); err != nil {
		t.Error(err)
	}
}

func TestKinds(t *testing.T) {
	for k := dump.None; k <= dump.Automatic; k++ {
		if got, ok := dump.KindOf(k.Name()); !ok || got != k {
			t.Errorf("kind %d: %q", k, k.Name())
		}
	}
	if _, ok := dump.KindOf("huge"); ok {
		t.Error("an unknown name has a kind")
	}
}
