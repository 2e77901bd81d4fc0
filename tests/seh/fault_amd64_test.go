//go:build irqlab

package seh

import "irqlab/ntstatus"

func divide()

func init() {
	faults = append(faults, fault{"divide", divide, ntstatus.IntegerDivide})
}

// misaligned is what the processor makes of misalign.
const misaligned = ntstatus.AccessViolation
