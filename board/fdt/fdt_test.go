package fdt

import (
	"encoding/binary"
	"slices"
	"testing"
	"unsafe"
)

// builder makes a flattened device tree.
type builder struct{ structs, strings []byte }

func (b *builder) cell(v ...uint32) {
	for _, w := range v {
		b.structs = binary.BigEndian.AppendUint32(b.structs, w)
	}
}

func (b *builder) pad() {
	for len(b.structs)%4 != 0 {
		b.structs = append(b.structs, 0)
	}
}

func (b *builder) begin(name string) {
	b.cell(beginNode)
	b.structs = append(append(b.structs, name...), 0)
	b.pad()
}

func (b *builder) prop(name string, data ...byte) {
	b.cell(property, uint32(len(data)), uint32(len(b.strings)))
	b.strings = append(append(b.strings, name...), 0)
	b.structs = append(b.structs, data...)
	b.pad()
}

func (b *builder) blob() []byte {
	b.cell(end)
	h := make([]byte, 40)
	binary.BigEndian.PutUint32(h[0:], magic)
	binary.BigEndian.PutUint32(h[8:], uint32(len(h)))
	binary.BigEndian.PutUint32(h[12:], uint32(len(h)+len(b.structs)))
	return slices.Concat(h, b.structs, b.strings)
}

func TestTree(t *testing.T) {
	const endNode, nop = 2, 4
	var b builder
	b.begin("")
	b.prop("compatible", []byte("linux,dummy-virt\x00")...)
	b.begin("memory@40000000")
	b.prop("reg", 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0)
	b.cell(endNode, nop)
	b.begin("chosen")
	b.prop("empty")
	b.prop("bootargs", []byte("seed=7\x00")...)
	b.cell(endNode, endNode)
	blob := b.blob()

	var tree Tree
	if !tree.Open(uintptr(unsafe.Pointer(&blob[0]))) {
		t.Fatal("not recognized")
	}
	type found struct {
		node, prop string
		size       uintptr
	}
	var got []found
	for tree.Next() {
		got = append(got, found{tree.Node, tree.Name, tree.Size})
		if tree.Name == "reg" && (Uint64(tree.Data) != 0x4000_0000 || Uint64(tree.Data+8) != 0x1_0000_0000) {
			t.Errorf("reg: %#x %#x", Uint64(tree.Data), Uint64(tree.Data+8))
		}
		if tree.Name == "bootargs" && String(tree.Data) != "seed=7" {
			t.Errorf("bootargs: %q", String(tree.Data))
		}
	}
	want := []found{
		{"", "compatible", 17},
		{"memory@40000000", "reg", 16},
		{"chosen", "empty", 0},
		{"chosen", "bootargs", 7},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	blob[0] = 0
	if tree.Open(uintptr(unsafe.Pointer(&blob[0]))) {
		t.Error("bad magic accepted")
	}
}

func TestIsUnit(t *testing.T) {
	for _, c := range []struct {
		node, name string
		want       bool
	}{
		{"cpu@0", "cpu", true},
		{"cpu-map", "cpu", false},
		{"cpus", "cpu", false},
		{"cpu", "cpu", false},
	} {
		tree := Tree{Node: c.node}
		if tree.IsUnit(c.name) != c.want {
			t.Errorf("node %q is a %q: not %v", c.node, c.name, c.want)
		}
	}
}
