package crash

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/disk"
	"irqlab/disk/layout"
	"irqlab/dump"
	"irqlab/mm"
)

// plan is what a dump will look like.
type plan struct {
	kind     dump.Kind
	segments uintptr
	notes    uintptr // size in bytes
	front    uintptr // everything before memory, whole pages
	length   uintptr
}

// maxSegments is what an ELF header can count, less the notes (System V ABI,
// chapter 4, PN_XNUM).
const maxSegments = 0xffff - 2

func (p *plan) make(kind dump.Kind, r *bugcheck.Record) {
	*p = plan{kind: kind}
	memory := uintptr(0)
	c, s := cursor{kind: kind}, segment{}
	for p.segments < maxSegments && c.next(&s) {
		p.segments++
		if !s.shared {
			memory += s.size
		}
	}
	p.notes = statuses(r) + noteSize(unsafe.Sizeof(dump.Stop{})) + added.size()
	front := dump.HeaderSize + (1+p.segments)*dump.SegmentSize + p.notes
	p.front = (front + arch.PageSize - 1) &^ (arch.PageSize - 1)
	p.length = p.front + memory
}

// ownerSize is that of both owners' names, with their zero, padded.
const ownerSize = 8

func noteSize(content uintptr) uintptr { return dump.NoteOverhead + ownerSize + (content+3)&^3 }

// Write writes the dump of a stop, and says on the console what came of it.
//
// IRQL: HIGH_LEVEL, the other processors frozen
func Write(r *bugcheck.Record) {
	switch {
	case wanted == dump.None:
		return
	case disk.Size() == 0 || buffer == 0:
		refuse("there is no disk (irqlab run -disk FILE)", disk.OK)
		return
	case !disk.Seize():
		refuse("the disk does not start again", disk.OK)
		return
	}
	var h layout.Header
	var old layout.File
	if e := header(&h); e != disk.OK || !h.Valid(disk.Size()) {
		refuse("the disk is not one that irqlab made", e)
		return
	}
	if e := file(&h.PageFile, &old); e != disk.OK {
		refuse("the page file cannot be read", e)
		return
	}
	if old.Magic == layout.FileMagic && old.State == layout.Unread {
		refuse("the page file still holds the dump of an earlier stop, which is kept; fetch that (irqlab dump) and boot once", disk.OK)
		return
	}
	choose(r)
	bugcheck.CallReason(bugcheck.SecondaryData, unsafe.Pointer(&offer), uint32(unsafe.Sizeof(offer)), prepareOffer, takeOffer)
	var p plan
	if p.choose(uintptr(h.PageFile.Room()), r); p.length > uintptr(h.PageFile.Room()) {
		refuse("the page file is too small for this kind of dump", disk.OK)
		return
	}
	w := writer{at: h.PageFile.Offset + layout.PageSize}
	began := arch.Counter()
	w.front(&p, r)
	w.memory(&p)
	done := layout.File{Magic: layout.FileMagic, State: layout.Unread, Code: uint32(r.Code),
		Length: uint64(p.length), Time: board.WallClock(), Sequence: old.Sequence}
	// The disk may write in any order what it is told before a flush.
	if w.failure == disk.OK {
		w.failure = disk.Flush()
	}
	if w.failure == disk.OK {
		w.failure = setFile(&h.PageFile, &done)
	}
	if w.failure == disk.OK {
		w.failure = disk.Flush()
	}
	if w.failure != disk.OK {
		refuse("the disk fails", w.failure)
		return
	}
	bugcheck.Print("\nCrash dump: ")
	bugcheck.Print(p.kind.Name())
	bugcheck.Print(", ")
	bugcheck.PrintDecimal(p.length >> 10)
	bugcheck.Print(" KiB in ")
	bugcheck.PrintDecimal(uintptr((arch.Counter() - began) * 1000 / board.CounterHz()))
	bugcheck.Print(" ms, in the page file. Fetch it with irqlab dump.\n")
}

// choose plans the dump that was asked for, which may depend on the room there
// is.
func (p *plan) choose(room uintptr, r *bugcheck.Record) {
	if wanted != dump.Automatic {
		p.make(wanted, r)
		return
	}
	if p.make(dump.Kernel, r); p.length > room {
		p.make(dump.Small, r)
	}
}

func refuse(why string, e disk.Error) {
	bugcheck.Print("\nNo crash dump: ")
	bugcheck.Print(why)
	if e != disk.OK {
		bugcheck.Print(": ")
		bugcheck.Print(e.String())
	}
	bugcheck.Print(".\n")
}

// writer writes to the page file in order.
type writer struct {
	at      uint64  // on the disk, of what is in the buffer
	filled  uintptr // bytes of the buffer
	failure disk.Error
}

func (w *writer) write(pa, n uintptr) {
	if w.failure == disk.OK {
		w.failure = disk.Write(w.at, pa, n)
	}
	w.at += uint64(n)
}

// put adds bytes through the buffer.
func (w *writer) put(p unsafe.Pointer, n uintptr) {
	for n > 0 {
		k := min(n, bufferPages*arch.PageSize-w.filled)
		copy(unsafe.Slice((*byte)(pointer(buffer+w.filled)), k), unsafe.Slice((*byte)(p), k))
		w.filled += k
		p = unsafe.Add(p, k)
		n -= k
		if w.filled == bufferPages*arch.PageSize {
			w.write(buffer, w.filled)
			w.filled = 0
		}
	}
}

// pad fills the page up and empties the buffer.
func (w *writer) pad() {
	var zeros [64]byte
	for w.filled%arch.PageSize != 0 {
		w.put(unsafe.Pointer(&zeros), min(unsafe.Sizeof(zeros), arch.PageSize-w.filled%arch.PageSize))
	}
	if w.filled > 0 {
		w.write(buffer, w.filled)
		w.filled = 0
	}
}

// elfHeader is Elf64_Ehdr (System V ABI, chapter 4), programHeader Elf64_Phdr
// (chapter 5).
type elfHeader struct {
	ident             [16]byte
	kind, machine     uint16
	version           uint32
	entry             uint64
	phoff, shoff      uint64
	flags             uint32
	ehsize, phentsize uint16
	phnum, shentsize  uint16
	shnum, shstrndx   uint16
}

type programHeader struct {
	kind, flags          uint32
	offset, vaddr, paddr uint64
	filesz, memsz, align uint64
}

const (
	typeCore    = 4
	typeLoad    = 1
	typeNote    = 4
	flagsAll    = 7
	elfCurrent  = 1
	elf64Little = "\x7fELF\x02\x01\x01"
)

// front writes what comes before memory.
func (w *writer) front(p *plan, r *bugcheck.Record) {
	h := elfHeader{kind: typeCore, machine: machine, version: elfCurrent, phoff: dump.HeaderSize,
		ehsize: dump.HeaderSize, phentsize: dump.SegmentSize, phnum: uint16(1 + p.segments)}
	copy(h.ident[:], elf64Little)
	w.put(unsafe.Pointer(&h), unsafe.Sizeof(h))
	n := programHeader{kind: typeNote, offset: uint64(dump.HeaderSize + (1+p.segments)*dump.SegmentSize), filesz: uint64(p.notes), align: 4}
	w.put(unsafe.Pointer(&n), unsafe.Sizeof(n))
	at := uint64(p.front)
	c, s := cursor{kind: p.kind}, segment{}
	for i := uintptr(0); i < p.segments && c.next(&s); i++ {
		l := programHeader{kind: typeLoad, flags: flagsAll, offset: at, vaddr: uint64(s.va), paddr: uint64(s.pa),
			filesz: uint64(s.size), memsz: uint64(s.size), align: arch.PageSize}
		if s.shared {
			l.offset = uint64(p.front) + ramOffset(s.pa)
		} else {
			at += uint64(s.size)
		}
		w.put(unsafe.Pointer(&l), unsafe.Sizeof(l))
	}
	w.notes(p.kind, r)
	w.pad()
}

// ramOffset returns where a complete dump's memory has the byte at pa.
func ramOffset(pa uintptr) uint64 {
	at := uint64(0)
	for i := 0; ; i++ {
		lo, hi, ok := mm.RAM(i)
		if !ok || lo <= pa && pa < hi {
			return at + uint64(pa-lo)
		}
		at += uint64(hi - lo)
	}
}

// memory writes the pages.
func (w *writer) memory(p *plan) {
	c, s := cursor{kind: p.kind}, segment{}
	for i := uintptr(0); i < p.segments && c.next(&s); i++ {
		if s.shared {
			continue
		}
		for o := uintptr(0); o < s.size; o += disk.MaxTransfer {
			w.write(s.pa+o, min(s.size-o, disk.MaxTransfer))
		}
	}
}
