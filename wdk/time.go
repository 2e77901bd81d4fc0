package wdk

import (
	"unsafe"

	"sync"
	"sync/atomic"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/irql"
	"irqlab/kernel"
)

// KeQueryInterruptTime returns the time since boot in units of 100 ns.
//
// IRQL: any
//
// Documentation: "KeQueryInterruptTime function (wdm.h)"
func KeQueryInterruptTime() ULONGLONG { return kernel.InterruptTime() }

// KeQueryInterruptTimePrecise is KeQueryInterruptTime that also stores the
// performance counter.
//
// IRQL: any
//
// Documentation: "KeQueryInterruptTimePrecise function (wdm.h)"
func KeQueryInterruptTimePrecise(QpcTimeStamp *ULONG64) ULONG64 {
	mustReach(unsafe.Pointer(QpcTimeStamp), unsafe.Sizeof(*QpcTimeStamp))
	*QpcTimeStamp = arch.Counter()
	return kernel.InterruptTime()
}

// KeQuerySystemTime stores the time since 1601-01-01 UTC in units of 100 ns.
//
// IRQL: any
//
// Documentation: "KeQuerySystemTime function (wdm.h)"
func KeQuerySystemTime(CurrentTime PLARGE_INTEGER) {
	mustReach(unsafe.Pointer(CurrentTime), unsafe.Sizeof(*CurrentTime))
	*CurrentTime = kernel.SystemTime()
}

// KeQuerySystemTimePrecise is KeQuerySystemTime: all times here are precise.
//
// IRQL: any
//
// Documentation: "KeQuerySystemTimePrecise function (wdm.h)"
func KeQuerySystemTimePrecise(CurrentTime PLARGE_INTEGER) {
	mustReach(unsafe.Pointer(CurrentTime), unsafe.Sizeof(*CurrentTime))
	*CurrentTime = kernel.SystemTime()
}

// KeQueryTickCount stores the number of clock ticks since boot.
//
// IRQL: any
//
// Documentation: "KeQueryTickCount function (wdm.h)"
func KeQueryTickCount(CurrentCount PLARGE_INTEGER) {
	mustReach(unsafe.Pointer(CurrentCount), unsafe.Sizeof(*CurrentCount))
	*CurrentCount = int64(kernel.TickCount())
}

// KeQueryTimeIncrement returns the length of a clock tick in units of 100 ns.
//
// IRQL: any
//
// Documentation: "KeQueryTimeIncrement function (wdm.h)"
func KeQueryTimeIncrement() ULONG { return kernel.TimeIncrement }

// KeQueryPerformanceCounter returns the performance counter, and stores its
// frequency in Hz at PerformanceFrequency, if that is not nil.
//
// IRQL: any
//
// Documentation: "KeQueryPerformanceCounter function (wdm.h)"
func KeQueryPerformanceCounter(PerformanceFrequency PLARGE_INTEGER) LARGE_INTEGER {
	mayReach(unsafe.Pointer(PerformanceFrequency), unsafe.Sizeof(*PerformanceFrequency))
	if PerformanceFrequency != nil {
		*PerformanceFrequency = int64(board.CounterHz())
	}
	return int64(arch.Counter())
}

// KeStallExecutionProcessor spins for the given number of microseconds; keep it
// below 50.
//
// IRQL: any
//
// Documentation: "KeStallExecutionProcessor function (wdm.h)"
func KeStallExecutionProcessor(MicroSeconds ULONG) {
	end := kernel.Nanotime() + uint64(MicroSeconds)*1000
	for kernel.Nanotime() < end {
		arch.Pause()
	}
}

// KeQueryUnbiasedInterruptTime returns the interrupt time without the time that
// the system slept, which it never does.
//
// IRQL: any
//
// Documentation: "KeQueryUnbiasedInterruptTime function (wdm.h)"
func KeQueryUnbiasedInterruptTime() ULONGLONG { return kernel.InterruptTime() }

// ExSystemTimeToLocalTime turns a system time, UTC, into local time.
//
// IRQL: any
//
// Documentation: "ExSystemTimeToLocalTime function (wdm.h)"
func ExSystemTimeToLocalTime(SystemTime, LocalTime PLARGE_INTEGER) {
	mustReach(unsafe.Pointer(SystemTime), unsafe.Sizeof(*SystemTime))
	mustReach(unsafe.Pointer(LocalTime), unsafe.Sizeof(*LocalTime))
	*LocalTime = *SystemTime - kernel.TimeZoneBias
}

// ExLocalTimeToSystemTime undoes ExSystemTimeToLocalTime.
//
// IRQL: any
//
// Documentation: "ExLocalTimeToSystemTime function (wdm.h)"
func ExLocalTimeToSystemTime(LocalTime, SystemTime PLARGE_INTEGER) {
	mustReach(unsafe.Pointer(LocalTime), unsafe.Sizeof(*LocalTime))
	mustReach(unsafe.Pointer(SystemTime), unsafe.Sizeof(*SystemTime))
	*SystemTime = *LocalTime + kernel.TimeZoneBias
}

// Bounds of the timer resolution, in 100 ns.
const (
	coarsestResolution = kernel.TimeIncrement
	finestResolution   = 5_000
)

// resolutions are the requests for a finer resolution: their number, and the
// finest of them.
var resolutions struct {
	sync.Mutex
	requests int
	finest   ULONG
}

// ExSetTimerResolution asks for a resolution of timers of DesiredTime, in units
// of 100 ns, or ends such a request if SetResolution is false, and returns the
// resolution in force. Here timers expire when due whatever it is: a driver gets
// what it asks for, and the clock's interrupts stay as they are.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "ExSetTimerResolution function (wdm.h)"
func ExSetTimerResolution(DesiredTime ULONG, SetResolution BOOLEAN) ULONG {
	atMost(irql.APC)
	resolutions.Lock()
	defer resolutions.Unlock()
	switch {
	case SetResolution:
		r := min(max(DesiredTime, finestResolution), coarsestResolution)
		if resolutions.requests == 0 || r < resolutions.finest {
			atomic.StoreUint32(&resolutions.finest, r)
		}
		resolutions.requests++
	case resolutions.requests > 0:
		if resolutions.requests--; resolutions.requests == 0 {
			atomic.StoreUint32(&resolutions.finest, 0)
		}
	}
	return resolution()
}

// resolution is the resolution in force.
func resolution() ULONG {
	if r := atomic.LoadUint32(&resolutions.finest); r != 0 {
		return r
	}
	return coarsestResolution
}

// ExQueryTimerResolution tells the coarsest and the finest resolution there is,
// and the one in force, in units of 100 ns.
//
// IRQL: any
//
// Documentation: "ExQueryTimerResolution function (wdm.h)"
func ExQueryTimerResolution(MaximumTime, MinimumTime, CurrentTime *ULONG) {
	mustReach(unsafe.Pointer(MaximumTime), unsafe.Sizeof(*MaximumTime))
	mustReach(unsafe.Pointer(MinimumTime), unsafe.Sizeof(*MinimumTime))
	mustReach(unsafe.Pointer(CurrentTime), unsafe.Sizeof(*CurrentTime))
	*MaximumTime, *MinimumTime, *CurrentTime = coarsestResolution, finestResolution, resolution()
}
