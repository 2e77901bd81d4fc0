package kernel

import (
	"irqlab/irql"
	"irqlab/ntstatus"
)

// Delay puts the running thread to sleep (KeDelayExecutionThread). A zero
// interval passes the processor to a ready thread of the same priority. A delay
// that elapses is a success, and never ends early. Kernel context.
//
// IRQL: <= APC_LEVEL
func Delay(interval int64, alertable bool, mode Mode) ntstatus.Status {
	return DelayFromGo(interval, alertable, mode, nil)
}

// DelayFromGo is Delay on behalf of Go code; see WaitManyFromGo.
//
// IRQL: <= APC_LEVEL
func DelayFromGo(interval int64, alertable bool, mode Mode, r *Rewait) ntstatus.Status {
	t := Current()
	if irql.Current() >= irql.Dispatch {
		refuse(t)
	}
	var due uint64
	if r != nil && r.begun {
		due = r.due
	} else {
		due = dueTime(interval)
	}
	for {
		old := LockDispatcher()
		switch t.apcsFirst(old, r != nil) {
		case waitAnew:
			continue
		case leaveWait:
			r.due, r.begun = due, true
			return ntstatus.KernelAPC
		}
		if s, ok := t.alerted(alertable, mode); ok {
			UnlockDispatcher(old)
			return s
		}
		if due <= InterruptTime() {
			this().rotate()
			UnlockDispatcher(old)
			return ntstatus.Success
		}
		t.Alertable, t.WaitMode = alertable, mode
		t.waitNormal = r != nil
		switch s := t.blockUntil(due, old); s {
		case ntstatus.Timeout:
			return ntstatus.Success
		case ntstatus.KernelAPC:
		default:
			return s
		}
	}
}

// Yield passes the processor to any other ready thread that may run here, even
// one of lower priority (NtYieldExecution). Kernel context.
//
// IRQL: <= APC_LEVEL
func Yield() ntstatus.Status {
	if !AnyReady() {
		return ntstatus.NoYieldPerformed
	}
	old := LockDispatcher()
	p := this()
	t := p.current
	s := ntstatus.NoYieldPerformed
	if n := p.next(1); n != nil {
		t.Quantum = quantumReset
		t.decay()
		makeReady(t, false)
		p.switchTo(n)
		s = ntstatus.Success
	}
	UnlockDispatcher(old)
	return s
}
