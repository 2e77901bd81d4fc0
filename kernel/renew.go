package kernel

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/pool"
)

// Renewed, if set, is told that the thread from has ended and its Go code goes on
// as the thread to. Dispatcher lock held.
var Renewed func(from, to *Thread)

// Renew ends the running thread, as Exit does, but not its Go code, which goes on
// as a thread of its own, with nothing of the old one but its kernel stack: a
// system thread's end need not be that of the M of the Go runtime that it was. It
// reports false, and has done nothing, if memory or thread slots have run out.
// Kernel context of Go code.
//
// IRQL: PASSIVE_LEVEL
func Renew(status ntstatus.Status) bool {
	irql.AssertAtMost(irql.Passive)
	o := (*threadObject)(pool.Alloc(unsafe.Sizeof(threadObject{}), threadTag))
	if o == nil {
		return false
	}
	t, n := Current(), &o.Thread
	n.init(t.Context.Stack.Lo, t.Context.Stack.Hi)
	n.Go = true
	n.Context.TLS = t.Context.TLS
	old := LockDispatcher()
	if !n.register() {
		UnlockDispatcher(old)
		pool.Free(unsafe.Pointer(o), threadTag)
		return false
	}
	ThreadObjects.Grow()
	UnlockDispatcher(old)
	t.refuseMutexes()
	t.closeAPCs()
	old = LockDispatcher()
	t.end(status)
	if Renewed != nil {
		Renewed(t, n)
	}
	p := this()
	n.State, n.CPU = StateRunning, p.id
	arch.DisableInterrupts()
	p.times.chargeDisabled(&n.Cycles)
	arch.EnableInterrupts()
	p.current = n
	n.Context.Attention = t.Context.Attention
	arch.Become(&n.Context)
	t.Dereference()
	UnlockDispatcher(old)
	return true
}
