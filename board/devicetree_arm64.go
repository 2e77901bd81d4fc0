package board

import "unsafe"

// deviceTree walks the tokens of a flattened device tree (Devicetree
// Specification v0.4, chapter 5). Properties come before child nodes, so the
// node entered last is the one a property belongs to.
type deviceTree struct {
	next    uintptr // of the structure block
	strings uintptr

	node string // name of the node entered last
	prop string // name of the property found last
	data uintptr
	size uintptr
}

const (
	dtMagic     = 0xd00dfeed
	dtBeginNode = 1
	dtProp      = 3
	dtEnd       = 9
)

// open prepares a walk of the tree at base.
func (t *deviceTree) open(base uintptr) bool {
	if be32(base) != dtMagic {
		return false
	}
	t.next = base + uintptr(be32(base+8))
	t.strings = base + uintptr(be32(base+12))
	return true
}

// property finds the next property of any node.
func (t *deviceTree) property() bool {
	for {
		token := be32(t.next)
		t.next += 4
		switch token {
		case dtBeginNode:
			t.node = text(t.next)
			t.next += (uintptr(len(t.node)) + 1 + 3) &^ 3
		case dtProp:
			t.size = uintptr(be32(t.next))
			t.prop = text(t.strings + uintptr(be32(t.next+4)))
			t.data = t.next + 8
			t.next = t.data + (t.size+3)&^3
			return true
		case dtEnd:
			return false
		}
	}
}

// be32 and be64 read a big-endian cell, or two; be64 as many as there are.
func be32(p uintptr) uint32 {
	b := (*[4]byte)(unsafe.Pointer(p))
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

func be64(p uintptr) uint64 { return uint64(be32(p))<<32 | uint64(be32(p+4)) }

// text returns the zero-terminated string at p.
func text(p uintptr) string {
	n := 0
	for *(*byte)(unsafe.Pointer(p + uintptr(n))) != 0 {
		n++
	}
	return unsafe.String((*byte)(unsafe.Pointer(p)), n)
}

// unit reports whether a node's name is name@something.
func unit(node, name string) bool {
	return len(node) > len(name) && node[:len(name)] == name && node[len(name)] == '@'
}
