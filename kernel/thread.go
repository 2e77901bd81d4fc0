package kernel

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/list"
	"irqlab/ntstatus"
)

// State is where a thread stands between its creation and its end (KTHREAD_STATE).
type State uint8

const (
	StateInitialized State = iota
	StateReady             // in a ready queue
	StateRunning
	StateStandby // chosen to run next on a processor
	StateTerminated
	StateWaiting
)

// Thread is a KTHREAD: what the dispatcher knows of a thread. It lies in
// nonpaged pool; a Go M of the runtime and a system thread are one of these
// each. The header makes it an object that others wait for: it is signalled
// when the thread has ended.
//
// Unless a field says otherwise it is guarded by the dispatcher lock.
type Thread struct {
	Header  Header
	Context arch.Context

	ID           uint32
	State        State
	Priority     int8 // 0-31: 1-15 variable, 16-31 real-time
	BasePriority int8
	LockBoost    bool   // Priority was lifted for a lock or signal; see lend
	lentFrom     int8   // Priority without LockBoost
	lentFor      uint32 // how long it may run with it, 100 ns

	Quantum      int32  // remaining, in units of a third of a clock tick, as in NT
	CPU          uint32 // where it runs, or ran last
	Ideal        uint32 // where it is queued first
	Affinity     uint32 // set of processors it may run on, bit n is processor n
	UserAffinity uint32 // what it was before SetSystemAffinity, 0 unless that is in force
	TimeoutBoost int8   // for a wait that ends by its time; 0 as in NT
	lentUntil    uint64 // interrupt time at which LockBoost ends, once it runs
	ReadyTime    uint64 // arch.Counter when it became ready

	Queue list.Entry // in a ready queue

	WaitStatus  ntstatus.Status
	WaitIRQL    irql.Level
	WaitMode    uint8
	Alertable   bool
	Alerted     [2]bool // by mode: an alert is remembered
	waitNormal  bool    // the wait ends for a normal kernel APC, to be begun anew
	WaitNext    bool    // a wait follows that restores WaitIRQL (Wait = TRUE)
	keepsLock   bool    // the dispatcher lock is kept until then
	WaitCount   uint8
	WaitReason  uint8
	WaitBlocks  *WaitBlock                   // the first of the wait in progress
	ownBlocks   [threadWaitObjects]WaitBlock // for waits without an array
	Timer       Timer                        // of a wait with a timeout
	MutantList  list.Entry                   // mutants it owns
	KernelAPCs  int16                        // KernelApcDisable: negative while normal kernel APCs are off
	SpecialAPCs int16                        // SpecialApcDisable: negative while all are off

	APCs           [2]list.Entry // APC queues by mode (KAPC_STATE)
	APCPending     bool          // look into the kernel queue when IRQL is below APC_LEVEL
	APCInProgress  bool          // a normal kernel APC's routine runs
	calling        bool          // Calls is about to ask what is due
	UserAPCPending bool          // a user APC is due before its caller goes on
	APCQueueable   bool          // APCs may be queued
	call           *injected     // the injected call in progress

	SuspendCount     int8 // suspensions less resumptions
	suspendAPC       APC
	suspendSemaphore suspendSemaphore

	serving serving // a queue that it removes entries from

	Routine uintptr // code that the thread was made for, or that of its work item; 0 if unknown
	Work    uintptr // address of the work item that it runs; a worker thread must not end then

	System     bool // made by PsCreateSystemThread: a goroutine locked to its M
	Locked     bool // its goroutine is locked to it, so thread-owned objects may be used
	Go         bool // runs Go code: an M of the runtime
	ExitStatus ntstatus.Status
	Ending     bool  // it has ended or is about to: ExitStatus is decided
	CreateTime int64 // system time
	Callouts   int32 // KeExpandKernelStackAndCallout in progress
	NoBoost    bool  // its priority is not lifted for having waited (DisableBoost)
	FloatLevel uint8 // level of the innermost KeSaveFloatingPointState plus one; 0 for none

	Cycles   uint64 // counter ticks spent running
	Switches uint64 // times it was switched to

	Name [16]byte

	handlers uintptr // address of the Registration of its innermost try block, or 0; its own

	// Personality is storage of package linux for the system calls of the Go
	// runtime: signal mask, alternate stack, futex wait. See linux.state.
	Personality [32]uint64
}

// MinPriority and MaxPriority bound a thread's priority.
const (
	MinPriority       = 0
	LowRealtime       = 16
	MaxPriority       = 31
	DefaultPriority   = 8
	maxDynamic        = 15
	threadWaitObjects = 3
)

// APCDisable is the distance from a thread's context to its APC disable counts,
// KernelApcDisable in the low half (CombinedApcDisable).
const APCDisable = unsafe.Offsetof(Thread{}.KernelAPCs) - unsafe.Offsetof(Thread{}.Context)

// Current returns the running thread (KeGetCurrentThread).
//
// IRQL: any
func Current() *Thread { return ThreadOf(arch.ThisContext()) }

// ThreadOf returns the thread whose context c is.
//
// IRQL: any
func ThreadOf(c *arch.Context) *Thread {
	return (*Thread)(unsafe.Pointer(uintptr(unsafe.Pointer(c)) - unsafe.Offsetof(Thread{}.Context)))
}
