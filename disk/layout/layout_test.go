package layout

import "testing"

func TestMake(t *testing.T) {
	for _, size := range []uint64{MinSize, MinSize + 512, 64 << 20, 1 << 40} {
		h := Make(size)
		if !h.Valid(size) {
			t.Errorf("%d bytes: %+v is not valid", size, h)
		}
		if h.Valid(size - 1) {
			t.Errorf("%d bytes: valid on a smaller disk", size)
		}
		if end := h.DumpFile.Offset + h.DumpFile.Size; end > size || end < size-2*PageSize || h.PageFile.Offset+h.PageFile.Size > h.DumpFile.Offset {
			t.Errorf("%d bytes: areas %+v %+v", size, h.PageFile, h.DumpFile)
		}
	}
}

func TestInvalid(t *testing.T) {
	good := Make(MinSize)
	for name, spoil := range map[string]func(*Header){
		"another magic":     func(h *Header) { h.Magic++ },
		"another version":   func(h *Header) { h.Version++ },
		"odd offset":        func(h *Header) { h.PageFile.Offset++ },
		"over the header":   func(h *Header) { h.PageFile.Offset = 0 },
		"beyond the end":    func(h *Header) { h.DumpFile.Size += 4 * PageSize },
		"a size that wraps": func(h *Header) { h.DumpFile.Size = -h.DumpFile.Offset &^ (PageSize - 1) },
		"no room":           func(h *Header) { h.PageFile.Size = PageSize },
	} {
		h := good
		if spoil(&h); h.Valid(MinSize) {
			t.Errorf("%s: valid", name)
		}
	}
}
