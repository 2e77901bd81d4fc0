package kd

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"time"

	"irqlab/dump"
)

// liveSystemDump is the code of dumps of machines that were not stopped ("Bug
// Check 0x161: LIVE_SYSTEM_DUMP").
const liveSystemDump = 0x161

// writeDump is .dump: what the kernel and the Go runtime have mapped, in the
// layout of package dump.
func (d *Debugger) writeDump(v *invocation) error {
	d.control() // a dump of a dump would lose what it holds
	words := v.fields()
	if len(words) != 1 {
		return errUsage
	}
	d.booted()
	notes := d.notes()
	ranges := d.mapped()
	f, err := os.OpenFile(words[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	size := uint64(0)
	err = guard(func() { size = d.writeCore(f, notes, ranges) })
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(words[0])
		return err
	}
	d.printf("%s: %d KiB of memory in %s\n", words[0], size>>10, count(int64(len(ranges)), "range"))
	return nil
}

// maxSegments is PN_XNUM: where e_phnum is no number any more.
const maxSegments = 0xffff

// writeCore writes the file and returns the size of the memory in it.
func (d *Debugger) writeCore(w io.Writer, notes []byte, ranges []mapping) uint64 {
	number := 1 + len(ranges)
	if number >= maxSegments {
		failf("memory in %d ranges is too much for an ELF file", len(ranges))
	}
	headers := uint64(dump.HeaderSize + number*dump.SegmentSize)
	offset := (headers + uint64(len(notes)) + dump.PageSize - 1) &^ (dump.PageSize - 1)
	machine := elf.EM_X86_64
	if d.image.machine.arch == ARM64 {
		machine = elf.EM_AARCH64
	}
	var b bytes.Buffer
	put := func(v any) { binary.Write(&b, binary.LittleEndian, v) }
	put(elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_CORE), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT),
		Phoff: dump.HeaderSize, Ehsize: dump.HeaderSize, Phentsize: dump.SegmentSize, Phnum: uint16(number),
	})
	put(elf.Prog64{Type: uint32(elf.PT_NOTE), Off: headers, Filesz: uint64(len(notes))})
	size := uint64(0)
	for _, r := range ranges {
		put(elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Off: offset + size,
			Vaddr: r.va, Paddr: r.pa, Filesz: r.size, Memsz: r.size, Align: dump.PageSize})
		size += r.size
	}
	b.Write(notes)
	b.Write(make([]byte, offset-uint64(b.Len())))
	write := func(b []byte) {
		if _, err := w.Write(b); err != nil {
			fail(err)
		}
	}
	write(b.Bytes())
	for _, r := range ranges {
		for at := uint64(0); at < r.size; at += dump.PageSize {
			write(d.bytes(r.va+at, dump.PageSize))
		}
	}
	return size
}

// mapping is a range of virtual addresses and the physical ones behind it.
type mapping struct{ va, pa, size uint64 }

// mapped returns what a dump holds: all that is mapped elsewhere than at its
// physical address, which is what package mm has handed out; the image's data;
// and the translation tables themselves.
func (d *Debugger) mapped() []mapping {
	var all []mapping
	add := func(va, pa, size uint64) {
		if n := len(all) - 1; n >= 0 && all[n].va+all[n].size == va && all[n].pa+all[n].size == pa {
			all[n].size += size
			return
		}
		all = append(all, mapping{va, pa, size})
	}
	for _, p := range d.image.loads {
		if p.Flags&elf.PF_W != 0 {
			low := p.Vaddr &^ (dump.PageSize - 1)
			add(low, low, (p.Vaddr+p.Memsz-low+dump.PageSize-1)&^(dump.PageSize-1))
		}
	}
	var tables []uint64
	b := d.pteBits()
	var walk func(table, va uint64, shift int)
	walk = func(table, va uint64, shift int) {
		tables = append(tables, table)
		entries := d.bytes(table, 512*8)
		for n := range uint64(512) {
			e := little(entries[n*8 : n*8+8])
			at := va | n<<shift
			if shift == 39 && d.image.machine.arch == AMD64 {
				at = uint64(int64(at<<16) >> 16)
			}
			switch {
			case e&b.present == 0:
			case shift == 12 || b.leaf(e):
				if pa := e & b.address; pa != at {
					add(at, pa, 1<<shift)
				}
			default:
				walk(e&b.address, at, shift-9)
			}
		}
	}
	root := d.rootTable()
	if root == 0 {
		failf("translation is off: the kernel has not started yet")
	}
	walk(root, 0, 39)
	for _, t := range tables {
		add(t, t, dump.PageSize)
	}
	return all
}

// notes returns the dump's notes: each processor's registers, that of the stop
// first, and the stop.
func (d *Debugger) notes() []byte {
	stop := d.stopNote()
	var b bytes.Buffer
	note := func(owner string, kind uint32, v any) {
		binary.Write(&b, binary.LittleEndian, []uint32{uint32(len(owner) + 1), uint32(binary.Size(v)), kind})
		b.WriteString(owner + "\x00")
		b.Write(make([]byte, -b.Len()&3))
		binary.Write(&b, binary.LittleEndian, v)
		b.Write(make([]byte, -b.Len()&3))
	}
	order := []int{int(stop.CPU)}
	for cpu := range int(stop.CPUs) {
		if cpu != order[0] {
			order = append(order, cpu)
		}
	}
	for _, cpu := range order {
		status := dump.Status{PID: int32(cpu) + 1}
		regs := d.registers(cpu)
		if d.image.machine.arch == ARM64 {
			r := dump.RegistersARM64{SP: regs["sp"], PC: regs["pc"], PState: regs["cpsr"]}
			for n := range r.X {
				r.X[n] = regs[fmt.Sprintf("x%d", n)]
			}
			note(dump.CoreOwner, dump.TypePRStatus, dump.PRStatusARM64{Status: status, Registers: r})
		} else {
			note(dump.CoreOwner, dump.TypePRStatus, dump.PRStatusAMD64{Status: status, Registers: registersAMD64(regs)})
		}
	}
	note(dump.Owner, dump.TypeStop, stop)
	return b.Bytes()
}

func registersAMD64(r Registers) dump.RegistersAMD64 {
	return dump.RegistersAMD64{
		R15: r["r15"], R14: r["r14"], R13: r["r13"], R12: r["r12"], BP: r["rbp"], BX: r["rbx"],
		R11: r["r11"], R10: r["r10"], R9: r["r9"], R8: r["r8"], AX: r["rax"], CX: r["rcx"], DX: r["rdx"], SI: r["rsi"], DI: r["rdi"],
		IP: r["rip"], CS: r["cs"], Flags: r["eflags"], SP: r["rsp"], SS: r["ss"],
		FSBase: r["fs_base"], GSBase: r["gs_base"], DS: r["ds"], ES: r["es"], FS: r["fs"], GS: r["gs"],
	}
}

func (d *Debugger) stopNote() dump.Stop {
	b, stopped := d.bugCheck()
	if !stopped {
		b = BugCheck{Code: liveSystemDump, CPU: d.cpu}
	}
	n := d.processorsOnline()
	s := dump.Stop{
		Version: dump.Version, Kind: dump.Active, Code: b.Code, CPU: uint32(b.CPU), Parameters: b.Parameters,
		CPUs: uint32(n), Answered: 1<<n - 1, Time: time.Now().Unix(), RootTable: d.rootTable(),
		ImageID: d.image.id(), Record: d.variable("bugcheck.LastStop").addr,
	}
	copy(s.Text[:], b.Text)
	for cpu := range n {
		level, _ := d.irqlOf(cpu)
		t := d.current(cpu)
		s.Processors[cpu] = dump.Processor{
			Block: d.variable("arch.CPUs").elem(cpu).addr, Thread: t.addr, IRQL: uint32(max(level, 0)), Frame: d.stopFrame(cpu),
		}
		if cpu == b.CPU {
			s.Thread, s.ThreadID = t.addr, uint32(t.id)
			copy(s.ThreadName[:], t.field("Name").bytes())
		}
	}
	for i, f := range d.stackOf(b.CPU) {
		if i == len(s.Trace) {
			break
		}
		s.Trace[i] = f.pc
		s.TraceCount++
	}
	return s
}

// id identifies the program, as package dump wants it.
func (i *Image) id() uint64 {
	text, ok1 := i.Symbol("runtime.text")
	end, ok2 := i.Symbol("runtime.etext")
	if !ok1 || !ok2 || end.Addr < text.Addr {
		return 0
	}
	b := make([]byte, (end.Addr-text.Addr)&^7)
	if !i.read(text.Addr, b) {
		return 0
	}
	return dump.ImageID(func(n int) uint64 { return binary.LittleEndian.Uint64(b[n*8:]) }, len(b)/8)
}
