package crash

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/dump"
)

const machine = dump.MachineAMD64

type (
	prStatus  = dump.PRStatusAMD64
	registers = dump.RegistersAMD64
)

// noSystemCall is the value of OrigAX outside one.
const noSystemCall = ^uint64(0)

func fromFrame(r *registers, f *arch.Frame) {
	*r = registers{
		R15: f.R15, R14: f.R14, R13: f.R13, R12: f.R12, BP: f.BP, BX: f.BX,
		R11: f.R11, R10: f.R10, R9: f.R9, R8: f.R8,
		AX: f.AX, CX: f.CX, DX: f.DX, SI: f.SI, DI: f.DI,
		IP: f.IP, CS: f.CS, Flags: f.Flags, SP: f.StackPointer, SS: f.SS,
	}
}

// fromCaller sets what is known of who stopped the machine by a call, at that
// instruction: the frame record has its return address, and the stack pointer was
// behind it.
func fromCaller(r *registers, t *bugcheck.Trace) {
	if i := t.Caller(); i >= 0 {
		fp := t.FPs[i]
		*r = registers{
			IP: uint64(bugcheck.CallBefore(t.PCs[i])), SP: uint64(fp + 16), BP: *(*uint64)(pointer(fp)),
		}
	}
}

// complete adds what frames do not hold.
func complete(r *registers, rec *bugcheck.Record, cpu uint32) {
	r.OrigAX = noSystemCall
	r.GSBase = uint64(uintptr(unsafe.Pointer(&arch.CPUs[cpu])))
	if c := rec.Threads[cpu]; c != nil {
		r.FSBase = uint64(c.TLS)
	}
}
