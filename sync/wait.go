package sync

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
)

// Wait waits until the object is signalled and takes it, as its type has it
// (KeWaitForSingleObject). The timeout is in units of 100 ns, relative if
// negative and an absolute system time if positive; nil waits without limit,
// and 0 does not wait.
//
// It returns STATUS_SUCCESS, STATUS_TIMEOUT, STATUS_ABANDONED for an abandoned
// mutant, and STATUS_ALERTED or STATUS_USER_APC if the wait is alertable. It
// raises STATUS_MUTANT_LIMIT_EXCEEDED. A goroutine that is not locked to a
// system thread cannot own a mutex; trying raises STATUS_INVALID_THREAD.
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout
func Wait(h *kernel.Header, timeout *int64, alertable bool, mode kernel.Mode) ntstatus.Status {
	if s, ok := h.WaitPlainly(timeout, alertable, mode); ok {
		return s
	}
	return waitFully(h, timeout, alertable, mode)
}

//go:noinline
func waitFully(h *kernel.Header, timeout *int64, alertable bool, mode kernel.Mode) ntstatus.Status {
	return WaitMany(&h, 1, kernel.WaitAny, timeout, alertable, mode, nil)
}

// WaitMany waits for one or for all of the n objects whose addresses are at
// objects (KeWaitForMultipleObjects). Blocks is an array of n wait blocks in
// resident memory; without one, n is at most kernel.ThreadWaitObjects.
//
// WaitAny returns STATUS_WAIT_0 plus the index of the object it took, the
// lowest if there is a choice, STATUS_ABANDONED_WAIT_0 plus index if that is an
// abandoned mutant. WaitAll takes all or none, and returns STATUS_SUCCESS, or
// STATUS_ABANDONED if any was an abandoned mutant.
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout
func WaitMany(objects **kernel.Header, n int, typ kernel.WaitType, timeout *int64, alertable bool,
	mode kernel.Mode, blocks *kernel.WaitBlock) ntstatus.Status {
	w := waiting{objects: objects, n: n, typ: typ, timeout: timeout, alertable: alertable, mode: mode,
		blocks: uintptr(unsafe.Pointer(blocks))}
	var s ntstatus.Status
	if arch.InKernel() {
		s = w.wait(timeout, nil)
	} else {
		s = w.fromGo()
	}
	if s == ntstatus.MutantLimit || s == ntstatus.InvalidThread {
		kernel.RaiseStatus(s)
	}
	return s
}

// TryWaitMany is WaitMany that returns what WaitMany raises
// (NtWaitForMultipleObjects).
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout
func TryWaitMany(objects **kernel.Header, n int, typ kernel.WaitType, timeout *int64, alertable bool,
	mode kernel.Mode, blocks *kernel.WaitBlock) ntstatus.Status {
	w := waiting{objects: objects, n: n, typ: typ, timeout: timeout, alertable: alertable, mode: mode,
		blocks: uintptr(unsafe.Pointer(blocks))}
	if arch.InKernel() {
		return w.wait(timeout, nil)
	}
	return w.fromGo()
}

// waiting carries a wait into the kernel.
type waiting struct {
	objects   **kernel.Header
	n         int
	typ       kernel.WaitType
	timeout   *int64
	alertable bool
	mode      kernel.Mode
	blocks    uintptr // in resident memory; a word, or all of this would go to the heap
	rewait    kernel.Rewait
	status    ntstatus.Status
}

func (w *waiting) wait(timeout *int64, r *kernel.Rewait) ntstatus.Status {
	return kernel.WaitManyFromGo(w.objects, w.n, w.typ, timeout, w.alertable, w.mode,
		(*kernel.WaitBlock)(unsafe.Pointer(w.blocks)), r)
}

// fromGo waits on behalf of a goroutine.
func (w *waiting) fromGo() ntstatus.Status {
	t := kernel.Current()
	if !t.Locked && w.mutants() {
		return ntstatus.InvalidThread
	}
	a := kernel.Args{P: unsafe.Pointer(w)}
	if t.WaitNext {
		// The call before this one left the level raised and the dispatcher
		// locked.
		kernel.Enter(letGo, &a)
		kernel.EnterBlockingRaised(wait, &a)
		if w.status != ntstatus.KernelAPC {
			return w.status
		}
		return w.block(&a)
	}
	zero := w.timeout != nil && *w.timeout == 0
	if zero || irql.Current() < irql.Dispatch {
		if t.Context.Attention != 0 {
			kernel.Attend() // what is pending comes before the wait
		}
		if zero || w.promising() {
			kernel.Enter(try, &a)
			if zero || w.status != ntstatus.Timeout {
				return w.status
			}
		}
	}
	return w.block(&a)
}

// block waits, and begins anew as often as the wait is interrupted for something
// that EnterBlocking calls.
func (w *waiting) block(a *kernel.Args) ntstatus.Status {
	for {
		kernel.EnterBlocking(wait, a)
		if w.status != ntstatus.KernelAPC {
			return w.status
		}
	}
}

// noTime is a zero timeout.
var noTime int64

func letGo(*kernel.Args) { kernel.LetGo() }

func try(a *kernel.Args) {
	w := (*waiting)(a.P)
	if kernel.OnWait != nil && w.timeout == nil {
		w.announce()
	}
	w.status = w.wait(&noTime, nil)
}

// announce tells of the wait that the attempt is the beginning of: the kernel sees
// one that does not wait.
func (w *waiting) announce() {
	t := kernel.Current()
	only := !w.alertable && (w.n == 1 || w.typ == kernel.WaitAll)
	for i := range w.n {
		kernel.OnWait(t, w.object(i), only)
	}
}

func wait(a *kernel.Args) {
	w := (*waiting)(a.P)
	w.status = w.wait(w.timeout, &w.rewait)
}

// promising reports whether it is worth trying without giving up the P. A single
// object that is not signalled will hardly be so a moment later.
func (w *waiting) promising() bool {
	h := *w.objects
	return w.n != 1 || h.State() > 0 || h.Type == kernel.TypeMutant
}

// mutants reports whether any of the objects is one.
func (w *waiting) mutants() bool {
	for i := range w.n {
		if w.object(i).Type == kernel.TypeMutant {
			return true
		}
	}
	return false
}

func (w *waiting) object(i int) *kernel.Header {
	return *(**kernel.Header)(unsafe.Add(unsafe.Pointer(w.objects), i*int(unsafe.Sizeof(w.objects))))
}
