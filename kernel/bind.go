package kernel

import (
	"irqlab/irql"
	"irqlab/ntstatus"
)

// Bind says that the running thread's goroutine stays on it, so that what the
// thread owns is the goroutine's, and names it unless the name is empty. A system
// thread, which has a routine, starts as new: threads of the Go runtime are used
// again. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func Bind(routine uintptr, name string) {
	old := LockDispatcher()
	t := Current()
	t.Locked = true
	if name != "" {
		t.Name = [16]byte{}
		copy(t.Name[:], name)
	}
	if routine != 0 {
		t.System, t.Routine = true, routine
		t.BasePriority, t.Priority, t.LockBoost = DefaultPriority, DefaultPriority, false
		t.Quantum = quantumReset
		t.Affinity, t.UserAffinity, t.NoBoost = allProcessors, 0, false
		t.Alerted = [2]bool{}
		t.CreateTime = SystemTime()
	}
	UnlockDispatcher(old)
}

// Unbind undoes Bind for a thread that is not a system thread. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func Unbind() {
	old := LockDispatcher()
	t := Current()
	t.Locked = t.System
	UnlockDispatcher(old)
}

// PrepareExit checks that the running thread may end, and keeps the status that
// it will end with: Exit is called later, when its goroutine is gone. Kernel
// context.
//
// IRQL: PASSIVE_LEVEL
func PrepareExit(status ntstatus.Status) {
	irql.AssertAtMost(irql.Passive)
	t := Current()
	t.refuseCallout()
	t.refuseWork()
	t.refuseMutexes()
	t.closeAPCs()
	t.ExitStatus, t.Ending = status, true
}

// RunsLocked reports whether the running thread's goroutine stays on it.
//
// IRQL: any
func RunsLocked() bool { return Current().Locked }
