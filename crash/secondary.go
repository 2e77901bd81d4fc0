package crash

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/mm"
)

// Offer is a KBUGCHECK_SECONDARY_DUMP_DATA: a driver's callback puts data for the
// dump into the buffer, or names another one of its own.
type Offer struct {
	In        unsafe.Pointer
	InLength  uint32
	Maximum   uint32
	GUID      [16]byte
	Out       unsafe.Pointer
	OutLength uint32
}

// offerSize is the most data that one callback can add, in bytes.
const offerSize = 4096

const maxOffers = 8

var (
	offer       Offer
	offerBuffer [offerSize]byte
)

// added are the blocks that callbacks gave.
var added addedBlocks

// addedBlocks have their GUID in front each.
type addedBlocks struct {
	n      int
	used   uintptr
	blocks [maxOffers]struct{ at, size uintptr }
	bytes  [maxOffers * (guidSize + offerSize)]byte
}

const guidSize = 16

func prepareOffer() {
	offer = Offer{In: unsafe.Pointer(&offerBuffer), InLength: offerSize, Maximum: offerSize}
}

// takeOffer copies what a callback gave, if it can be read.
func takeOffer() {
	a := &added
	n := uintptr(offer.OutLength)
	from := uintptr(offer.Out)
	if n == 0 || n > offerSize || a.n == maxOffers || !mapped(from, n) {
		return
	}
	b := &a.blocks[a.n]
	b.at, b.size = a.used, guidSize+n
	copy(a.bytes[b.at:], offer.GUID[:])
	copy(a.bytes[b.at+guidSize:], unsafe.Slice((*byte)(offer.Out), n))
	a.used += (b.size + 7) &^ 7
	a.n++
}

// mapped reports whether memory can be read.
func mapped(va, n uintptr) bool {
	r, ok := mm.NextRun(va&^(arch.PageSize-1), va+n, false)
	return ok && r.Lo <= va && r.Hi >= va+n
}

// size returns the size of the notes with the blocks.
func (a *addedBlocks) size() uintptr {
	n := uintptr(0)
	for i := range a.n {
		n += noteSize(a.blocks[i].size)
	}
	return n
}
