package disk

import (
	"sync/atomic"
	"unsafe"
)

// queueSize is the number of descriptors: a power of two, and a request takes
// three.
const queueSize = 4

// Kinds of requests (5.2.6).
const (
	readRequest  = 0
	writeRequest = 1
	flushRequest = 4
)

// descriptor is struct virtq_desc (2.7.5).
type descriptor struct {
	address     uint64
	length      uint32
	flags, next uint16
}

const (
	descriptorNext  = 1
	descriptorWrite = 2 // by the device

	noInterrupt = 1 // of the available ring (2.7.7)
)

// shared is the page that the device and the driver share: a split virtqueue
// (2.7) and the parts of a request around its data (5.2.6). The device wants
// the tables aligned to 16, 2 and 4 bytes; an index has the flags in front, so
// that it shares a word with them.
type shared struct {
	descriptors [queueSize]descriptor
	available   struct {
		flags, index uint16
		ring         [queueSize]uint16
		_            [2]uint16
	}
	used struct {
		flags, index uint16
		ring         [queueSize]struct{ id, length uint32 }
	}
	status uint32 // its first byte
	header struct {
		kind, _ uint32
		sector  uint64
	}
}

// compose makes the descriptors of a request: header, data if there is any,
// status.
func (m *shared) compose(kind uint32, sector uint64, pa, n uintptr) {
	m.header.kind, m.header.sector = kind, sector
	atomic.StoreUint32(&m.status, 0xff)
	d := &m.descriptors
	at := func(p unsafe.Pointer) uint64 { return uint64(uintptr(p)) }
	d[0] = descriptor{at(unsafe.Pointer(&m.header)), uint32(unsafe.Sizeof(m.header)), descriptorNext, 1}
	last := 1
	if n > 0 {
		d[1] = descriptor{uint64(pa), uint32(n), descriptorNext, 2}
		if kind == readRequest {
			d[1].flags |= descriptorWrite
		}
		last = 2
	}
	d[last] = descriptor{at(unsafe.Pointer(&m.status)), 1, descriptorWrite, 0}
}

// The index of a ring is the upper half of the 32-bit word that begins with its
// flags; the driver writes only one of its own and reads only one of the
// device's, so a whole word may be stored and loaded.

func atomicStore16(index *uint16, v uint16) {
	word := (*uint32)(unsafe.Add(unsafe.Pointer(index), -2))
	atomic.StoreUint32(word, *word&0xffff|uint32(v)<<16)
}

func atomicLoad16(index *uint16) uint16 {
	return uint16(atomic.LoadUint32((*uint32)(unsafe.Add(unsafe.Pointer(index), -2))) >> 16)
}
