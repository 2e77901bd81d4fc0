package wdk

import (
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/mm"
	"irqlab/sync"
)

// KeWaitForSingleObject waits until the object is signalled and takes it, as its
// type has it. Timeout is in units of 100 ns, relative if negative, else
// absolute system time; nil waits without limit, and zero does not wait.
//
// It returns STATUS_SUCCESS, STATUS_TIMEOUT, STATUS_ABANDONED for an abandoned
// mutant, and if Alertable STATUS_ALERTED or STATUS_USER_APC. It raises
// STATUS_MUTANT_LIMIT_EXCEEDED.
//
// IRQL: <= APC_LEVEL; <= DISPATCH_LEVEL with a zero timeout
//
// Documentation: "KeWaitForSingleObject function (wdm.h)"
func KeWaitForSingleObject(Object PVOID, WaitReason KWAIT_REASON, WaitMode KPROCESSOR_MODE, Alertable BOOLEAN, Timeout PLARGE_INTEGER) NTSTATUS {
	mayWait(Timeout)
	mustBeWaitable(WaitMode, Object)
	return sync.Wait((*kernel.Header)(Object), Timeout, Alertable, WaitMode)
}

// KeWaitForMutexObject is KeWaitForSingleObject.
//
// IRQL: <= APC_LEVEL; <= DISPATCH_LEVEL with a zero timeout
//
// Documentation: "KeWaitForMutexObject macro (wdm.h)"
func KeWaitForMutexObject(Mutex PVOID, WaitReason KWAIT_REASON, WaitMode KPROCESSOR_MODE, Alertable BOOLEAN, Timeout PLARGE_INTEGER) NTSTATUS {
	mayWait(Timeout)
	mustBeWaitable(WaitMode, Mutex)
	return sync.Wait((*kernel.Header)(Mutex), Timeout, Alertable, WaitMode)
}

// KeWaitForMultipleObjects waits for one or for all of Count objects. Without
// WaitBlockArray, an array of Count in nonpaged pool, it takes up to
// THREAD_WAIT_OBJECTS, with it MAXIMUM_WAIT_OBJECTS; more is bug check
// MAXIMUM_WAIT_OBJECTS_EXCEEDED.
//
// WaitAny returns STATUS_WAIT_0 plus the index of the object it took, the lowest
// if there is a choice, or STATUS_ABANDONED_WAIT_0 plus index. WaitAll takes all
// in one step and returns STATUS_SUCCESS, or STATUS_ABANDONED. Other statuses
// are those of KeWaitForSingleObject.
//
// IRQL: <= APC_LEVEL; <= DISPATCH_LEVEL with a zero timeout
//
// Documentation: "KeWaitForMultipleObjects function (wdm.h)"
func KeWaitForMultipleObjects(Count ULONG, Object []PVOID, WaitType WAIT_TYPE, WaitReason KWAIT_REASON, WaitMode KPROCESSOR_MODE, Alertable BOOLEAN, Timeout PLARGE_INTEGER, WaitBlockArray PKWAIT_BLOCK) NTSTATUS {
	mayWait(Timeout)
	mustTake(WaitType == WaitAll || WaitType == WaitAny, uintptr(WaitType))
	if Checked {
		mustBeWaitables(Count, Object, WaitMode, WaitBlockArray)
	}
	objects := (**kernel.Header)(unsafe.Pointer(unsafe.SliceData(Object[:min(int(Count), MAXIMUM_WAIT_OBJECTS)])))
	return sync.WaitMany(objects, int(Count), WaitType, Timeout, Alertable, WaitMode, WaitBlockArray)
}

// mayWait stops the machine if a wait is not allowed at the level in force. A
// DPC routine that tries has a bug check of its own, and so has the wait that
// follows a call with Wait.
func mayWait(timeout PLARGE_INTEGER) {
	if !Checked {
		return
	}
	mayReach(unsafe.Pointer(timeout), unsafe.Sizeof(*timeout))
	l := irql.Current()
	if dpc.ExecutingThreaded() && (timeout == nil || *timeout != 0) {
		rule := uintptr(waitAtDispatch)
		if timeout == nil {
			rule = waitForEver
		}
		bugcheck.StopBecause("the routine of a threaded DPC waits, which might run at DISPATCH_LEVEL",
			bugcheck.VerifierDetectedViolation, rule, uintptr(l), 0, 0)
	}
	if l < irql.Dispatch || l == irql.Dispatch && (timeout != nil && *timeout == 0 || dpc.Executing() || kernel.Current().WaitNext) {
		return
	}
	rule := uintptr(waitTooHigh)
	switch {
	case l > irql.Dispatch:
	case timeout == nil:
		rule = waitForEver
	default:
		rule = waitAtDispatch
	}
	bugcheck.Stop(bugcheck.VerifierDetectedViolation, rule, uintptr(l), 0, 0)
}

// mustBeWaitables is mustBeWaitable for count objects, which must not be too many
// for their wait blocks. It raises STATUS_ACCESS_VIOLATION if they are more than
// there are.
func mustBeWaitables(count ULONG, objects []PVOID, mode KPROCESSOR_MODE, blocks PKWAIT_BLOCK) {
	most := ULONG(MAXIMUM_WAIT_OBJECTS)
	if blocks == nil {
		most = THREAD_WAIT_OBJECTS
	}
	switch {
	case count == 0 || count > most:
		bugcheck.Stop(bugcheck.MaximumWaitObjects, uintptr(count), uintptr(most), 0, 0)
	case int(count) > len(objects):
		kernel.RaiseStatus(STATUS_ACCESS_VIOLATION)
	}
	mustBeWaitable(mode, objects[:count]...)
	if blocks != nil {
		mustBe(&aWaitBlock, unsafe.Pointer(blocks))
	}
}

// mustBeWaitable stops the machine for what cannot be waited for: an object on the stack
// of a user, which may be paged out meanwhile, a KMUTEX on behalf of a user, and
// what is no dispatcher object at all, such as a FAST_MUTEX.
func mustBeWaitable(mode KPROCESSOR_MODE, objects ...PVOID) {
	if !Checked {
		return
	}
	mustTake(mode <= UserMode, uintptr(mode))
	for _, o := range objects {
		if mode == UserMode && !mm.InPool(uintptr(o)) {
			bugcheck.Stop(bugcheck.VerifierDetectedViolation, userWaitOnStack, uintptr(o), 0, 0)
		}
		mustBe(&aWaitable, o)
		if mode == UserMode && (*kernel.Header)(o).Type == kernel.TypeMutant && (*kernel.Mutant)(o).APCDisable != 0 {
			bugcheck.StopBecause("a KMUTEX is waited for on behalf of a user, who would return to user mode with it",
				bugcheck.VerifierDetectedViolation, userWaitForMutex, uintptr(irql.Current()), uintptr(o), 0)
		}
	}
}

// KeDelayExecutionThread puts the thread to sleep for Interval: in units of 100
// ns, relative if negative, else until an absolute system time. It never ends
// early, unless Alertable; zero passes the processor to another thread of the
// same priority.
//
// It returns STATUS_SUCCESS, STATUS_ALERTED or STATUS_USER_APC.
//
// IRQL: <= APC_LEVEL
//
// Documentation: "KeDelayExecutionThread function (wdm.h)"
func KeDelayExecutionThread(WaitMode KPROCESSOR_MODE, Alertable BOOLEAN, Interval PLARGE_INTEGER) NTSTATUS {
	mustReach(unsafe.Pointer(Interval), unsafe.Sizeof(*Interval))
	if irql.Current() != irql.Dispatch || !dpc.Executing() {
		atMost(irql.APC)
	}
	if dpc.ExecutingThreaded() {
		mayWait(Interval)
	}
	mustTake(WaitMode <= UserMode, uintptr(WaitMode))
	return sync.Delay(*Interval, Alertable, WaitMode)
}

// NtDelayExecution is KeDelayExecutionThread for the previous mode. For UserMode a
// DelayInterval that can't be read is STATUS_ACCESS_VIOLATION.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtDelayExecution(Alertable BOOLEAN, DelayInterval PLARGE_INTEGER) NTSTATUS {
	return delayExecution(KeGetPreviousMode(), Alertable, DelayInterval)
}

// ZwDelayExecution is NtDelayExecution for the kernel.
//
// IRQL: PASSIVE_LEVEL
func ZwDelayExecution(Alertable BOOLEAN, DelayInterval PLARGE_INTEGER) NTSTATUS {
	passiveWithAPCs()
	return delayExecution(KernelMode, Alertable, DelayInterval)
}

func delayExecution(mode KPROCESSOR_MODE, alertable BOOLEAN, p PLARGE_INTEGER) NTSTATUS {
	atMost(irql.Passive)
	interval, s := read(mode, p)
	if !NT_SUCCESS(s) {
		return s
	}
	return sync.Delay(interval, alertable, mode)
}

// NtYieldExecution passes the processor to another ready thread, even one of
// lower priority. Without one it returns STATUS_NO_YIELD_PERFORMED.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func NtYieldExecution() NTSTATUS {
	atMost(irql.Passive)
	var a kernel.Args
	kernel.EnterBlocking(yield, &a)
	return NTSTATUS(int32(a.R))
}

// ZwYieldExecution is NtYieldExecution.
//
// IRQL: PASSIVE_LEVEL
func ZwYieldExecution() NTSTATUS {
	passiveWithAPCs()
	return NtYieldExecution()
}

func yield(a *kernel.Args) { a.R = uintptr(uint32(kernel.Yield())) }

// truth is a BOOLEAN as a word.
func truth(b bool) uintptr {
	if b {
		return 1
	}
	return 0
}
