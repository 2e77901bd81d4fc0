package pool

import "unsafe"

// unit is the granularity of blocks, and the alignment of what Alloc returns.
const unit = 16

// unitsPerPage is 256; a block's size in units fits a byte because no block is
// larger than maxUnits: a page that is free as a whole is not a block.
const (
	unitsPerPage = pageSize / unit
	minUnits     = 2 // header, and the links of a free block
	maxUnits     = unitsPerPage - minUnits
)

// header is a POOL_HEADER, in front of every block smaller than a page.
type header struct {
	previous uint8  // size in units of the block in front, 0 for the first of a page
	index    uint8  // of the pool: always 0
	size     uint8  // in units, the header included
	kind     uint8  // 0 while free
	tag      Tag    // of the last owner
	check    uint64 // slack in the low 16 bits, seal in the rest
}

const headerSize = unsafe.Sizeof(header{})

// inUse is the kind of an allocated block: POOL_TYPE NonPagedPool plus one, as
// the debugger's !pool expects.
const inUse = 1

// links are the first words of a free block's memory.
type links struct {
	next, prev *header
}

// slack is the number of bytes behind what the owner asked for.
func (b *header) slack() uintptr { return uintptr(b.check & 0xffff) }

// seal closes the header: any later change of it, or a copy of it elsewhere,
// shows.
func (b *header) seal(slack uintptr) { b.check = b.sum(slack) }

// sealed reports whether the header is as seal left it.
func (b *header) sealed() bool { return b.check == b.sum(b.slack()) }

func (b *header) sum(slack uintptr) uint64 {
	const odd = 0x9E3779B97F4A7C15 // 2^64 / golden ratio
	x := uint64(uintptr(unsafe.Pointer(b))) ^ uint64(slack)<<48 ^ b.word()*odd
	x ^= x >> 29
	return x*odd&^0xffff | uint64(slack)
}

// word returns the first half of the header, as bug checks report it.
func (b *header) word() uint64 { return *(*uint64)(unsafe.Pointer(b)) }

// data returns the address of the block's memory.
func (b *header) data() uintptr { return uintptr(unsafe.Pointer(b)) + headerSize }

// end returns the address behind the block.
func (b *header) end() uintptr { return uintptr(unsafe.Pointer(b)) + uintptr(b.size)*unit }

// bytes returns the size the owner asked for.
func (b *header) bytes() uintptr { return uintptr(b.size)*unit - headerSize - b.slack() }

// links returns the links of a free block.
func (b *header) links() *links { return (*links)(unsafe.Pointer(b.data())) }

// next returns the block behind b, or nil for the last of its page.
func (b *header) next() *header {
	if b.end()%pageSize == 0 {
		return nil
	}
	return at(b.end())
}

// front returns the block in front of b, or nil for the first of its page.
func (b *header) front() *header {
	if b.previous == 0 {
		return nil
	}
	return at(uintptr(unsafe.Pointer(b)) - uintptr(b.previous)*unit)
}

func at(addr uintptr) *header { return (*header)(unsafe.Pointer(addr)) }

// Patterns of checked mode. As an address each is non-canonical on x86-64 and
// outside both translation ranges on ARM64, so that following one faults.
const (
	freedByte = 0xF5 // memory in a free block
	freshByte = 0xCD // memory of AllocUninitialized
	slackByte = 0xFD // the bytes behind what the owner asked for
)

// fill sets the n bytes at addr.
func fill(addr, n uintptr, b byte) {
	s := unsafe.Slice((*byte)(unsafe.Pointer(addr)), n)
	for len(s) > 0 && uintptr(unsafe.Pointer(&s[0]))%8 != 0 {
		s[0] = b
		s = s[1:]
	}
	w := uint64(b) * 0x0101010101010101
	for ; len(s) >= 8; s = s[8:] {
		*(*uint64)(unsafe.Pointer(&s[0])) = w
	}
	for i := range s {
		s[i] = b
	}
}

// filled returns the address of the first of the n bytes at addr that is not b,
// or 0.
func filled(addr, n uintptr, b byte) uintptr {
	w := uint64(b) * 0x0101010101010101
	for i := uintptr(0); i < n; {
		p := unsafe.Pointer(addr + i)
		if (addr+i)%8 == 0 && n-i >= 8 && *(*uint64)(p) == w {
			i += 8
			continue
		}
		if *(*byte)(p) != b {
			return addr + i
		}
		i++
	}
	return 0
}
