package crash

import (
	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/dump"
)

const machine = dump.MachineARM64

type (
	prStatus  = dump.PRStatusARM64
	registers = dump.RegistersARM64
)

func fromFrame(r *registers, f *arch.Frame) {
	*r = registers{X: f.X, SP: f.StackPointer, PC: f.IP, PState: f.PState}
}

// fromCaller sets what is known of who stopped the machine by a call, at that
// instruction: Go code keeps its frame pointer one word below its stack pointer, and
// the frame record of the function that it called has both its frame pointer and the
// return address (cmd/compile/abi-internal.md, "arm64 architecture").
func fromCaller(r *registers, t *bugcheck.Trace) {
	if i := t.Caller(); i >= 0 {
		fp := *(*uintptr)(pointer(t.FPs[i]))
		r.PC, r.SP, r.X[29] = uint64(bugcheck.CallBefore(t.PCs[i])), uint64(fp+8), uint64(fp)
	}
}

// complete has nothing to add.
func complete(*registers, *bugcheck.Record, uint32) {}
