package ipi

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
)

// levels are those that the last request interrupted.
var levels [arch.MaxCPUs]irql.Level

// Levels interrupts all processors to see their levels, for debuggers. That of
// the caller's own processor is the one in force. A processor at IPI_LEVEL or
// above answers when it has left that.
//
// IRQL: < IPI_LEVEL
func Levels() (l [arch.MaxCPUs]irql.Level) {
	if arch.InKernel() {
		look(unsafe.Pointer(&l))
	} else {
		arch.Gate(look, unsafe.Pointer(&l))
	}
	return l
}

func look(arg unsafe.Pointer) {
	l := (*[arch.MaxCPUs]irql.Level)(arg)
	old := irql.Current()
	irql.Set(max(old, irql.Dispatch))
	Broadcast(none, 0)
	*l = levels
	l[arch.ThisCPU().ID] = old
	irql.Set(old)
}

func none(uintptr) {}
