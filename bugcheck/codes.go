// Package bugcheck stops the machine with a documented code, and says why on
// the console. It runs at any IRQL, in any context, takes no lock and
// allocates nothing: the only state it trusts is the frame it is given.
//
// The first processor to call wins; the others are frozen where they are and
// the console belongs to the stop screen (see stop.go).
package bugcheck

// Code is a bug check code ("Bug Check Code Reference").
type Code uint32

// The codes that this kernel raises, and those that its documentation names.
const (
	APCIndexMismatch              Code = 0x01
	DeviceQueueNotBusy            Code = 0x02
	InvalidAffinitySet            Code = 0x03
	InvalidProcessAttach          Code = 0x05
	InvalidProcessDetach          Code = 0x06
	IRQLNotDispatchLevel          Code = 0x08
	IRQLNotGreaterOrEqual         Code = 0x09
	IRQLNotLessOrEqual            Code = 0x0A
	MaximumWaitObjects            Code = 0x0C
	MutexLevelNumber              Code = 0x0D
	SpinLockAlreadyOwned          Code = 0x0F
	SpinLockNotOwned              Code = 0x10
	ThreadNotMutexOwner           Code = 0x11
	ReferenceByPointer            Code = 0x18
	BadPoolHeader                 Code = 0x19
	KmodeExceptionNotHandled      Code = 0x1E
	KernelAPCPendingDuringExit    Code = 0x20
	NoMoreIRPStackLocations       Code = 0x35
	SystemExitOwnedMutex          Code = 0x39
	InterruptException            Code = 0x3D
	MultipleIRPComplete           Code = 0x44
	CancelStateInCompletedIRP     Code = 0x48
	IRQLGreaterThanZeroAtService  Code = 0x4A
	NoPagesAvailable              Code = 0x4D
	PfnListCorrupt                Code = 0x4E
	PageFaultInNonpagedArea       Code = 0x50
	KernelDataInpageError         Code = 0x7A
	SystemThreadException         Code = 0x7E
	UnexpectedKernelModeTrap      Code = 0x7F
	NMIHardwareFailure            Code = 0x80
	InvalidKernelHandle           Code = 0x93
	InvalidWorkQueueItem          Code = 0x96
	AttemptedSwitchFromDPC        Code = 0xB8
	SpecialPoolCorruption         Code = 0xC1
	BadPoolCaller                 Code = 0xC2
	VerifierDetectedViolation     Code = 0xC4
	DriverCorruptedPool           Code = 0xC5
	TimerOrDPCInvalid             Code = 0xC7
	IRQLUnexpectedValue           Code = 0xC8
	PageFaultInFreedSpecialPool   Code = 0xCC
	PageFaultBeyondEnd            Code = 0xCD
	DriverUnloadedPending         Code = 0xCE
	DriverIRQLNotLessOrEqual      Code = 0xD1
	DriverFaultInFreedSpecialPool Code = 0xD5
	DriverFaultBeyondEnd          Code = 0xD6
	ImpersonatingWorkerThread     Code = 0xDF
	WorkerThreadReturnedAtBadIRQL Code = 0xE1
	ManuallyInitiatedCrash        Code = 0xE2
	ResourceNotOwned              Code = 0xE3
	WorkerInvalid                 Code = 0xE4
	WorkerThreadTermination       Code = 0xE9
	CriticalObjectTermination     Code = 0xF4
	ClockWatchdogTimeout          Code = 0x101
	ResourceOwnerPointer          Code = 0x132
	DPCWatchdogViolation          Code = 0x133
	KernelSecurityCheckFailure    Code = 0x139
	LockEntryLeaked               Code = 0x153
	PriorityFloorViolation        Code = 0x157
	AutoBoostInvalidRelease       Code = 0x162
	AutoBoostRaisedIRQL           Code = 0x192
	ThreadTerminateHeldMutex      Code = 0x4000008A
)
