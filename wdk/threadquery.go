package wdk

import (
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
)

// KeQueryRuntimeThread returns the time that the thread has run in kernel mode,
// in clock ticks. That in user mode, at UserTime, is 0.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "KeQueryRuntimeThread function (wdm.h)"
func KeQueryRuntimeThread(Thread PKTHREAD, UserTime *ULONG) ULONG {
	atMostWith(irql.Passive, &aThread, unsafe.Pointer(Thread))
	mustReach(unsafe.Pointer(UserTime), unsafe.Sizeof(*UserTime))
	*UserTime = 0
	return ULONG(kernel.DurationOf(cyclesOf(Thread)) / 100 / kernel.TimeIncrement)
}

// KeQueryTotalCycleTimeThread returns the time that the thread has run, in ticks
// of the performance counter, and stores the counter at CycleTimeStamp.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeQueryTotalCycleTimeThread function (wdm.h)"
func KeQueryTotalCycleTimeThread(Thread PKTHREAD, CycleTimeStamp *ULONG64) ULONG64 {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	mustReach(unsafe.Pointer(CycleTimeStamp), unsafe.Sizeof(*CycleTimeStamp))
	n := cyclesOf(Thread)
	*CycleTimeStamp = ULONG64(KeQueryPerformanceCounter(nil))
	return n
}

func cyclesOf(t PKTHREAD) ULONG64 {
	a := kernel.Args{P: unsafe.Pointer(t)}
	kernel.Enter(queryCycles, &a)
	return ULONG64(a.R)
}

func queryCycles(a *kernel.Args) { a.R = uintptr((*kernel.Thread)(a.P).RunTime()) }

// PsGetThreadCreateTime returns the system time at which the thread was created.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "PsGetThreadCreateTime function (ntddk.h)"
func PsGetThreadCreateTime(Thread PETHREAD) LONGLONG {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	return Thread.CreateTime
}

// IoIsSystemThread reports whether a thread was made by PsCreateSystemThread.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoIsSystemThread function (ntifs.h)"
func IoIsSystemThread(Thread PETHREAD) BOOLEAN { return PsIsSystemThread(Thread) }

// KeBoostPriorityThread lifts the thread's priority by Increment above its base,
// until it decays. Real-time threads stay as they are.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeBoostPriorityThread(Thread PKTHREAD, Increment KPRIORITY) {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	a := kernel.Args{P: unsafe.Pointer(Thread), A: uintptr(min(max(Increment, 0), HIGH_PRIORITY))}
	kernel.Enter(boostThread, &a)
}

func boostThread(a *kernel.Args) { (*kernel.Thread)(a.P).Boost(int8(a.A)) }

// KeSetDisableBoostThread keeps the thread's priority from being lifted when its
// waits end, or allows that again, and reports whether it was disabled.
//
// It is not documented; this follows the ReactOS kernel.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeSetDisableBoostThread(Thread PKTHREAD, Disable BOOLEAN) BOOLEAN {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	a := kernel.Args{P: unsafe.Pointer(Thread), A: truth(Disable)}
	kernel.Enter(setNoBoost, &a)
	return a.R != 0
}

func setNoBoost(a *kernel.Args) { a.R = truth((*kernel.Thread)(a.P).SetNoBoost(a.A != 0)) }

// KeSetAffinityThread lets a thread run on a set of processors only and returns
// the set before. It returns before a thread that runs elsewhere has moved. While
// KeSetSystemAffinityThread is in force, the set is the one that the thread reverts
// to. An empty set, or one with processors that are not active, is bug check
// INVALID_AFFINITY_SET.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeSetAffinityThread(Thread PKTHREAD, Affinity KAFFINITY) KAFFINITY {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	if Affinity == 0 || Affinity&^KeQueryActiveProcessors() != 0 {
		bugcheck.Stop(bugcheck.InvalidAffinitySet, uintptr(Affinity), uintptr(unsafe.Pointer(Thread)), 0, 0)
	}
	a := kernel.Args{P: unsafe.Pointer(Thread), A: Affinity}
	enterAffinity(setThreadAffinity, &a)
	return a.R
}

func setThreadAffinity(a *kernel.Args) {
	a.R = uintptr((*kernel.Thread)(a.P).SetAffinity(uint32(a.A)) & kernel.ActiveProcessors())
}

// KeSetIdealProcessorThread has the thread queued on a processor first, if it may
// run there, and returns the one before. A processor that does not exist changes
// nothing.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeSetIdealProcessorThread function (ntifs.h)"
func KeSetIdealProcessorThread(Thread PKTHREAD, Processor UCHAR) UCHAR {
	atMostWith(irql.Dispatch, &aThread, unsafe.Pointer(Thread))
	a := kernel.Args{P: unsafe.Pointer(Thread), A: uintptr(Processor)}
	kernel.Enter(setIdeal, &a)
	return UCHAR(a.R)
}

func setIdeal(a *kernel.Args) { a.R = uintptr((*kernel.Thread)(a.P).SetIdeal(uint32(a.A))) }
