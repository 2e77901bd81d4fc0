package kernel

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/dpc"
)

// Essentials calls add for the memory that says what the processors do, for a dump
// with room for little more: their state, their threads, the unit of time, and the
// exception that stopped the machine.
//
// IRQL: HIGH_LEVEL, the other processors frozen
func Essentials(add func(va, n uintptr)) {
	add(uintptr(unsafe.Pointer(&processors)), unsafe.Sizeof(processors))
	for cpu := range arch.NumCPUs {
		for _, t := range [...]*Thread{processors[cpu].current, processors[cpu].idle} {
			if t != nil {
				header := uintptr(unsafe.Pointer(ObjectOf(unsafe.Pointer(t))))
				add(header, unsafe.Sizeof(ObjectHeader{})+unsafe.Sizeof(*t))
			}
		}
	}
	for _, word := range [...]*uint64{&counterBase, &perTick, &nsPerTick} {
		add(uintptr(unsafe.Pointer(word)), unsafe.Sizeof(*word))
	}
	add(uintptr(unsafe.Pointer(&lastException)), unsafe.Sizeof(lastException))
	dpc.Essentials(add)
}
