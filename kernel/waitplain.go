package kernel

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/ntstatus"
)

// WaitPlainly is the common case of a wait, in kernel context or by Go code of a
// thread: nothing but the object has to be looked at, and nothing but the object
// ends it. It reports false, having done nothing, if the case is another.
//
// IRQL: <= DISPATCH_LEVEL
func (h *Header) WaitPlainly(timeout *int64, alertable bool, mode Mode) (ntstatus.Status, bool) {
	p, old := LockInKernel()
	if p == nil {
		return h.waitPlainlyFromGo(timeout, alertable, mode)
	}
	t := p.current
	if OnWait != nil || t.APCPending || old >= irql.Dispatch {
		t.unlockForWait(old)
		return 0, false
	}
	t.WaitIRQL = old
	if h.SignalState > 0 {
		s := h.take(t, 0)
		t.spend()
		UnlockDispatcher(old)
		return s, true
	}
	if timeout != nil || alertable || mode != KernelMode || h.Type == TypeMutant {
		UnlockDispatcher(old)
		return 0, false
	}
	t.waitFor(h, mode, false)
	s := p.block(t, old)
	return s, s != ntstatus.KernelAPC // that is to wait anew
}

// waitPlainlyFromGo is WaitPlainly for Go code of a thread.
func (h *Header) waitPlainlyFromGo(timeout *int64, alertable bool, mode Mode) (ntstatus.Status, bool) {
	t := Current()
	if timeout != nil || alertable || mode != KernelMode || OnWait != nil || t.Context.Attention != 0 || irql.Current() >= irql.Dispatch {
		return 0, false
	}
	signalled := h.State() > 0
	if h.Type == TypeMutant && (!t.Locked || !signalled) {
		return 0, false
	}
	a := Args{P: unsafe.Pointer(h)}
	if signalled {
		enter(takeForGo, &a)
	} else {
		enterBlocking(waitForGo, &a)
	}
	s := ntstatus.Status(a.R)
	return s, s != ntstatus.KernelAPC
}

// takeForGo takes the object a.P if it is signalled and nothing else has to be
// looked at. Otherwise the status is STATUS_KERNEL_APC.
func takeForGo(a *Args) {
	h := (*Header)(a.P)
	p, old := LockInKernel()
	s := ntstatus.KernelAPC
	if t := p.current; h.SignalState > 0 && !t.APCPending {
		t.WaitIRQL = old
		s = h.take(t, 0)
		t.spend()
	}
	UnlockDispatcher(old)
	a.R = uintptr(s)
}

// waitForGo is takeForGo that waits until the object is signalled.
func waitForGo(a *Args) {
	h := (*Header)(a.P)
	p, old := LockInKernel()
	t := p.current
	if h.SignalState > 0 || t.APCPending {
		UnlockDispatcher(old)
		takeForGo(a)
		return
	}
	t.waitFor(h, KernelMode, true)
	a.R = uintptr(p.block(t, old))
}

// unlockForWait undoes LockInKernel for a wait that follows, which may be the one
// that the lock was kept for.
func (t *Thread) unlockForWait(old irql.Level) {
	if t.WaitNext && old == irql.Dispatch {
		t.keepsLock = true
		return
	}
	UnlockDispatcher(old)
}
