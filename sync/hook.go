package sync

import (
	"irqlab/chance"
	"irqlab/kernel"
	"irqlab/sync/spin"
)

// Kind tells apart the locks that Hook is told of.
type Kind uint8

const (
	KindFastMutex Kind = iota + 1
	KindGuardedMutex
	KindPushLock
	KindResource
)

// watched says that the locks take their full paths: in checked mode, and under a
// seed, where every step is a schedule point. The short paths are for kernel
// context and a lock that is free.
func watched() bool { return Checked || chance.Enabled() }

// Hook, if not nil, is called in checked mode at each step of every lock of these
// kinds, on behalf of the thread that acquires or holds it, which is the running
// one but for resources released for another. It must be a top-level resident
// function.
//
// IRQL: <= DISPATCH_LEVEL
var Hook func(t *kernel.Thread, lock uintptr, k Kind, op spin.Op)

// tell passes a step of the lock at address on to Hook. It is not inlined: the
// locks' paths without checks are to stay short.
//
//go:noinline
func (k Kind) tell(t *kernel.Thread, lock uintptr, op spin.Op) {
	if Checked && Hook != nil {
		Hook(t, lock, k, op)
	}
}
