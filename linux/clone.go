package linux

import (
	"irqlab/arch"
	"irqlab/kernel"
)

// Flags of clone(2). A thread shares everything with its creator; the runtime
// asks for just that (runtime/os_linux.go, cloneFlags).
const (
	cloneVM      = 0x100
	cloneFS      = 0x200
	cloneFiles   = 0x400
	cloneSighand = 0x800
	cloneThread  = 0x10000
	cloneSysVSem = 0x40000
	cloneSetTLS  = 0x80000

	cloneNeeded  = cloneVM | cloneFS | cloneFiles | cloneSighand | cloneThread
	cloneAllowed = cloneNeeded | cloneSysVSem | cloneSetTLS
)

// clone makes a thread that resumes where its creator does, with result 0, on a
// stack of its own.
func clone(f *arch.Frame, s *state, a *[6]uintptr) uintptr {
	flags, sp, tls := a[0], a[1], a[cloneTLS]
	if flags&cloneNeeded != cloneNeeded || flags&^cloneAllowed != 0 || sp == 0 {
		return eINVAL.result()
	}
	child := *f
	child.StackPointer = uint64(sp)
	child.SetResult(0)
	t, ok := kernel.NewGoThread(&child)
	if !ok {
		return eAGAIN.result()
	}
	t.Context.TLS = s.thread().Context.TLS
	if flags&cloneSetTLS != 0 {
		t.Context.TLS = tls
	}
	t.Name = threadName
	n := initState(t, s.mask)
	n.assign()
	id := n.tid // it may end before we return
	kernel.ReadyBoosted(t, wakeBoost)
	return uintptr(id)
}

// threadName is the name of a thread of the runtime until a program gives it
// another.
var threadName = [16]byte{'G', 'o', ' ', 'M'}

// exit ends the calling thread (exit(2), not the process).
func exit(s *state) {
	if p := s.clearTID; p != 0 && writable(p, 4) {
		*(*uint32)(pointer(p)) = 0
		wakeFutex(p, 1)
	}
	s.retire()
	kernel.Exit(exitStatus)
}
