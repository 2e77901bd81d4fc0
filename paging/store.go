package paging

import (
	"math/bits"
	"unsafe"

	"irqlab/arch"
	"irqlab/disk"
	"irqlab/disk/layout"
	"irqlab/mm"
)

// store is the page file: places for pages, on the disk or in RAM. pagerGate
// guards it.
type store struct {
	onDisk bool
	offset uint64 // on the disk, of the first place
	places int
	next   int // to search from
	used   [mm.PagedPages / 64]uint64
	ram    [mm.PagedPages]uintptr // without a disk: the pages that stand in
}

// open finds the page file on the disk.
func (s *store) open() {
	s.places = mm.PagedPages
	var h layout.Header
	var f layout.File
	pa, ok := mm.AllocPage()
	if !ok {
		return
	}
	if disk.Read(0, pa, arch.PageSize) == disk.OK {
		h = *(*layout.Header)(unsafe.Pointer(pa))
	}
	if h.Valid(disk.Size()) && disk.Read(h.PageFile.Offset, pa, arch.PageSize) == disk.OK {
		f = *(*layout.File)(unsafe.Pointer(pa))
		if f.Magic == layout.FileMagic && f.State != layout.Unread {
			s.onDisk, s.offset = true, h.PageFile.Offset+layout.PageSize
			s.places = int(min(uint64(s.places), h.PageFile.Room()/layout.PageSize))
		}
	}
	mm.FreePage(pa)
}

// reserve finds a place for a page, or returns false.
func (s *store) reserve() (place int, ok bool) {
	for range len(s.used) + 1 {
		w := s.next / 64
		if free := ^s.used[w] >> (s.next % 64); free != 0 {
			place = s.next + bits.TrailingZeros64(free)
			if place < s.places {
				s.used[w] |= 1 << (place % 64)
				s.next = (place + 1) % mm.PagedPages
				return place, true
			}
		}
		s.next = (w + 1) % len(s.used) * 64
	}
	return 0, false
}

func (s *store) release(place int) {
	s.used[place/64] &^= 1 << (place % 64)
	if pa := s.ram[place]; pa != 0 {
		s.ram[place] = 0
		mm.FreePage(pa)
	}
}

// write puts the page of memory at pa in a place.
func (s *store) write(place int, pa uintptr) disk.Error {
	if s.onDisk {
		return disk.Write(s.offset+uint64(place)*layout.PageSize, pa, arch.PageSize)
	}
	to, ok := mm.AllocPage()
	if !ok {
		return disk.Beyond
	}
	copyPage(to, pa)
	s.ram[place] = to
	return disk.OK
}

// read gets the page in a place to the memory at pa.
func (s *store) read(place int, pa uintptr) disk.Error {
	if s.onDisk {
		return disk.Read(s.offset+uint64(place)*layout.PageSize, pa, arch.PageSize)
	}
	copyPage(pa, s.ram[place])
	return disk.OK
}

func copyPage(to, from uintptr) {
	*(*[arch.PageSize]byte)(unsafe.Pointer(to)) = *(*[arch.PageSize]byte)(unsafe.Pointer(from))
}
