package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/sync"
)

// RTL_RUN_ONCE is 8 bytes.
type (
	RTL_RUN_ONCE  = sync.RunOnce
	PRTL_RUN_ONCE = *RTL_RUN_ONCE

	// PRTL_RUN_ONCE_INIT_FN initializes; Context is where its result goes. It
	// returns zero if it failed.
	//
	// IRQL: <= APC_LEVEL
	PRTL_RUN_ONCE_INIT_FN = func(RunOnce PRTL_RUN_ONCE, Parameter PVOID, Context *PVOID) ULONG
)

// Flags.
const (
	RTL_RUN_ONCE_CHECK_ONLY  ULONG = ULONG(sync.RunOnceCheckOnly)
	RTL_RUN_ONCE_ASYNC       ULONG = ULONG(sync.RunOnceAsync)
	RTL_RUN_ONCE_INIT_FAILED ULONG = ULONG(sync.RunOnceInitFailed)
)

// RtlRunOnceInitialize makes RunOnce ready.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "RtlRunOnceInitialize function (ntddk.h)"
func RtlRunOnceInitialize(RunOnce PRTL_RUN_ONCE) {
	atMost(irql.APC)
	mayBecome(&aRunOnce, unsafe.Pointer(RunOnce))
	RunOnce.Init()
}

// RtlRunOnceBeginInitialize returns STATUS_SUCCESS and stores the context if the
// initialization is done, STATUS_PENDING if the caller is to do it, and
// STATUS_UNSUCCESSFUL with RTL_RUN_ONCE_CHECK_ONLY if it is not done. While
// another does it, it waits, unless Flags have RTL_RUN_ONCE_ASYNC. The context
// is not on the Go heap.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "RtlRunOnceBeginInitialize function (ntddk.h)"
func RtlRunOnceBeginInitialize(RunOnce PRTL_RUN_ONCE, Flags ULONG, Context *PVOID) NTSTATUS {
	atMostWith(irql.APC, &aRunOnce, unsafe.Pointer(RunOnce))
	mayReach(unsafe.Pointer(Context), unsafe.Sizeof(*Context))
	context, s := RunOnce.Begin(sync.RunOnceFlags(Flags))
	if s == STATUS_SUCCESS && Context != nil {
		*Context = PVOID(context)
	}
	return s
}

// RtlRunOnceComplete ends what RtlRunOnceBeginInitialize began. It returns
// STATUS_UNSUCCESSFUL if another was faster.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "RtlRunOnceComplete function (ntddk.h)"
func RtlRunOnceComplete(RunOnce PRTL_RUN_ONCE, Flags ULONG, Context PVOID) NTSTATUS {
	atMostWith(irql.APC, &aRunOnce, unsafe.Pointer(RunOnce))
	return RunOnce.Complete(sync.RunOnceFlags(Flags), ULONG_PTR(Context))
}

// RtlRunOnceExecuteOnce calls InitFn unless that has succeeded before, and
// stores the context. It returns STATUS_UNSUCCESSFUL if InitFn fails. InitFn runs
// in a critical region.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "RtlRunOnceExecuteOnce function (ntddk.h)"
func RtlRunOnceExecuteOnce(RunOnce PRTL_RUN_ONCE, InitFn PRTL_RUN_ONCE_INIT_FN, Parameter PVOID, Context *PVOID) NTSTATUS {
	mustBe(&aRunOnce, unsafe.Pointer(RunOnce))
	mayReach(unsafe.Pointer(Context), unsafe.Sizeof(*Context))
	mustCall(InitFn)
	s := RtlRunOnceBeginInitialize(RunOnce, 0, Context)
	if s != STATUS_PENDING {
		return s
	}
	var context PVOID
	KeEnterCriticalRegion()
	done := InitFn(RunOnce, Parameter, &context) != 0
	KeLeaveCriticalRegion()
	if !done {
		RtlRunOnceComplete(RunOnce, RTL_RUN_ONCE_INIT_FAILED, nil)
		return STATUS_UNSUCCESSFUL
	}
	if s = RtlRunOnceComplete(RunOnce, 0, context); s == STATUS_SUCCESS && Context != nil {
		*Context = context
	}
	return s
}
