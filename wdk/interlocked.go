package wdk

import "sync/atomic"

// InterlockedIncrement adds 1 and returns the new value.
//
// IRQL: any
//
// Documentation: "InterlockedIncrement function (wdm.h)"
func InterlockedIncrement(Addend PLONG) LONG { return atomic.AddInt32(Addend, 1) }

// InterlockedDecrement subtracts 1 and returns the new value.
//
// IRQL: any
//
// Documentation: "InterlockedDecrement function (wdm.h)"
func InterlockedDecrement(Addend PLONG) LONG { return atomic.AddInt32(Addend, -1) }

// InterlockedExchange stores Value and returns the old value.
//
// IRQL: any
//
// Documentation: "InterlockedExchange function (wdm.h)"
func InterlockedExchange(Target PLONG, Value LONG) LONG { return atomic.SwapInt32(Target, Value) }

// InterlockedExchangeAdd adds Value and returns the old value.
//
// IRQL: any
//
// Documentation: "InterlockedExchangeAdd function (wdm.h)"
func InterlockedExchangeAdd(Addend PLONG, Value LONG) LONG {
	return atomic.AddInt32(Addend, Value) - Value
}

// InterlockedCompareExchange stores Exchange if the value equals Comparand, and
// returns the old value.
//
// IRQL: any
//
// Documentation: "InterlockedCompareExchange function (wdm.h)"
func InterlockedCompareExchange(Destination PLONG, Exchange, Comparand LONG) LONG {
	for {
		if atomic.CompareAndSwapInt32(Destination, Comparand, Exchange) {
			return Comparand
		}
		if old := atomic.LoadInt32(Destination); old != Comparand {
			return old
		}
	}
}

// InterlockedAnd stores the bitwise AND with Value and returns the old value.
//
// IRQL: any
//
// Documentation: "InterlockedAnd function (wdm.h)"
func InterlockedAnd(Destination PLONG, Value LONG) LONG { return atomic.AndInt32(Destination, Value) }

// InterlockedOr stores the bitwise OR with Value and returns the old value.
//
// IRQL: any
//
// Documentation: "InterlockedOr function (wdm.h)"
func InterlockedOr(Destination PLONG, Value LONG) LONG { return atomic.OrInt32(Destination, Value) }

// InterlockedXor stores the bitwise XOR with Value and returns the old value.
//
// IRQL: any
//
// Documentation: "InterlockedXor function (wdm.h)"
func InterlockedXor(Destination PLONG, Value LONG) LONG {
	for {
		old := atomic.LoadInt32(Destination)
		if atomic.CompareAndSwapInt32(Destination, old, old^Value) {
			return old
		}
	}
}

// InterlockedIncrement64 adds 1 and returns the new value.
//
// IRQL: any
//
// Documentation: "InterlockedIncrement64 function (wdm.h)"
func InterlockedIncrement64(Addend *LONG64) LONG64 { return atomic.AddInt64(Addend, 1) }

// InterlockedDecrement64 subtracts 1 and returns the new value.
//
// IRQL: any
//
// Documentation: "InterlockedDecrement64 function (wdm.h)"
func InterlockedDecrement64(Addend *LONG64) LONG64 { return atomic.AddInt64(Addend, -1) }

// InterlockedExchange64 stores Value and returns the old value.
//
// IRQL: any
//
// Documentation: "InterlockedExchange64 function (wdm.h)"
func InterlockedExchange64(Target *LONG64, Value LONG64) LONG64 {
	return atomic.SwapInt64(Target, Value)
}

// InterlockedExchangeAdd64 adds Value and returns the old value.
//
// IRQL: any
//
// Documentation: "InterlockedExchangeAdd64 function (wdm.h)"
func InterlockedExchangeAdd64(Addend *LONG64, Value LONG64) LONG64 {
	return atomic.AddInt64(Addend, Value) - Value
}

// InterlockedCompareExchange64 stores ExChange if the value equals Comperand,
// and returns the old value.
//
// IRQL: any
//
// Documentation: "InterlockedCompareExchange64 function (wdm.h)"
func InterlockedCompareExchange64(Destination *LONG64, ExChange, Comperand LONG64) LONG64 {
	for {
		if atomic.CompareAndSwapInt64(Destination, Comperand, ExChange) {
			return Comperand
		}
		if old := atomic.LoadInt64(Destination); old != Comperand {
			return old
		}
	}
}

// InterlockedBitTestAndSet sets a bit and returns what it was.
//
// IRQL: any
//
// Documentation: "InterlockedBitTestAndSet function (wdm.h)"
func InterlockedBitTestAndSet(Base PLONG, Bit LONG) UCHAR {
	return bit(atomic.OrInt32(Base, 1<<uint(Bit&31)), Bit)
}

// InterlockedBitTestAndReset clears a bit and returns what it was.
//
// IRQL: any
//
// Documentation: "InterlockedBitTestAndReset function (wdm.h)"
func InterlockedBitTestAndReset(Base PLONG, Bit LONG) UCHAR {
	return bit(atomic.AndInt32(Base, ^(1<<uint(Bit&31))), Bit)
}

func bit(v, n LONG) UCHAR { return UCHAR(uint32(v) >> uint(n&31) & 1) }
