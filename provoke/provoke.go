// Package provoke breaks rules of the kernel on purpose, one for every bug check
// that can be brought about, as NotMyFault does on Windows: it does what a driver
// with the error would do, so that the stop, its screen and its dump can be looked
// at.
package provoke

import (
	"os"
	"slices"
	"strings"
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/linux"
	. "irqlab/wdk"
)

// Provocation is a way to a bug check.
type Provocation struct {
	Code bugcheck.Code
	What string // a driver does, such as: "waits in a DPC routine"

	do func()
}

// Option returns the kernel option without which the machine would not notice, or
// "".
func (p *Provocation) Option() string {
	switch p.Code {
	case bugcheck.SpecialPoolCorruption, bugcheck.PageFaultInFreedSpecialPool, bugcheck.PageFaultBeyondEnd,
		bugcheck.DriverFaultInFreedSpecialPool, bugcheck.DriverFaultBeyondEnd:
		return "special=Bugs" // this package's tag
	case bugcheck.DriverUnloadedPending:
		return "verifier=leaks"
	}
	return ""
}

// Do does it, and does not return, unless the machine does not notice. Without the
// option it does nothing.
func (p *Provocation) Do() {
	if o := p.Option(); o == "" || given(o) {
		p.do()
	}
}

// given reports whether the kernel has an option, maybe as one of a list.
func given(option string) bool {
	name, word, _ := strings.Cut(option, "=")
	value, _ := linux.Option(name)
	return value == "on" || value == "all" || slices.Contains(strings.Split(value, ","), word)
}

// Find returns the way to a code.
func Find(c bugcheck.Code) (p *Provocation, ok bool) {
	for i := range All {
		if All[i].Code == c {
			return &All[i], true
		}
	}
	return nil, false
}

// All has a provocation for each code, ordered by code.
var All = []Provocation{
	{bugcheck.APCIndexMismatch, "leaves a critical region that it has not entered", KeLeaveCriticalRegion},
	{bugcheck.InvalidAffinitySet, "runs a thread on a processor that there is not", func() { KeSetAffinityThread(KeGetCurrentThread(), 1<<40) }},
	{bugcheck.InvalidProcessAttach, "attaches to a process in a DPC routine", attachInDPC},
	{bugcheck.InvalidProcessDetach, "detaches from a process that it is not attached to", detach},
	{bugcheck.IRQLNotGreaterOrEqual, "raises IRQL to a lower level", raiseToLower},
	{bugcheck.IRQLNotLessOrEqual, "gives the kernel a bad address at DISPATCH_LEVEL", badEvent},
	{bugcheck.MaximumWaitObjects, "waits for 65 objects", waitForTooMany},
	{bugcheck.SpinLockAlreadyOwned, "acquires a spin lock twice", acquireTwice},
	{bugcheck.SpinLockNotOwned, "releases a spin lock that it does not hold", releaseUnowned},
	{bugcheck.ReferenceByPointer, "drops a reference that it does not have", dereferenceTwice},
	{bugcheck.BadPoolHeader, "writes beyond the end of a pool block", overrun},
	{bugcheck.KmodeExceptionNotHandled, "raises an exception that its filter does not want", unhandledException},
	{bugcheck.KernelAPCPendingDuringExit, "ends a thread in a critical region", exitInRegion},
	{bugcheck.SystemExitOwnedMutex, "returns from a work item with a mutex", workItemKeepsMutex},
	{bugcheck.InterruptException, "executes an invalid instruction in an interrupt service routine", faultInISR},
	{bugcheck.NoPagesAvailable, "touches paged pool when there is no memory to bring it back to", touchWithoutMemory},
	{bugcheck.PfnListCorrupt, "unlocks memory twice that it locked once", unlockTwice},
	{bugcheck.PageFaultInNonpagedArea, "writes to pool that was unmapped", touchUnmapped},
	{bugcheck.KernelDataInpageError, "touches paged pool that a bad disk does not give back", touchUnreadable},
	{bugcheck.SystemThreadException, "follows a nil pointer in a system thread", nilInThread},
	{bugcheck.UnexpectedKernelModeTrap, "overflows the kernel stack", overflowStack},
	{bugcheck.NMIHardwareFailure, "sends a non-maskable interrupt that nobody claims", sendNMI},
	{bugcheck.InvalidKernelHandle, "closes a handle that is not open", closeBadHandle},
	{bugcheck.InvalidWorkQueueItem, "puts an entry into a kernel queue twice", queueTwice},
	{bugcheck.AttemptedSwitchFromDPC, "waits in a DPC routine", waitInDPC},
	{bugcheck.SpecialPoolCorruption, "writes beyond the end of a block of special pool, on the same page", overrunSpecial},
	{bugcheck.BadPoolCaller, "frees pool twice", freeTwice},
	{bugcheck.VerifierDetectedViolation, "acquires a fast mutex that it holds", fastMutexTwice},
	{bugcheck.TimerOrDPCInvalid, "frees a timer that is set", freeSetTimer},
	{bugcheck.IRQLUnexpectedValue, "returns from a DPC routine at another level", raiseInDPC},
	{bugcheck.PageFaultInFreedSpecialPool, "has the kernel touch special pool that it has freed", setFreedSpecial},
	{bugcheck.PageFaultBeyondEnd, "has the kernel touch what is behind a block of special pool", setBehindSpecial},
	{bugcheck.DriverUnloadedPending, "is unloaded while a thread of it runs", unloadWithThread},
	{bugcheck.DriverIRQLNotLessOrEqual, "touches a bad address at DISPATCH_LEVEL", touchAtDispatch},
	{bugcheck.DriverFaultInFreedSpecialPool, "touches special pool that it has freed", touchFreedSpecial},
	{bugcheck.DriverFaultBeyondEnd, "touches what is behind a block of special pool", touchBehindSpecial},
	{bugcheck.WorkerThreadReturnedAtBadIRQL, "returns from a work item at APC_LEVEL", workItemStaysRaised},
	{bugcheck.ManuallyInitiatedCrash, "asks for it", func() { KeBugCheck(ULONG(bugcheck.ManuallyInitiatedCrash)) }},
	{bugcheck.ResourceNotOwned, "releases a resource that it does not own", releaseResource},
	{bugcheck.WorkerInvalid, "queues a work item that is queued", queueItemTwice},
	{bugcheck.WorkerThreadTermination, "ends the thread that runs its work item", workItemEndsThread},
	{bugcheck.ClockWatchdogTimeout, "keeps a processor at HIGH_LEVEL for ever", hangProcessor},
	{bugcheck.ResourceOwnerPointer, "makes the owner of a resource an address that is none", badOwnerPointer},
	{bugcheck.DPCWatchdogViolation, "computes for ever in a DPC routine", spinInDPC},
	{bugcheck.KernelSecurityCheckFailure, "initializes an event that a thread waits for", initializeInUse},
	{bugcheck.ThreadTerminateHeldMutex, "ends a thread that owns a mutex", exitWithMutex},
}

var tag = Tag("Bugs")

// object returns a cleared T in nonpaged pool.
func object[T any]() *T { return New[T](tag) }

// nothing is a bad address, and zero is 0, which the compiler must not know.
var (
	zero    = len(os.Args) >> 32
	nothing = unsafe.Pointer(uintptr(zero))
)

// inThread runs fn on a system thread and waits for its end.
func inThread(fn func()) {
	var h HANDLE
	PsCreateSystemThread(&h, SYNCHRONIZE, nil, 0, nil, func(PVOID) { fn() }, nil)
	ZwWaitForSingleObject(h, false, nil)
}

// sleep waits for what others do.
func sleep() {
	second := -LARGE_INTEGER(1e7)
	for {
		KeDelayExecutionThread(KernelMode, false, &second)
	}
}

// inDPC runs fn as a DPC.
func inDPC(fn func()) {
	d := object[KDPC]()
	KeInitializeDpc(d, func(_ PKDPC, _, _, _ PVOID) { fn() }, nil)
	KeInsertQueueDpc(d, nil, nil)
	sleep()
}

// inWorkItem runs fn as a work item.
func inWorkItem(fn func()) {
	w := object[WORK_QUEUE_ITEM]()
	ExInitializeWorkItem(w, func(PVOID) { fn() }, nil)
	ExQueueWorkItem(w, DelayedWorkQueue)
	sleep()
}
