//go:build irqlab

package seh

import (
	"strings"
	"unsafe"

	"irqlab/disasm"
	"irqlab/ntstatus"
)

// misaligned is what the processor makes of misalign.
const misaligned = ntstatus.Misalignment

// call is how a call begins: bl, or blr.
const call = "bl"

// instruction shows the instruction at an address.
func instruction(at uintptr) string {
	var l disasm.Line
	if at%4 == 0 {
		disasm.ARM64(&l, *(*uint32)(unsafe.Pointer(at)), uint64(at))
	}
	return strings.Clone(l.String())
}
