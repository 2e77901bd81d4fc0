package wdk

import (
	"sync/atomic"
	"unsafe"
)

// RtlCopyMemory copies Length bytes from Source to Destination, which must not
// overlap. Neither holds pointers into the Go heap.
//
// IRQL: any
func RtlCopyMemory(Destination, Source PVOID, Length SIZE_T) {
	copy(unsafe.Slice((*byte)(Destination), Length), unsafe.Slice((*byte)(Source), Length))
}

// RtlZeroMemory clears Length bytes.
//
// IRQL: any
func RtlZeroMemory(Destination PVOID, Length SIZE_T) {
	clear(unsafe.Slice((*byte)(Destination), Length))
}

// KeMemoryBarrier orders all accesses before it with all after it.
//
// IRQL: any
func KeMemoryBarrier() {
	// An exchange is a barrier on both architectures, as Go's memory model has
	// it: all atomic operations are in one order.
	atomic.SwapUint32(&barrier, 0)
}

var barrier uint32

// InterlockedExchangePointer stores Value at Target and returns what was there.
// Target is not on the Go heap, nor does Value point there.
//
// IRQL: any
func InterlockedExchangePointer(Target *PVOID, Value PVOID) PVOID {
	return PVOID(atomic.SwapUintptr((*uintptr)(unsafe.Pointer(Target)), uintptr(Value)))
}

// InterlockedCompareExchangePointer stores Exchange at Destination if Comparand is
// there, and returns what was there. Destination is not on the Go heap, nor does
// Exchange point there.
//
// IRQL: any
func InterlockedCompareExchangePointer(Destination *PVOID, Exchange, Comparand PVOID) PVOID {
	at := (*uintptr)(unsafe.Pointer(Destination))
	for {
		if atomic.CompareAndSwapUintptr(at, uintptr(Comparand), uintptr(Exchange)) {
			return Comparand
		}
		if old := atomic.LoadUintptr(at); old != uintptr(Comparand) {
			return PVOID(old)
		}
	}
}
