package ob

import (
	"unsafe"

	"irqlab/kernel"
)

// endMutant takes a mutant that is about to go from its owner.
func endMutant(body unsafe.Pointer) {
	a := kernel.Args{P: body}
	kernel.Enter(abandon, &a)
}

func abandon(a *kernel.Args) {
	old := kernel.LockDispatcher()
	(*kernel.Mutant)(a.P).Abandon()
	kernel.UnlockDispatcher(old)
}
