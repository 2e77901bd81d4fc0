// Package fdt walks a flattened device tree in memory (Devicetree Specification
// v0.4, chapter 5). It allocates nothing and trusts the tree.
package fdt

import "unsafe"

// Tree is a walk over the properties of all nodes. Properties come before child
// nodes, so the node entered last is the one a property belongs to.
type Tree struct {
	Node string  // name of the node
	Name string  // of the property
	Data uintptr // address of its value
	Size uintptr // in bytes

	next    uintptr // token of the structure block
	strings uintptr
}

const (
	magic     = 0xd00dfeed
	beginNode = 1
	property  = 3
	end       = 9
)

// Open starts a walk of the tree at base and reports whether there is one.
func (t *Tree) Open(base uintptr) bool {
	if Uint32(base) != magic {
		return false
	}
	*t = Tree{next: base + uintptr(Uint32(base+8)), strings: base + uintptr(Uint32(base+12))}
	return true
}

// Next goes to the next property and reports whether there is one.
func (t *Tree) Next() bool {
	for {
		token := Uint32(t.next)
		t.next += 4
		switch token {
		case beginNode:
			t.Node = String(t.next)
			t.next += (uintptr(len(t.Node)) + 1 + 3) &^ 3
		case property:
			t.Size = uintptr(Uint32(t.next))
			t.Name = String(t.strings + uintptr(Uint32(t.next+4)))
			t.Data = t.next + 8
			t.next = t.Data + (t.Size+3)&^3
			return true
		case end:
			return false
		}
	}
}

// IsUnit reports whether the node's name is name@something.
func (t *Tree) IsUnit(name string) bool {
	n := len(name)
	return len(t.Node) > n && t.Node[:n] == name && t.Node[n] == '@'
}

// Uint32 returns the big-endian cell at address p.
func Uint32(p uintptr) uint32 {
	b := (*[4]byte)(pointer(p))
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// Uint64 returns the two big-endian cells at address p.
func Uint64(p uintptr) uint64 { return uint64(Uint32(p))<<32 | uint64(Uint32(p+4)) }

// String returns the zero-terminated string at address p.
func String(p uintptr) string {
	n := 0
	for *(*byte)(pointer(p + uintptr(n))) != 0 {
		n++
	}
	return unsafe.String((*byte)(pointer(p)), n)
}

func pointer(p uintptr) unsafe.Pointer { return unsafe.Pointer(p) }
