package bugcheck

// Kind is a value of a code's first parameter that has a meaning of its own, and
// what the other parameters are then; empty where they are as the code's
// description says.
type Kind struct {
	Code       Code
	Value      uintptr
	Meaning    string
	Parameters [3]string // the second to the fourth
}

// Kinds are ordered by code and value. Those of DRIVER_VERIFIER_DETECTED_VIOLATION
// are the rules; the last few are rules of irqlab that Windows has no number for.
var Kinds = [...]Kind{
	{BadPoolHeader, 0x02, "freed memory was written to", [3]string{"header", "size", "address"}},
	{BadPoolHeader, 0x03, "the links of a free list are damaged", [3]string{"header", "forward link", "backward link"}},
	{BadPoolHeader, 0x05, "two headers that should agree do not", [3]string{"header", "", "neighbour's header"}},
	{BadPoolHeader, 0x20, "the header's sizes make no sense", [3]string{"header", "next header", ""}},
	{BadPoolHeader, 0x21, "somebody wrote behind the end of the block", [3]string{"address", "size", "value found"}},
	{BadPoolCaller, 0x00, "an allocation of no bytes", [3]string{"", "pool type", "tag"}},
	{BadPoolCaller, 0x06, "freed twice", [3]string{"", "header", "address"}},
	{BadPoolCaller, 0x07, "freed twice", [3]string{"", "header", "address"}},
	{BadPoolCaller, 0x08, "allocated at too high an IRQL", [3]string{"IRQL", "pool type", "size"}},
	{BadPoolCaller, 0x09, "freed at too high an IRQL", [3]string{"IRQL", "pool type", "address"}},
	{BadPoolCaller, 0x0A, "freed with another tag than it was allocated with", [3]string{"address", "tag of the block", "tag given"}},
	{BadPoolCaller, 0x46, "the address is not one of the pool", [3]string{"address", "", ""}},
	{BadPoolCaller, 0x9B, "an allocation without a tag", [3]string{"pool type", "size", "caller"}},
	{VerifierDetectedViolation, 0x30, "KeRaiseIrql to a lower level", [3]string{"level", "level asked for", ""}},
	{VerifierDetectedViolation, 0x31, "KeLowerIrql to a higher level", [3]string{"level", "level asked for", "1 in a DPC"}},
	{VerifierDetectedViolation, 0x32, "a spin lock was released at another level than DISPATCH_LEVEL", [3]string{"IRQL", "spin lock", ""}},
	{VerifierDetectedViolation, 0x33, "a fast mutex was acquired above APC_LEVEL", [3]string{"IRQL", "fast mutex", ""}},
	{VerifierDetectedViolation, 0x34, "a fast mutex was released at another level than APC_LEVEL", [3]string{"IRQL", "fast mutex", ""}},
	{VerifierDetectedViolation, 0x37, "a resource was acquired with APCs enabled", [3]string{"IRQL", "resource", ""}},
	{VerifierDetectedViolation, 0x38, "a resource was released with APCs enabled", [3]string{"IRQL", "resource", ""}},
	{VerifierDetectedViolation, 0x39, "the unsafe acquire of a mutex with APCs enabled", [3]string{"IRQL", "mutex", ""}},
	{VerifierDetectedViolation, 0x3A, "the unsafe release of a mutex with APCs enabled", [3]string{"IRQL", "mutex", ""}},
	{VerifierDetectedViolation, 0x3C, "a bad handle was given to ObReferenceObjectByHandle", [3]string{"handle", "", ""}},
	{VerifierDetectedViolation, 0x3E, "a critical region was left that was not entered", [3]string{"thread", "", ""}},
	{VerifierDetectedViolation, 0x3F, "an object was referenced that has no references left", [3]string{"object", "references", ""}},
	{VerifierDetectedViolation, 0x40, "a spin lock was acquired for DISPATCH_LEVEL below it", [3]string{"IRQL", "spin lock", ""}},
	{VerifierDetectedViolation, 0x41, "a spin lock was released for DISPATCH_LEVEL below it", [3]string{"IRQL", "spin lock", ""}},
	{VerifierDetectedViolation, 0x42, "a spin lock was acquired above DISPATCH_LEVEL", [3]string{"IRQL", "spin lock", ""}},
	{VerifierDetectedViolation, 0x62, "a driver was unloaded without freeing all of its pool", [3]string{"name", "", "allocations"}},
	{VerifierDetectedViolation, 0x80, "KeSetEvent above DISPATCH_LEVEL", [3]string{"IRQL", "", ""}},
	{VerifierDetectedViolation, 0xD0, "a resource was initialized that is in use", [3]string{"IRQL", "resource", ""}},
	{VerifierDetectedViolation, 0xD1, "a resource was deleted that is not initialized", [3]string{"IRQL", "resource", ""}},
	{VerifierDetectedViolation, 0xD2, "a resource was deleted or freed that is in use", [3]string{"IRQL", "resource", ""}},
	{VerifierDetectedViolation, 0xD5, "a remove lock was released with another tag than it was acquired with", [3]string{"remove lock", "tag", ""}},
	{VerifierDetectedViolation, 0xD6, "a remove lock was released more often than acquired", [3]string{"remove lock", "tag", ""}},
	{VerifierDetectedViolation, 0xD7, "a remove lock was initialized twice", [3]string{"remove lock", "", ""}},
	{VerifierDetectedViolation, 0xE1, "an object lies in memory that is freed, not aligned, or pageable, which the Go heap is", [3]string{"object", "", ""}},
	{VerifierDetectedViolation, 0xE5, "a routine was called at a level that is not allowed for it", [3]string{"IRQL", "least level allowed", "highest level allowed"}},
	{VerifierDetectedViolation, 0xEA, "a push lock was acquired with APCs enabled", [3]string{"IRQL", "push lock", ""}},
	{VerifierDetectedViolation, 0xEB, "a push lock was released with APCs enabled", [3]string{"IRQL", "push lock", ""}},
	{VerifierDetectedViolation, 0x11A, "a critical region was entered above APC_LEVEL", [3]string{"IRQL", "", ""}},
	{VerifierDetectedViolation, 0x11B, "a critical region was left above APC_LEVEL", [3]string{"IRQL", "", ""}},
	{VerifierDetectedViolation, 0x120, "a wait above DISPATCH_LEVEL", [3]string{"IRQL", "object", "timeout"}},
	{VerifierDetectedViolation, 0x121, "a wait for ever at DISPATCH_LEVEL", [3]string{"IRQL", "object", ""}},
	{VerifierDetectedViolation, 0x122, "a wait with a timeout at DISPATCH_LEVEL", [3]string{"IRQL", "object", "timeout"}},
	{VerifierDetectedViolation, 0x123, "a wait in user mode for an object on a stack", [3]string{"object", "", ""}},
	{VerifierDetectedViolation, 0x131, "a work item lies in pageable memory", [3]string{"work item", "", ""}},
	{VerifierDetectedViolation, 0x1000, "the thread waits for a lock that it holds", [3]string{"IRQL", "lock", ""}},
	{VerifierDetectedViolation, 0x1001, "locks are acquired in different orders: threads can wait for each other", [3]string{"lock", "", ""}},
	{VerifierDetectedViolation, 0x1002, "a lock is used that is not initialized", [3]string{"lock", "", ""}},
	{VerifierDetectedViolation, 0x1003, "locks are released out of order", [3]string{"lock", "", ""}},
	{VerifierDetectedViolation, 0x1004, "a lock was released by a thread that does not hold it", [3]string{"IRQL", "lock", ""}},
	{VerifierDetectedViolation, 0x1005, "a lock was initialized twice", [3]string{"lock", "", ""}},
	{VerifierDetectedViolation, 0x1007, "a lock was released that nobody holds", [3]string{"IRQL", "lock", ""}},
	{VerifierDetectedViolation, 0x1008, "a lock was acquired by the routine of another kind of lock", [3]string{"lock", "", ""}},
	{VerifierDetectedViolation, 0x1009, "a lock was released by the routine of another kind of lock", [3]string{"lock", "", ""}},
	{VerifierDetectedViolation, 0x100A, "a thread ended and holds a lock", [3]string{"lock", "thread", ""}},
	{VerifierDetectedViolation, 0x100B, "a lock was freed that is held", [3]string{"lock", "holder", ""}},
	{VerifierDetectedViolation, 0x10001, "a lock that an interrupt service routine takes was held at a lower level", [3]string{"lock", "level of the routine", "level of the holder"}},
	{VerifierDetectedViolation, 0x10002, "a spin lock was held for too long", [3]string{"lock", "microseconds", ""}},
	{VerifierDetectedViolation, 0x10003, "a driver was unloaded without closing all of its handles", [3]string{"name", "", "handles"}},
	{VerifierDetectedViolation, 0x10004, "a driver was unloaded without dropping all of its references to objects", [3]string{"name", "", "objects"}},
	{VerifierDetectedViolation, 0x1AB0001, "a thread ended in the callout of KeExpandKernelStackAndCallout", [3]string{"thread", "", ""}},
	{VerifierDetectedViolation, 0x1AB0002, "a spin lock is used both as an ordinary and as an in-stack queued lock", [3]string{"IRQL", "lock", ""}},
	{VerifierDetectedViolation, 0x1AB0003, "a routine was given what is no object of the type that it takes, or is not initialized", [3]string{"IRQL", "object", "its first byte"}},
	{VerifierDetectedViolation, 0x1AB0004, "a wait for a KMUTEX on behalf of a user", [3]string{"IRQL", "mutex", ""}},
	{VerifierDetectedViolation, 0x1AB0005, "a routine that the caller has called is nil", [3]string{"IRQL", "", ""}},
	{VerifierDetectedViolation, 0x1AB0006, "a routine was given a number, or flags, that it gives no meaning to", [3]string{"IRQL", "number", ""}},
	{TimerOrDPCInvalid, 0, "a timer", [3]string{"timer", "start of the memory", "end of the memory"}},
	{TimerOrDPCInvalid, 1, "a DPC", [3]string{"DPC", "start of the memory", "end of the memory"}},
	{TimerOrDPCInvalid, 2, "a routine", [3]string{"DPC", "routine, or start of the memory", "context, or end of the memory"}},
	{TimerOrDPCInvalid, 3, "a DPC for a processor that there is not", [3]string{"DPC", "processor", "processors"}},
	{TimerOrDPCInvalid, 4, "a routine changed the count of critical regions", [3]string{"routine", "count before", "count after"}},
	{TimerOrDPCInvalid, 5, "a routine changed the count of guarded regions", [3]string{"routine", "count before", "count after"}},
	{WorkerInvalid, 0, "memory was freed that holds a work item in use", [3]string{"work item", "start of the memory", "end of the memory"}},
	{WorkerInvalid, 1, "the work item is queued already", [3]string{"work item", "", ""}},
	{WorkerInvalid, 2, "memory was freed that holds an I/O work item in use", [3]string{"work item", "start of the memory", "end of the memory"}},
	{WorkerInvalid, 3, "the object is no work item", [3]string{"work item", "", ""}},
	{WorkerInvalid, 5, "the work item was queued before it was initialized", [3]string{"work item", "", ""}},
	{WorkerInvalid, 6, "there is no such queue", [3]string{"work item", "queue", ""}},
	{WorkerInvalid, 7, "the routine's address is invalid", [3]string{"work item", "routine", ""}},
	{CriticalObjectTermination, 3, "a process", [3]string{}},
	{CriticalObjectTermination, 6, "a thread", [3]string{}},
	{DPCWatchdogViolation, 0, "a single DPC", [3]string{"ticks used", "ticks allowed", ""}},
	{DPCWatchdogViolation, 1, "all the time at DISPATCH_LEVEL or above", [3]string{"ticks allowed", "", ""}},
	{KernelSecurityCheckFailure, 3, "a doubly linked list is corrupt, such as that of an object that was initialized while threads wait for it", [3]string{"object or list entry", "", ""}},
	{KernelSecurityCheckFailure, 5, "an argument is invalid", [3]string{}},
	{KernelSecurityCheckFailure, 14, "a count of references is wrong", [3]string{}},
}

// KindOf returns the kind that a first parameter selects, or nil.
func KindOf(c Code, parameter uintptr) *Kind {
	for i := range Kinds {
		if k := &Kinds[i]; k.Code == c && k.Value == parameter {
			return k
		}
	}
	return nil
}

// Parameter returns the meaning of the i-th parameter, counted from 0, of a code
// with the given first one.
func (d *Description) Parameter(i int, first uintptr) string {
	if i > 0 {
		if k := KindOf(d.Code, first); k != nil && k.Parameters != [3]string{} {
			return k.Parameters[i-1]
		}
	}
	return d.Parameters[i]
}
