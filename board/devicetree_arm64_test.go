package board

import (
	"encoding/binary"
	"slices"
	"testing"
	"unsafe"
)

// treeBuilder makes a flattened device tree.
type treeBuilder struct{ structs, strings []byte }

func (b *treeBuilder) cell(v ...uint32) {
	for _, w := range v {
		b.structs = binary.BigEndian.AppendUint32(b.structs, w)
	}
}

func (b *treeBuilder) pad() {
	for len(b.structs)%4 != 0 {
		b.structs = append(b.structs, 0)
	}
}

func (b *treeBuilder) begin(name string) {
	b.cell(dtBeginNode)
	b.structs = append(append(b.structs, name...), 0)
	b.pad()
}

func (b *treeBuilder) prop(name string, data ...byte) {
	b.cell(dtProp, uint32(len(data)), uint32(len(b.strings)))
	b.strings = append(append(b.strings, name...), 0)
	b.structs = append(b.structs, data...)
	b.pad()
}

func (b *treeBuilder) blob() []byte {
	b.cell(dtEnd)
	h := make([]byte, 40)
	binary.BigEndian.PutUint32(h[0:], dtMagic)
	binary.BigEndian.PutUint32(h[8:], uint32(len(h)))
	binary.BigEndian.PutUint32(h[12:], uint32(len(h)+len(b.structs)))
	return slices.Concat(h, b.structs, b.strings)
}

func TestDeviceTree(t *testing.T) {
	const endNode, nop = 2, 4
	var b treeBuilder
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

	var tree deviceTree
	if !tree.open(uintptr(unsafe.Pointer(&blob[0]))) {
		t.Fatal("not recognized")
	}
	type found struct {
		node, prop string
		size       uintptr
	}
	var got []found
	for tree.property() {
		got = append(got, found{tree.node, tree.prop, tree.size})
		if tree.prop == "reg" && (be64(tree.data) != 0x4000_0000 || be64(tree.data+8) != 0x1_0000_0000) {
			t.Errorf("reg: %#x %#x", be64(tree.data), be64(tree.data+8))
		}
		if tree.prop == "bootargs" && text(tree.data) != "seed=7" {
			t.Errorf("bootargs: %q", text(tree.data))
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
	if tree.open(uintptr(unsafe.Pointer(&blob[0]))) {
		t.Error("bad magic accepted")
	}
}

func TestUnit(t *testing.T) {
	for _, c := range []struct {
		node, name string
		want       bool
	}{
		{"cpu@0", "cpu", true},
		{"cpu-map", "cpu", false},
		{"cpus", "cpu", false},
		{"cpu", "cpu", false},
	} {
		if unit(c.node, c.name) != c.want {
			t.Errorf("unit(%q, %q) is not %v", c.node, c.name, c.want)
		}
	}
}

func TestVectorLevels(t *testing.T) {
	lineLevels[200] = 7
	defer func() { lineLevels[200] = 0 }()
	for _, c := range []struct {
		v    Vector
		want uintptr
	}{{1, 1}, {2, 2}, {14, 14}, {15, 15}, {vectorClock, 13}, {firstLine + 200, 7}} {
		if got := c.v.Level(); got != c.want {
			t.Errorf("INTID %d has level %d, want %d", c.v, got, c.want)
		}
	}
	for level := uintptr(1); level <= levelHigh; level++ {
		if SoftVector(level).Level() != level {
			t.Errorf("software vector of level %d is %d", level, SoftVector(level))
		}
		if priority(level) >= priority(level-1) {
			t.Errorf("priority of level %d is not above that of %d", level, level-1)
		}
	}
}
