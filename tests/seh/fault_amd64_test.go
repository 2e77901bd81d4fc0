//go:build irqlab

package seh

import (
	"strings"
	"unsafe"

	"irqlab/disasm"
	"irqlab/ntstatus"
)

func divide()

func init() {
	faults = append(faults, fault{"divide", divide, ntstatus.IntegerDivide})
}

// misaligned is what the processor makes of misalign.
const misaligned = ntstatus.AccessViolation

// call is how a call begins.
const call = "call "

// instruction shows the instruction at an address.
func instruction(at uintptr) string {
	var l disasm.Line
	disasm.AMD64(&l, unsafe.Slice((*byte)(unsafe.Pointer(at)), 15), uint64(at))
	return strings.Clone(l.String())
}
