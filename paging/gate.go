package paging

import (
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/sync"
)

// gate is a lock for threads in kernel context: it keeps APCs out, so that none
// asks for it again on the same thread.
type gate struct {
	free sync.Event
}

func (g *gate) init() { g.free.InitSynchronization(true) }

// acquire waits for the gate and returns the level to give to release.
//
// IRQL: <= APC_LEVEL
func (g *gate) acquire() (old irql.Level) {
	old = raise()
	g.free.Header.Wait(nil, false, kernel.KernelMode)
	return old
}

// try is acquire if that need not wait.
func (g *gate) try() (old irql.Level, ok bool) {
	var noTime int64
	old = raise()
	if g.free.Header.Wait(&noTime, false, kernel.KernelMode) != 0 {
		irql.Set(old)
		return old, false
	}
	return old, true
}

func (g *gate) release(old irql.Level) {
	g.free.Set(0)
	irql.Set(old)
}

func raise() (old irql.Level) {
	old = irql.Current()
	if old < irql.APC {
		irql.Set(irql.APC)
	}
	return old
}
