package kd

// memory reads the machine's memory, each block once while the machine stands
// still.
type memory struct {
	image  *Image
	target Target
	pages  map[uint64][]byte // nil for a block that cannot be read whole
}

const blockSize = 1024

// read fills b from addr.
func (m *memory) read(addr uint64, b []byte) error {
	for len(b) > 0 {
		base := addr &^ (blockSize - 1)
		n := int(min(uint64(len(b)), base+blockSize-addr))
		if block := m.block(base); block != nil {
			copy(b[:n], block[addr-base:])
		} else if err := m.direct(addr, b[:n]); err != nil {
			return &memoryError{addr, err}
		}
		addr += uint64(n)
		b = b[n:]
	}
	return nil
}

// block returns a block, or nil if not all of it can be read.
func (m *memory) block(base uint64) []byte {
	if b, ok := m.pages[base]; ok {
		return b
	}
	b := make([]byte, blockSize)
	if m.direct(base, b) != nil {
		b = nil
	}
	if m.pages == nil {
		m.pages = map[uint64][]byte{}
	}
	m.pages[base] = b
	return b
}

// direct reads without keeping anything. What cannot have changed comes from
// the image: a dump need not hold it, and a machine that has not begun to boot
// does not.
func (m *memory) direct(addr uint64, b []byte) error {
	if m.image.constant(addr) && m.image.read(addr, b) {
		return nil
	}
	return m.target.ReadMemory(addr, b)
}

// word reads a word, and reports whether it could.
func (m *memory) word(addr uint64) (uint64, bool) {
	var b [8]byte
	if m.read(addr, b[:]) != nil {
		return 0, false
	}
	return little(b[:]), true
}

// bytes reads n bytes or fails the command.
func (d *Debugger) bytes(addr uint64, n int) []byte {
	b := make([]byte, n)
	if err := d.memory.read(addr, b); err != nil {
		fail(err)
	}
	return b
}

func (d *Debugger) word(addr uint64) uint64 { return little(d.bytes(addr, 8)) }
