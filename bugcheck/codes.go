// Package bugcheck stops the machine with a documented code, and says why on
// the console. It runs at any IRQL, in any context, takes no lock and
// allocates nothing: the only state it trusts is the frame it is given.
//
// The first processor to call wins; the others are frozen where they are and
// the console belongs to the stop screen (see stop.go).
package bugcheck

// Code is a bug check code ("Bug Check Code Reference").
type Code uint32

// The codes this kernel raises.
const (
	APCIndexMismatch              Code = 0x01
	InvalidAffinitySet            Code = 0x03
	InvalidProcessAttach          Code = 0x05
	InvalidProcessDetach          Code = 0x06
	IRQLNotDispatchLevel          Code = 0x08
	IRQLNotGreaterOrEqual         Code = 0x09
	IRQLNotLessOrEqual            Code = 0x0A
	MaximumWaitObjects            Code = 0x0C
	SpinLockAlreadyOwned          Code = 0x0F
	SpinLockNotOwned              Code = 0x10
	ReferenceByPointer            Code = 0x18
	BadPoolHeader                 Code = 0x19
	KmodeExceptionNotHandled      Code = 0x1E
	KernelAPCPendingDuringExit    Code = 0x20
	SystemExitOwnedMutex          Code = 0x39
	InterruptException            Code = 0x3D
	IRQLGreaterThanZeroAtService  Code = 0x4A
	NoPagesAvailable              Code = 0x4D
	PageFaultInNonpagedArea       Code = 0x50
	SystemThreadException         Code = 0x7E
	UnexpectedKernelModeTrap      Code = 0x7F
	InvalidKernelHandle           Code = 0x93
	InvalidWorkQueueItem          Code = 0x96
	AttemptedSwitchFromDPC        Code = 0xB8
	SpecialPoolCorruption         Code = 0xC1
	BadPoolCaller                 Code = 0xC2
	VerifierDetectedViolation     Code = 0xC4
	TimerOrDPCInvalid             Code = 0xC7
	IRQLUnexpectedValue           Code = 0xC8
	PageFaultInFreedSpecialPool   Code = 0xCC
	PageFaultBeyondEnd            Code = 0xCD
	DriverIRQLNotLessOrEqual      Code = 0xD1
	DriverFaultInFreedSpecialPool Code = 0xD5
	DriverFaultBeyondEnd          Code = 0xD6
	WorkerThreadReturnedAtBadIRQL Code = 0xE1
	ManuallyInitiatedCrash        Code = 0xE2
	ResourceNotOwned              Code = 0xE3
	WorkerInvalid                 Code = 0xE4
	WorkerThreadTermination       Code = 0xE9
	ClockWatchdogTimeout          Code = 0x101
	ResourceOwnerPointer          Code = 0x132
	DPCWatchdogViolation          Code = 0x133
	KernelSecurityCheckFailure    Code = 0x139
	ThreadTerminateHeldMutex      Code = 0x4000008A
)

// Description is what the screen says about a code: its documented name, the
// rule that was broken, and the meaning of the parameters.
type Description struct {
	Code       Code
	Name       string
	Meaning    string
	Parameters [4]string
}

// descriptions are ordered by code.
var descriptions = [...]Description{
	{APCIndexMismatch, "APC_INDEX_MISMATCH",
		"a thread left the kernel with an unbalanced count of critical or guarded regions",
		[4]string{"address of the call", "attached state", "APC disable count", "0 for a system call"}},
	{InvalidAffinitySet, "INVALID_AFFINITY_SET",
		"a thread was to run on no processor that there is",
		[4]string{"set of processors", "thread", "", ""}},
	{InvalidProcessAttach, "INVALID_PROCESS_ATTACH_ATTEMPT",
		"a thread attached to a process where it must not: in a DPC routine",
		[4]string{"process", "process it is attached to", "", "1: a DPC routine runs"}},
	{InvalidProcessDetach, "INVALID_PROCESS_DETACH_ATTEMPT",
		"a thread detached from a process that it was not attached to",
		[4]string{"KAPC_STATE", "thread", "", ""}},
	{IRQLNotDispatchLevel, "IRQL_NOT_DISPATCH_LEVEL",
		"a routine that runs at DISPATCH_LEVEL was called at another level",
		[4]string{"routine or object", "IRQL", "", ""}},
	{IRQLNotGreaterOrEqual, "IRQL_NOT_GREATER_OR_EQUAL",
		"a raise went down, or a routine was called below the level it needs",
		[4]string{"level asked for", "IRQL", "least level allowed", ""}},
	{IRQLNotLessOrEqual, "IRQL_NOT_LESS_OR_EQUAL",
		"pageable or invalid memory was touched, a wait was tried, or a level went up by a lowering, at too high an IRQL",
		[4]string{"address referenced", "IRQL", "access: 0 read, 1 write, 8 execute", "address of the instruction"}},
	{MaximumWaitObjects, "MAXIMUM_WAIT_OBJECTS_EXCEEDED",
		"a wait for more objects than there are wait blocks",
		[4]string{"objects", "most allowed", "", ""}},
	{SpinLockAlreadyOwned, "SPIN_LOCK_ALREADY_OWNED",
		"a processor acquired a spin lock that it holds already: it would spin for ever",
		[4]string{"spin lock", "owner", "", ""}},
	{SpinLockNotOwned, "SPIN_LOCK_NOT_OWNED",
		"a spin lock was released by someone who does not hold it",
		[4]string{"spin lock", "owner", "", ""}},
	{ReferenceByPointer, "REFERENCE_BY_POINTER",
		"the reference count of an object is wrong: it was dereferenced once too often",
		[4]string{"object type", "object", "0 or the reason", "references"}},
	{BadPoolHeader, "BAD_POOL_HEADER",
		"the header of a pool allocation is damaged: somebody wrote beyond the end of another one",
		[4]string{"kind of damage", "pool entry", "neighbour or expected value", "value found"}},
	{KmodeExceptionNotHandled, "KMODE_EXCEPTION_NOT_HANDLED",
		"an exception had no handler",
		[4]string{"exception code (NTSTATUS)", "address of the instruction", "first exception parameter", "second exception parameter"}},
	{KernelAPCPendingDuringExit, "KERNEL_APC_PENDING_DURING_EXIT",
		"a thread ended inside a critical region or with kernel APCs still queued",
		[4]string{"APC queued", "APC disable count", "IRQL", ""}},
	{SystemExitOwnedMutex, "SYSTEM_EXIT_OWNED_MUTEX",
		"a work item returned while its thread owned a mutex",
		[4]string{"routine", "parameter", "work item", ""}},
	{InterruptException, "INTERRUPT_EXCEPTION_NOT_HANDLED",
		"an interrupt service routine caused an exception, which nothing there can handle",
		[4]string{"exception record", "context record", "exception code (NTSTATUS)", "address of the instruction"}},
	{IRQLGreaterThanZeroAtService, "IRQL_GT_ZERO_AT_SYSTEM_SERVICE",
		"a system service returned above PASSIVE_LEVEL",
		[4]string{"address of the service", "IRQL", "", ""}},
	{NoPagesAvailable, "NO_PAGES_AVAILABLE",
		"memory that was promised could not be provided: RAM is exhausted",
		[4]string{"pages of RAM", "pages free", "pages promised", "address referenced"}},
	{PageFaultInNonpagedArea, "PAGE_FAULT_IN_NONPAGED_AREA",
		"memory that does not exist was touched",
		[4]string{"address referenced", "access: 0 read, 2 write, 0x10 execute", "address of the instruction", ""}},
	{SystemThreadException, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED",
		"an exception in a system thread had no handler",
		[4]string{"exception code (NTSTATUS)", "address of the instruction", "exception record", "context record"}},
	{UnexpectedKernelModeTrap, "UNEXPECTED_KERNEL_MODE_TRAP",
		"the processor raised a trap that kernel code must not cause (8: double fault, mostly a kernel stack overflow)",
		[4]string{"trap number", "address of the instruction", "stack pointer", ""}},
	{InvalidKernelHandle, "INVALID_KERNEL_HANDLE",
		"a handle was closed that is not open",
		[4]string{"handle", "0: protected from close, 1: not open", "", ""}},
	{InvalidWorkQueueItem, "INVALID_WORK_QUEUE_ITEM",
		"an entry that a queue handed out was never queued as it should be, or queued twice",
		[4]string{"queue entry", "queue", "start of the queues", "routine"}},
	{AttemptedSwitchFromDPC, "ATTEMPTED_SWITCH_FROM_DPC",
		"a DPC routine tried to wait, or otherwise to give up the processor",
		[4]string{"thread interrupted", "", "", ""}},
	{SpecialPoolCorruption, "SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION",
		"bytes beside an allocation in special pool were written to",
		[4]string{"allocation", "address that is damaged", "", "0x23: in front of it, 0x24: behind its end"}},
	{BadPoolCaller, "BAD_POOL_CALLER",
		"a pool routine was called with something that is not valid: freed twice, never allocated, or at a bad IRQL",
		[4]string{"kind of violation", "", "", "pool block"}},
	{VerifierDetectedViolation, "DRIVER_VERIFIER_DETECTED_VIOLATION",
		"a driver broke a rule that the verifier checks",
		[4]string{"rule", "", "", ""}},
	{TimerOrDPCInvalid, "TIMER_OR_DPC_INVALID",
		"a timer or DPC was found in memory that was freed, or is set up wrongly",
		[4]string{"kind: 0 timer, 1 DPC, 2 DPC routine, 3 processor, 4-5 APC state, 6 and above as said above", "object", "start of the memory", "end of the memory"}},
	{IRQLUnexpectedValue, "IRQL_UNEXPECTED_VALUE",
		"a callback returned at another level than it was called at",
		[4]string{"IRQL << 16 | expected << 8 | kind: 2 DPC, 3 interrupt", "routine", "object", ""}},
	{PageFaultInFreedSpecialPool, "PAGE_FAULT_IN_FREED_SPECIAL_POOL",
		"the kernel touched memory of special pool that was freed before",
		[4]string{"address referenced", "access: 0 read, 1 write, 8 execute", "address of the instruction", ""}},
	{PageFaultBeyondEnd, "PAGE_FAULT_BEYOND_END_OF_ALLOCATION",
		"the kernel touched memory beyond an allocation in special pool",
		[4]string{"address referenced", "access: 0 read, 1 write, 8 execute", "address of the instruction", ""}},
	{DriverIRQLNotLessOrEqual, "DRIVER_IRQL_NOT_LESS_OR_EQUAL",
		"a driver touched pageable or invalid memory at too high an IRQL",
		[4]string{"address referenced", "IRQL", "access: 0 read, 1 write, 8 execute", "address of the instruction"}},
	{DriverFaultInFreedSpecialPool, "DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL",
		"a driver touched memory of special pool that was freed before",
		[4]string{"address referenced", "access: 0 read, 1 write, 8 execute", "address of the instruction", ""}},
	{DriverFaultBeyondEnd, "DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION",
		"a driver touched memory beyond an allocation in special pool",
		[4]string{"address referenced", "access: 0 read, 1 write, 8 execute", "address of the instruction", ""}},
	{WorkerThreadReturnedAtBadIRQL, "WORKER_THREAD_RETURNED_AT_BAD_IRQL",
		"a work item returned at another level than PASSIVE_LEVEL",
		[4]string{"routine", "IRQL", "parameter", "work item"}},
	{ManuallyInitiatedCrash, "MANUALLY_INITIATED_CRASH",
		"somebody asked for it",
		[4]string{"", "", "", ""}},
	{ResourceNotOwned, "RESOURCE_NOT_OWNED",
		"a resource was released by a thread that does not own it",
		[4]string{"resource", "thread or owner pointer", "owner table", "kind"}},
	{WorkerInvalid, "WORKER_INVALID",
		"memory that is freed holds a work item in use, or an item was queued that is queued already",
		[4]string{"kind: 0 freed, 1 queued twice, 2 not initialized", "work item", "start of the memory", "end of the memory"}},
	{WorkerThreadTermination, "ACTIVE_EX_WORKER_THREAD_TERMINATION",
		"a work item ended the worker thread that ran it",
		[4]string{"thread", "routine", "work item", ""}},
	{ClockWatchdogTimeout, "CLOCK_WATCHDOG_TIMEOUT",
		"a processor takes no clock interrupts: it runs at too high an IRQL or with interrupts disabled for too long",
		[4]string{"ticks", "", "", "processor"}},
	{ResourceOwnerPointer, "RESOURCE_OWNER_POINTER",
		"the owner pointer of a resource is not valid: its two low bits must be set, and the caller must be the owner",
		[4]string{"resource", "thread", "owner pointer", ""}},
	{DPCWatchdogViolation, "DPC_WATCHDOG_VIOLATION",
		"too long at DISPATCH_LEVEL",
		[4]string{"0: a single DPC, 1: the sum", "ticks used", "ticks allowed", ""}},
	{KernelSecurityCheckFailure, "KERNEL_SECURITY_CHECK_FAILURE",
		"a data structure is corrupt (3: a doubly linked list)",
		[4]string{"kind", "address", "", ""}},
	{ThreadTerminateHeldMutex, "THREAD_TERMINATE_HELD_MUTEX",
		"a thread ended while it owned a mutex",
		[4]string{"thread", "mutex", "", ""}},
}

// Describe returns what is known about a code; the name is empty for others.
func Describe(c Code) *Description {
	for i := range descriptions {
		if descriptions[i].Code == c {
			return &descriptions[i]
		}
	}
	return &unknown
}

var unknown Description
