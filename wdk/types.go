package wdk

import (
	"unsafe"

	"irqlab/dpc"
	"irqlab/intr"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/list"
	"irqlab/ntstatus"
	"irqlab/ob"
	"irqlab/sync"
	"irqlab/sync/spin"
)

// Basic types.
type (
	BOOLEAN       = bool
	UCHAR         = uint8
	CCHAR         = int8
	USHORT        = uint16
	LONG          = int32
	ULONG         = uint32
	LONG64        = int64
	LONGLONG      = int64
	ULONG64       = uint64
	ULONGLONG     = uint64
	LARGE_INTEGER = int64
	SIZE_T        = uintptr
	ULONG_PTR     = uintptr
	PVOID         = unsafe.Pointer

	NTSTATUS    = ntstatus.Status
	HANDLE      = ob.Handle
	ACCESS_MASK = uint32
	KAFFINITY   = uintptr
	KIRQL       = irql.Level
	KPRIORITY   = int32
	LIST_ENTRY  = list.Entry

	PLONG          = *LONG
	PULONG         = *ULONG
	PBOOLEAN       = *BOOLEAN
	PLARGE_INTEGER = *LARGE_INTEGER
	PHANDLE        = *HANDLE
	PKIRQL         = *KIRQL
	PLIST_ENTRY    = *LIST_ENTRY
)

// Kernel objects.
type (
	KEVENT             = sync.Event
	KMUTEX             = sync.Mutex
	KMUTANT            = sync.Mutex
	KSEMAPHORE         = sync.Semaphore
	KTIMER             = sync.Timer
	KTHREAD            = kernel.Thread
	KDPC               = dpc.Object
	KINTERRUPT         = intr.Interrupt
	KSPIN_LOCK         = spin.Lock
	KLOCK_QUEUE_HANDLE = spin.QueueHandle
	KWAIT_BLOCK        = kernel.WaitBlock

	PKEVENT             = *KEVENT
	PRKEVENT            = *KEVENT
	PKMUTEX             = *KMUTEX
	PRKMUTEX            = *KMUTEX
	PKMUTANT            = *KMUTANT
	PKSEMAPHORE         = *KSEMAPHORE
	PRKSEMAPHORE        = *KSEMAPHORE
	PKTIMER             = *KTIMER
	PKTHREAD            = *KTHREAD
	PETHREAD            = *KTHREAD
	PKDPC               = *KDPC
	PRKDPC              = *KDPC
	PKINTERRUPT         = *KINTERRUPT
	PKSPIN_LOCK         = *KSPIN_LOCK
	PKLOCK_QUEUE_HANDLE = *KLOCK_QUEUE_HANDLE
	PKWAIT_BLOCK        = *KWAIT_BLOCK
)

// EVENT_TYPE is the kind of an event.
type EVENT_TYPE int32

const (
	NotificationEvent    EVENT_TYPE = 0
	SynchronizationEvent EVENT_TYPE = 1
)

// TIMER_TYPE is the kind of a timer.
type TIMER_TYPE int32

const (
	NotificationTimer    TIMER_TYPE = 0
	SynchronizationTimer TIMER_TYPE = 1
)

// WAIT_TYPE says what ends a wait for several objects.
type WAIT_TYPE = kernel.WaitType

const (
	WaitAll = kernel.WaitAll
	WaitAny = kernel.WaitAny
)

// KWAIT_REASON says what a wait is for; drivers give Executive.
type KWAIT_REASON uint8

const (
	Executive      KWAIT_REASON = 0
	FreePage       KWAIT_REASON = 1
	PageIn         KWAIT_REASON = 2
	PoolAllocation KWAIT_REASON = 3
	DelayExecution KWAIT_REASON = 4
	Suspended      KWAIT_REASON = 5
	UserRequest    KWAIT_REASON = 6
)

// KPROCESSOR_MODE says on whose behalf a routine is called.
type KPROCESSOR_MODE = kernel.Mode

const (
	KernelMode = kernel.KernelMode
	UserMode   = kernel.UserMode
)

// KDPC_IMPORTANCE decides how soon a DPC is served.
type KDPC_IMPORTANCE = dpc.Importance

const (
	LowImportance        = dpc.Low
	MediumImportance     = dpc.Medium
	HighImportance       = dpc.High
	MediumHighImportance = dpc.MediumHigh
)

// KINTERRUPT_MODE says how a line signals.
type KINTERRUPT_MODE = intr.Mode

const (
	LevelSensitive = intr.LevelSensitive
	Latched        = intr.Latched
)

// Callbacks.
type (
	// PKSTART_ROUTINE is the routine of a system thread.
	//
	// IRQL: PASSIVE_LEVEL
	PKSTART_ROUTINE = func(StartContext PVOID)

	// PKDEFERRED_ROUTINE is the routine of a DPC: resident code.
	//
	// IRQL: DISPATCH_LEVEL; a threaded DPC's PASSIVE_LEVEL
	PKDEFERRED_ROUTINE = dpc.Routine

	// PKSERVICE_ROUTINE is an interrupt service routine: resident code.
	//
	// IRQL: the interrupt's SynchronizeIrql
	PKSERVICE_ROUTINE = intr.Routine

	// PKSYNCHRONIZE_ROUTINE runs protected from a service routine: resident
	// code.
	//
	// IRQL: the interrupt's SynchronizeIrql
	PKSYNCHRONIZE_ROUTINE = func(SynchronizeContext PVOID) BOOLEAN

	// PKIPI_BROADCAST_WORKER runs on every processor: resident code.
	//
	// IRQL: IPI_LEVEL
	PKIPI_BROADCAST_WORKER = func(Argument ULONG_PTR) ULONG_PTR
)

// IRQLs.
const (
	PASSIVE_LEVEL  = irql.Passive
	LOW_LEVEL      = irql.Passive
	APC_LEVEL      = irql.APC
	DISPATCH_LEVEL = irql.Dispatch
	CLOCK_LEVEL    = irql.Clock
	IPI_LEVEL      = irql.IPI
	POWER_LEVEL    = irql.IPI
	HIGH_LEVEL     = irql.High
)

// Priorities and the usual increments for those who are woken.
const (
	LOW_PRIORITY          = kernel.MinPriority
	LOW_REALTIME_PRIORITY = kernel.LowRealtime
	HIGH_PRIORITY         = kernel.MaxPriority
	MAXIMUM_PRIORITY      = kernel.MaxPriority + 1

	IO_NO_INCREMENT     = 0
	EVENT_INCREMENT     = 1
	SEMAPHORE_INCREMENT = 1
	MUTANT_INCREMENT    = 1
)

// Limits of waits.
const (
	THREAD_WAIT_OBJECTS  = kernel.ThreadWaitObjects
	MAXIMUM_WAIT_OBJECTS = kernel.MaximumWaitObjects
)

// Access rights.
const (
	SYNCHRONIZE       ACCESS_MASK = ob.Synchronize
	GENERIC_ALL       ACCESS_MASK = ob.GenericAll
	THREAD_ALL_ACCESS ACCESS_MASK = 0x1F_FFFF

	THREAD_TERMINATE       ACCESS_MASK = 0x0001
	THREAD_SUSPEND_RESUME  ACCESS_MASK = 0x0002
	THREAD_ALERT           ACCESS_MASK = 0x0004
	THREAD_SET_CONTEXT     ACCESS_MASK = 0x0010
	THREAD_SET_INFORMATION ACCESS_MASK = 0x0020

	EVENT_ALL_ACCESS ACCESS_MASK = 0x1F_0003
)

// Times, in units of 100 ns.
const (
	Millisecond LARGE_INTEGER = kernel.Millisecond
	Second      LARGE_INTEGER = kernel.Second
)
