// Package layout is how irqlab uses a disk. There is no file system:
//
//	page 0             Header
//	Header.PageFile    an area: File, then the page file's pages
//	Header.DumpFile    an area: File, then a crash dump that was moved here
//
// The first page of an area is its File, which says what the rest holds. A crash
// dump is written to the page file, because that needs neither a file system nor
// memory, and moved to the dump file by the next boot, before anything is paged
// out there. The irqlab command makes such disks and fetches dumps from them.
//
// All numbers are little-endian.
package layout

const (
	// SectorSize is what a virtio block device counts in (VIRTIO 1.2, 5.2).
	SectorSize = 512
	PageSize   = 4096
)

// Magic begins the Header, FileMagic a File.
const (
	Magic     = 0x4B53_4944_4241_4C49 // "ILABDISK"
	FileMagic = 0x454C_4946_4241_4C49 // "ILABFILE"
	Version   = 1
)

// Area is a range of a disk, in bytes, page aligned.
type Area struct{ Offset, Size uint64 }

// Header is the first bytes of a disk.
type Header struct {
	Magic    uint64
	Version  uint32
	_        uint32
	Size     uint64 // of the disk in bytes
	PageFile Area
	DumpFile Area
}

// State says what an area holds.
type State uint32

const (
	Empty  State = iota // nothing of interest
	Unread              // a dump that nobody has fetched
	Read                // a dump that was fetched and may be overwritten
)

// File is the first bytes of an area.
type File struct {
	Magic    uint64
	State    State
	Code     uint32 // bug check code of the dump
	Length   uint64 // of the dump in bytes; it begins a page after File
	Time     int64  // of the stop, seconds since 1970
	Sequence uint64 // stops that this disk has seen before it
}

// Valid reports whether the header describes a disk of size bytes.
func (h *Header) Valid(size uint64) bool {
	return h.Magic == Magic && h.Version == Version && h.Size <= size && h.PageFile.valid(h.Size) && h.DumpFile.valid(h.Size)
}

func (a *Area) valid(size uint64) bool {
	return a.Offset >= PageSize && a.Offset%PageSize == 0 && a.Size%PageSize == 0 &&
		a.Size >= 2*PageSize && a.Offset <= size && a.Size <= size-a.Offset
}

// Room is how many bytes the area has behind its File.
func (a *Area) Room() uint64 { return a.Size - PageSize }

// Make returns the header of a disk of size bytes: a page file and a dump file
// of the same size. A disk has at least MinSize bytes.
func Make(size uint64) Header {
	area := (size - PageSize) / 2 &^ (PageSize - 1)
	return Header{
		Magic: Magic, Version: Version, Size: size,
		PageFile: Area{PageSize, area},
		DumpFile: Area{PageSize + area, area},
	}
}

// MinSize is the size in bytes of the smallest disk.
const MinSize = 1 << 20
