package wdk

import (
	"irqlab/arch"
	"irqlab/board"
	"irqlab/kernel"
)

// KeQueryInterruptTime returns the time since boot in units of 100 ns.
//
// IRQL: any
func KeQueryInterruptTime() ULONGLONG { return kernel.InterruptTime() }

// KeQueryInterruptTimePrecise is KeQueryInterruptTime that also stores the
// performance counter.
//
// IRQL: any
func KeQueryInterruptTimePrecise(QpcTimeStamp *ULONG64) ULONG64 {
	*QpcTimeStamp = arch.Counter()
	return kernel.InterruptTime()
}

// KeQuerySystemTime stores the time since 1601-01-01 UTC in units of 100 ns.
//
// IRQL: any
func KeQuerySystemTime(CurrentTime PLARGE_INTEGER) { *CurrentTime = kernel.SystemTime() }

// KeQuerySystemTimePrecise is KeQuerySystemTime: all times here are precise.
//
// IRQL: any
func KeQuerySystemTimePrecise(CurrentTime PLARGE_INTEGER) { *CurrentTime = kernel.SystemTime() }

// KeQueryTickCount stores the number of clock ticks since boot.
//
// IRQL: any
func KeQueryTickCount(CurrentCount PLARGE_INTEGER) { *CurrentCount = int64(kernel.TickCount()) }

// KeQueryTimeIncrement returns the length of a clock tick in units of 100 ns.
//
// IRQL: any
func KeQueryTimeIncrement() ULONG { return kernel.TimeIncrement }

// KeQueryPerformanceCounter returns the performance counter, and stores its
// frequency in Hz at PerformanceFrequency, if that is not nil.
//
// IRQL: any
func KeQueryPerformanceCounter(PerformanceFrequency PLARGE_INTEGER) LARGE_INTEGER {
	if PerformanceFrequency != nil {
		*PerformanceFrequency = int64(board.CounterHz())
	}
	return int64(arch.Counter())
}

// KeStallExecutionProcessor spins for the given number of microseconds; keep it
// below 50.
//
// IRQL: any
func KeStallExecutionProcessor(MicroSeconds ULONG) {
	end := kernel.Nanotime() + uint64(MicroSeconds)*1000
	for kernel.Nanotime() < end {
		arch.Pause()
	}
}
