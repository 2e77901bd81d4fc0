package wdk

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/ipi"
	"irqlab/irql"
	"irqlab/kernel"
)

// PROCESSOR_NUMBER names a processor by group and number; there is one group.
type PROCESSOR_NUMBER struct {
	Group            USHORT
	Number, Reserved UCHAR
}

// ALL_PROCESSOR_GROUPS asks for processors of all groups.
const ALL_PROCESSOR_GROUPS USHORT = 0xFFFF

// KeGetCurrentProcessorNumber returns the running processor's number. It stays
// right only at DISPATCH_LEVEL and above.
//
// IRQL: any
//
// Documentation: "KeGetCurrentProcessorNumber function (ntddk.h)"
func KeGetCurrentProcessorNumber() ULONG { return arch.ThisCPU().ID }

// KeGetCurrentProcessorNumberEx is KeGetCurrentProcessorNumber that also stores
// the number in ProcNumber, if that is not nil.
//
// IRQL: any
//
// Documentation: "KeGetCurrentProcessorNumberEx function (wdm.h)"
func KeGetCurrentProcessorNumberEx(ProcNumber *PROCESSOR_NUMBER) ULONG {
	mayReach(unsafe.Pointer(ProcNumber), unsafe.Sizeof(*ProcNumber))
	n := arch.ThisCPU().ID
	if ProcNumber != nil {
		*ProcNumber = PROCESSOR_NUMBER{Number: UCHAR(n)}
	}
	return n
}

// KeQueryActiveProcessors returns the set of processors that run threads.
//
// IRQL: any
//
// Documentation: "KeQueryActiveProcessors function (wdm.h)"
func KeQueryActiveProcessors() KAFFINITY { return KAFFINITY(kernel.ActiveProcessors()) }

// KeQueryActiveProcessorCount returns how many processors run threads, and
// stores the set of them at ActiveProcessors, if that is not nil.
//
// IRQL: any
//
// Documentation: "KeQueryActiveProcessorCount function (wdm.h)"
func KeQueryActiveProcessorCount(ActiveProcessors *KAFFINITY) ULONG {
	mayReach(unsafe.Pointer(ActiveProcessors), unsafe.Sizeof(*ActiveProcessors))
	set := KeQueryActiveProcessors()
	if ActiveProcessors != nil {
		*ActiveProcessors = set
	}
	return ULONG(bits.OnesCount64(uint64(set)))
}

// KeQueryActiveProcessorCountEx is KeQueryActiveProcessorCount for a group.
//
// IRQL: any
//
// Documentation: "KeQueryActiveProcessorCountEx function (wdm.h)"
func KeQueryActiveProcessorCountEx(GroupNumber USHORT) ULONG {
	if GroupNumber != 0 && GroupNumber != ALL_PROCESSOR_GROUPS {
		return 0
	}
	return atomic.LoadUint32(&arch.NumCPUs)
}

// KeSetSystemAffinityThread restricts the running thread to a set of processors
// until KeRevertToUserAffinityThread. Below DISPATCH_LEVEL it is on one of them
// when the call returns. A set without an active processor changes nothing.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeSetSystemAffinityThread function (wdm.h)"
func KeSetSystemAffinityThread(Affinity KAFFINITY) { KeSetSystemAffinityThreadEx(Affinity) }

// KeSetSystemAffinityThreadEx is KeSetSystemAffinityThread that returns the set
// of the last call that has not been reverted, or 0.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeSetSystemAffinityThreadEx function (wdm.h)"
func KeSetSystemAffinityThreadEx(Affinity KAFFINITY) KAFFINITY {
	atMost(irql.Dispatch)
	a := kernel.Args{A: Affinity}
	enterAffinity(setAffinity, &a)
	return a.R
}

func setAffinity(a *kernel.Args) { a.R = uintptr(kernel.SetSystemAffinity(uint32(a.A))) }

// KeRevertToUserAffinityThread ends what KeSetSystemAffinityThread began.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: none of its own.
func KeRevertToUserAffinityThread() { KeRevertToUserAffinityThreadEx(0) }

// KeRevertToUserAffinityThreadEx goes back to the set that the matching
// KeSetSystemAffinityThreadEx returned; 0 is the thread's own.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeRevertToUserAffinityThreadEx function (wdm.h)"
func KeRevertToUserAffinityThreadEx(Affinity KAFFINITY) {
	atMost(irql.Dispatch)
	a := kernel.Args{A: Affinity}
	enterAffinity(revertAffinity, &a)
}

func revertAffinity(a *kernel.Args) { kernel.RevertAffinity(uint32(a.A)) }

// enterAffinity calls the kernel for something that may move the thread to
// another processor, and wait for one there.
func enterAffinity(fn func(*kernel.Args), a *kernel.Args) {
	if irql.Current() >= irql.Dispatch {
		kernel.Enter(fn, a)
	} else {
		kernel.EnterBlocking(fn, a)
	}
}

// broadcast carries a generic call to the processors.
type broadcast struct {
	routine PKIPI_BROADCAST_WORKER
	context ULONG_PTR
	result  ULONG_PTR
	caller  uint32
}

// KeIpiGenericCall runs BroadcastFunction at IPI_LEVEL on every processor, and
// returns what it returned on this one. The function is resident code.
//
// IRQL: < IPI_LEVEL
//
// Documentation: "KeIpiGenericCall function (wdm.h)"
func KeIpiGenericCall(BroadcastFunction PKIPI_BROADCAST_WORKER, Context ULONG_PTR) ULONG_PTR {
	atMost(irql.IPI - 1)
	mustCall(BroadcastFunction)
	b := broadcast{routine: BroadcastFunction, context: Context}
	a := kernel.Args{P: unsafe.Pointer(&b)}
	kernel.Enter(callAll, &a)
	return b.result
}

func callAll(a *kernel.Args) {
	old := irql.Current()
	if old < irql.Dispatch {
		irql.Set(irql.Dispatch)
	}
	(*broadcast)(a.P).caller = arch.ThisCPU().ID
	ipi.Call(callOne, uintptr(a.P))
	irql.Set(old)
}

func callOne(p uintptr) {
	b := (*broadcast)(unsafe.Pointer(p))
	r := b.routine(b.context)
	if arch.ThisCPU().ID == b.caller {
		b.result = r
	}
}
