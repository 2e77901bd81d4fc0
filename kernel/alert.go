package kernel

import (
	"irqlab/ntstatus"
)

// Alert ends the thread's wait if that is alertable and for a mode that the
// alert's reaches: a KernelMode alert ends any, a UserMode alert UserMode waits
// only. Otherwise it is remembered for the thread's next alertable wait
// (KeAlertThread). It reports whether an alert of that mode was remembered
// already. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func Alert(t *Thread, mode Mode) bool {
	old := LockDispatcher()
	a := &t.Alerted[mode&1]
	was := *a
	switch {
	case was:
	case t.State == StateWaiting && t.Alertable && mode <= t.WaitMode:
		t.unwait(ntstatus.Alerted, 0)
	default:
		*a = true
	}
	UnlockDispatcher(old)
	return was
}

// TestAlert returns whether an alert of the mode was remembered for the running
// thread, and forgets it (KeTestAlertThread). For UserMode without one it makes
// queued user APCs due. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func TestAlert(mode Mode) bool {
	old := LockDispatcher()
	t := Current()
	a := &t.Alerted[mode&1]
	was := *a
	*a = false
	if !was && mode == UserMode && !t.APCs[UserMode].Empty() {
		t.wantUserAPC()
	}
	UnlockDispatcher(old)
	return was
}

// alerted looks whether something ends the wait that the running thread is about
// to begin (apc-alert-before-user-apc). Dispatcher lock held.
func (t *Thread) alerted(alertable bool, mode Mode) (ntstatus.Status, bool) {
	switch {
	case !alertable:
		if mode == UserMode && t.UserAPCPending {
			return ntstatus.UserAPC, true
		}
		return 0, false
	case t.Alerted[mode&1]:
		t.Alerted[mode&1] = false
	case mode == UserMode && !t.APCs[UserMode].Empty():
		t.wantUserAPC()
		return ntstatus.UserAPC, true
	case t.Alerted[KernelMode]:
		t.Alerted[KernelMode] = false
	default:
		return 0, false
	}
	return ntstatus.Alerted, true
}
