// Package crash writes the crash dump of a stopped machine into the page file of
// its disk, and moves it from there to the dump file at the next boot; see
// packages dump and disk/layout for what is written where.
//
// Write runs at HIGH_LEVEL with interrupts disabled and every other processor
// frozen, whatever they were in the middle of. It takes no lock, allocates
// nothing, and reads the translation tables itself, so that damaged ones only
// cost it what they map. A fault on the way ends the machine, with the stop
// screen on the console already.
package crash

import (
	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/disk"
	"irqlab/disk/layout"
	"irqlab/dump"
	"irqlab/mm"
)

// wanted is the kind of dump that a stop writes.
var wanted = dump.Automatic

// bufferPages is the memory kept for what is written or moved piecemeal.
const bufferPages = 16

var buffer uintptr // its address; 0 without a disk

// Init prepares for the stop of the machine: it sets the kind of dump, and moves
// the dump of the last run out of the page file, so that this may be used. Once,
// after disk.Init.
//
// IRQL: <= DISPATCH_LEVEL
func Init(kind dump.Kind) {
	wanted = kind
	if disk.Size() == 0 {
		return
	}
	pa, ok := mm.AllocContiguous(bufferPages)
	if !ok {
		return
	}
	buffer = pa
	move()
}

// header reads the disk's header to the buffer.
func header(h *layout.Header) disk.Error {
	e := disk.Read(0, buffer, layout.PageSize)
	*h = *(*layout.Header)(pointer(buffer))
	return e
}

// file reads an area's first page to the buffer.
func file(a *layout.Area, f *layout.File) disk.Error {
	e := disk.Read(a.Offset, buffer, layout.PageSize)
	*f = *(*layout.File)(pointer(buffer))
	return e
}

// setFile writes an area's first page.
func setFile(a *layout.Area, f *layout.File) disk.Error {
	*(*[arch.PageSize]byte)(pointer(buffer)) = [arch.PageSize]byte{}
	*(*layout.File)(pointer(buffer)) = *f
	return disk.Write(a.Offset, buffer, layout.PageSize)
}

// move moves a dump from the page file to the dump file, unless that holds one
// that nobody has fetched.
func move() {
	var h layout.Header
	var from, to layout.File
	if header(&h) != disk.OK || !h.Valid(disk.Size()) {
		report("the disk is not one that irqlab made; there will be no dump on it", disk.OK)
		return
	}
	if e := file(&h.PageFile, &from); e != disk.OK {
		report("the page file cannot be read", e)
		return
	}
	if from.Magic != layout.FileMagic || from.State != layout.Unread || from.Length > h.PageFile.Room() {
		return
	}
	e := file(&h.DumpFile, &to)
	switch {
	case e != disk.OK:
		report("the dump file cannot be read", e)
		return
	case to.Magic == layout.FileMagic && to.State == layout.Unread:
		report("the dump of the last stop stays in the page file: nobody has fetched the one before (irqlab dump)", disk.OK)
		return
	case from.Length > h.DumpFile.Room():
		report("the dump of the last stop stays in the page file: the dump file is too small", disk.OK)
		return
	}
	if e = carry(&h, &from); e != disk.OK {
		report("the dump of the last stop stays in the page file", e)
		return
	}
	bugcheck.Print("irqlab: the last run stopped with ")
	bugcheck.PrintHex(uintptr(from.Code), 8)
	bugcheck.Print("; its dump is in the dump file, ")
	bugcheck.PrintDecimal(uintptr(from.Length >> 10))
	bugcheck.Print(" KiB (irqlab dump)\n")
}

// carry copies the dump, and only then says so on the disk: whenever that is
// interrupted, there is one whole dump.
func carry(h *layout.Header, f *layout.File) disk.Error {
	for at := uint64(0); at < f.Length; {
		n := min(f.Length-at, bufferPages*arch.PageSize)
		n = (n + layout.SectorSize - 1) &^ (layout.SectorSize - 1)
		if e := disk.Read(h.PageFile.Offset+layout.PageSize+at, buffer, uintptr(n)); e != disk.OK {
			return e
		}
		if e := disk.Write(h.DumpFile.Offset+layout.PageSize+at, buffer, uintptr(n)); e != disk.OK {
			return e
		}
		at += n
	}
	if e := disk.Flush(); e != disk.OK {
		return e
	}
	if e := setFile(&h.DumpFile, f); e != disk.OK {
		return e
	}
	if e := disk.Flush(); e != disk.OK {
		return e
	}
	moved := *f
	moved.State, moved.Length = layout.Empty, 0
	moved.Sequence++
	return setFile(&h.PageFile, &moved)
}

// report says on the console why there is no dump, or none where it should be.
func report(what string, e disk.Error) {
	bugcheck.Print("irqlab: ")
	bugcheck.Print(what)
	if e != disk.OK {
		bugcheck.Print(": ")
		bugcheck.Print(e.String())
	}
	bugcheck.Print("\n")
}
