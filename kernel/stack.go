package kernel

import (
	"unsafe"

	"irqlab/bugcheck"
)

// Stack leaves a thread's back trace in trace, and reports whether there is a
// thread with that ID that does not run. Its stack stands still while the
// dispatcher lock is held; where it stands is where Switch left it, with a frame
// record on top.
//
// IRQL: <= DISPATCH_LEVEL
func Stack(id uint32, trace *bugcheck.Trace) bool {
	a := Args{P: unsafe.Pointer(trace), A: uintptr(id)}
	Enter(queryStack, &a)
	return a.R != 0
}

func queryStack(a *Args) {
	old := LockDispatcher()
	if t := Lookup(uint32(a.A)); t != nil && processors[t.CPU].current != t {
		(*bugcheck.Trace)(a.P).FromStack(t.Context.SP)
		a.R = 1
	}
	UnlockDispatcher(old)
}
