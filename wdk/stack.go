package wdk

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
)

// PEXPAND_STACK_CALLOUT is what KeExpandKernelStackAndCallout calls.
//
// IRQL: <= DISPATCH_LEVEL
type PEXPAND_STACK_CALLOUT = func(Parameter PVOID)

// MAXIMUM_EXPANSION_SIZE is the largest stack that can be asked for, in bytes
// (KERNEL_LARGE_STACK_SIZE less half a page).
const MAXIMUM_EXPANSION_SIZE SIZE_T = 0x12000 - 0x1000/2

// raisedStack is the stack that Go code has at DISPATCH_LEVEL, where it can't
// grow, less what the calls up to here may have used.
const raisedStack SIZE_T = 8 << 10

// KeExpandKernelStackAndCallout calls Callout with at least Size bytes of stack.
// The callout leaves the level as it was, and must not end the thread.
//
// It returns STATUS_INVALID_PARAMETER_3 for more than MAXIMUM_EXPANSION_SIZE.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeExpandKernelStackAndCallout function (ntddk.h)"
func KeExpandKernelStackAndCallout(Callout PEXPAND_STACK_CALLOUT, Parameter PVOID, Size SIZE_T) NTSTATUS {
	atMost(irql.APC)
	return KeExpandKernelStackAndCalloutEx(Callout, Parameter, Size, true, nil)
}

// KeExpandKernelStackAndCalloutEx is KeExpandKernelStackAndCallout that may be
// called at DISPATCH_LEVEL, if Wait is false. Context is reserved.
//
// The stack of Go code grows as it is used, so below DISPATCH_LEVEL any size is
// there. At DISPATCH_LEVEL, where it can't, more than 8 KiB is
// STATUS_STACK_OVERFLOW. Wait at DISPATCH_LEVEL is STATUS_INVALID_PARAMETER_4.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeExpandKernelStackAndCalloutEx function (ntddk.h)"
func KeExpandKernelStackAndCalloutEx(Callout PEXPAND_STACK_CALLOUT, Parameter PVOID, Size SIZE_T, Wait BOOLEAN, Context PVOID) NTSTATUS {
	atMost(irql.Dispatch)
	mustCall(Callout)
	level := irql.Current()
	switch {
	case Size > MAXIMUM_EXPANSION_SIZE:
		return STATUS_INVALID_PARAMETER_3
	case Wait && level == irql.Dispatch:
		return STATUS_INVALID_PARAMETER_4
	case Size > raisedStack && (level == irql.Dispatch || arch.InKernel()):
		return STATUS_STACK_OVERFLOW
	}
	callout(Callout, Parameter)
	exactly(level)
	return STATUS_SUCCESS
}

// callout counts the callouts that the thread is in.
func callout(routine PEXPAND_STACK_CALLOUT, parameter PVOID) {
	t := kernel.Current()
	t.Callouts++
	defer func() { t.Callouts-- }()
	routine(parameter)
}

// kernelStack is the stack that kernel code of the caller runs on: that of a
// DPC or an interrupt, else its thread's, which Go code uses for its calls of
// the kernel.
func kernelStack() *arch.Stack {
	c := arch.ThisCPU()
	for _, s := range [...]*arch.Stack{&c.Interrupt, &c.Deferred} {
		if arch.InKernel() && c.KernelG == &s.G {
			return s
		}
	}
	return &kernel.Current().Context.Stack
}

// IoGetStackLimits tells where the caller's kernel stack begins and ends. The
// stack of Go code, which grows, is none.
//
// IRQL: any
//
// Documentation: "IoGetStackLimits function (wdm.h)"
func IoGetStackLimits(LowLimit, HighLimit *ULONG_PTR) {
	mustReach(unsafe.Pointer(LowLimit), unsafe.Sizeof(*LowLimit))
	mustReach(unsafe.Pointer(HighLimit), unsafe.Sizeof(*HighLimit))
	s := kernelStack()
	*LowLimit, *HighLimit = s.Lo, s.Hi
}

// IoGetRemainingStackSize returns how much is left of the caller's kernel stack,
// in bytes: all of it for Go code, whose calls of the kernel begin at its top.
//
// IRQL: any
//
// Documentation: "IoGetRemainingStackSize function (wdm.h)"
func IoGetRemainingStackSize() ULONG_PTR {
	s := kernelStack()
	var here byte
	if at := uintptr(unsafe.Pointer(&here)); s.Contains(at) {
		return at - s.Lo
	}
	return s.Hi - s.Lo
}

// IoWithinStackLimits reports whether a region lies in the caller's kernel stack.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "IoWithinStackLimits function (wdm.h)"
func IoWithinStackLimits(RegionStart, RegionSize ULONG_PTR) ULONG {
	atMost(irql.APC)
	s := kernelStack()
	if RegionStart >= s.Lo && RegionStart < s.Hi && RegionSize <= s.Hi-RegionStart {
		return 1
	}
	return 0
}

// IoGetInitialStack returns the end of the thread's kernel stack, where it
// begins to be used.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "IoGetInitialStack function (wdm.h)"
func IoGetInitialStack() PVOID {
	atMost(irql.APC)
	return PVOID(kernel.Current().Context.Stack.Hi)
}
