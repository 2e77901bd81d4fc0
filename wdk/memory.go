package wdk

import (
	"math"
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
)

// RtlCopyMemory copies Length bytes from Source to Destination, which must not
// overlap. Neither holds pointers into the Go heap.
//
// IRQL: any
//
// Documentation: "RtlCopyMemory function (wdm.h)"
func RtlCopyMemory(Destination, Source PVOID, Length SIZE_T) {
	copy(span(Destination, Length), span(Source, Length))
}

// RtlZeroMemory clears Length bytes.
//
// IRQL: any
//
// Documentation: "RtlZeroMemory function (wdm.h)"
func RtlZeroMemory(Destination PVOID, Length SIZE_T) {
	clear(span(Destination, Length))
}

// span returns the n bytes at p, which a touch must not find missing for Go's
// reasons.
func span(p PVOID, n SIZE_T) []byte {
	if at := uintptr(p); n != 0 && (at == 0 || n > math.MaxInt || at+n < at) {
		fault(at, false)
	}
	return unsafe.Slice((*byte)(p), n)
}

// KeMemoryBarrier orders all accesses before it with all after it.
//
// IRQL: any
//
// Documentation: "KeMemoryBarrier function (wdm.h)"
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
//
// Documentation: "InterlockedExchangePointer function (wdm.h)"
func InterlockedExchangePointer(Target *PVOID, Value PVOID) PVOID {
	return PVOID(atomic.SwapUintptr((*uintptr)(unsafe.Pointer(Target)), uintptr(Value)))
}

// InterlockedCompareExchangePointer stores Exchange at Destination if Comparand is
// there, and returns what was there. Destination is not on the Go heap, nor does
// Exchange point there.
//
// IRQL: any
//
// Documentation: "InterlockedCompareExchangePointer function (wdm.h)"
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

// InterlockedCompareExchange128 stores ExchangeLow and ExchangeHigh at
// Destination, 16 bytes aligned to 16, if the 16 bytes at ComparandResult are
// there, and returns 1 if they were. What was there is at ComparandResult then.
//
// IRQL: any
//
// Documentation: "InterlockedCompareExchange128 function (wdm.h)"
func InterlockedCompareExchange128(Destination *LONG64, ExchangeHigh, ExchangeLow LONG64, ComparandResult *LONG64) UCHAR {
	if arch.CompareExchange128((*[2]uint64)(unsafe.Pointer(Destination)), uint64(ExchangeHigh), uint64(ExchangeLow),
		(*[2]uint64)(unsafe.Pointer(ComparandResult))) {
		return 1
	}
	return 0
}
