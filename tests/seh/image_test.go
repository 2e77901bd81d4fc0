//go:build irqlab

package seh

import (
	"testing"
	"unsafe"

	"irqlab/arch"
	"irqlab/ntstatus"
	"irqlab/seh"
)

// How memory is accessed: ExceptionInformation[0] of an access violation.
const (
	reading = 0
	writing = 1
	calling = 8
)

// refused reports whether an access is a violation, and nothing else.
func refused(t *testing.T, how, va uintptr) bool {
	t.Helper()
	var got *seh.Exception
	seh.Try(func() { access(how, va) }, seh.Only(ntstatus.AccessViolation), func(x *seh.Exception) { got = x })
	if got != nil && [2]uintptr(got.Record.Information[:2]) != [2]uintptr{how, va} {
		t.Errorf("the violation at %#x is %+v", va, got.Record)
	}
	return got != nil
}

var read byte

//go:noinline
func access(how, va uintptr) {
	p := (*byte)(unsafe.Add(nowhere, va))
	switch how {
	case reading:
		read = *p
	case writing:
		read = *p
		*p = read
	case calling:
		code := &va
		(*(*func())(unsafe.Pointer(&code)))()
	}
}

// Text is read-execute, read-only data read-only, all other memory no-execute, and
// page 0 is not mapped. (Pool is in system space, where such an access is a stop.)
func TestImage(t *testing.T) {
	text, etext, rodata, erodata, data, end := arch.ImageBounds()
	var onStack uint64
	for _, r := range []struct {
		name        string
		lo, hi      uintptr // the bytes that begin and end it
		read, write bool
	}{
		{"page 0", 0, arch.PageSize - 1, false, false},
		{"text", text, etext - 1, true, false},
		{"read-only data", rodata, erodata - 1, true, false},
		{"data", data, end - 1, true, true},
		{"heap", address(new(uint64)), address(new(uint64)), true, true},
		{"stack", address(&onStack), address(&onStack), true, true},
	} {
		for _, va := range []uintptr{r.lo, r.hi} {
			if refused(t, reading, va) == r.read {
				t.Errorf("%s: reading at %#x: refused %v", r.name, va, r.read)
			}
			// What is written is what was there, so it must be read first.
			if r.read && refused(t, writing, va) == r.write {
				t.Errorf("%s: writing at %#x: refused %v", r.name, va, r.write)
			}
			if va &^= 15; r.name != "text" && !refused(t, calling, va) {
				t.Errorf("%s: code at %#x runs", r.name, va)
			}
		}
	}
}

func address(p *uint64) uintptr { return uintptr(unsafe.Pointer(p)) }
