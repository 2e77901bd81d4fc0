//go:build irqlab

package seh

import "irqlab/ntstatus"

// misaligned is what the processor makes of misalign.
const misaligned = ntstatus.Misalignment
