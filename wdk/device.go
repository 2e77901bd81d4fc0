package wdk

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/pool"
	"irqlab/registry"
	"irqlab/sync"
)

// DEVICE_OBJECT is the public structure, in nonpaged pool. What is there of the
// I/O system yet uses its Dpc and its Timer; New makes one.
type DEVICE_OBJECT struct {
	Type                  int16
	Size                  USHORT
	ReferenceCount        LONG
	DriverObject          uintptr
	NextDevice            uintptr
	AttachedDevice        uintptr
	CurrentIrp            uintptr
	Timer                 *IO_TIMER
	Flags                 ULONG
	Characteristics       ULONG
	Vpb                   uintptr
	DeviceExtension       uintptr
	DeviceType            ULONG
	StackSize             CCHAR
	_                     [3]byte
	Queue                 [72]byte // WAIT_CONTEXT_BLOCK
	AlignmentRequirement  ULONG
	_                     ULONG
	DeviceQueue           KDEVICE_QUEUE
	Dpc                   KDPC
	ActiveThreadCount     ULONG
	_                     ULONG
	SecurityDescriptor    uintptr
	DeviceLock            KEVENT
	SectorSize            USHORT
	Spare1                USHORT
	_                     ULONG
	DeviceObjectExtension uintptr
	Reserved              uintptr
}

// PDEVICE_OBJECT points to a DEVICE_OBJECT.
type PDEVICE_OBJECT = *DEVICE_OBJECT

// The public x64 layout.
var (
	_ [0xA0 - unsafe.Offsetof(DEVICE_OBJECT{}.DeviceQueue)]byte
	_ [0xC8 - unsafe.Offsetof(DEVICE_OBJECT{}.Dpc)]byte
	_ [0x118 - unsafe.Offsetof(DEVICE_OBJECT{}.DeviceLock)]byte
	_ [0x148 - unsafe.Sizeof(DEVICE_OBJECT{})]byte
	_ [unsafe.Sizeof(DEVICE_OBJECT{}) - 0x148]byte
)

type (
	// PIO_DPC_ROUTINE is the DpcForIsr of a device: resident code.
	//
	// IRQL: DISPATCH_LEVEL
	PIO_DPC_ROUTINE = func(Dpc PKDPC, DeviceObject PDEVICE_OBJECT, Irp PVOID, Context PVOID)

	// PIO_TIMER_ROUTINE is called once per second: resident code.
	//
	// IRQL: DISPATCH_LEVEL
	PIO_TIMER_ROUTINE = func(DeviceObject PDEVICE_OBJECT, Context PVOID)
)

// IoInitializeDpcRequest makes DpcRoutine what IoRequestDpc has called.
//
// IRQL: any
//
// Documentation: "IoInitializeDpcRequest function (wdm.h)"
func IoInitializeDpcRequest(DeviceObject PDEVICE_OBJECT, DpcRoutine PIO_DPC_ROUTINE) {
	mayBecome(&aDevice, unsafe.Pointer(DeviceObject))
	// The routines differ in the types of two pointers.
	routine := *(*PKDEFERRED_ROUTINE)(unsafe.Pointer(&DpcRoutine))
	KeInitializeDpc(&DeviceObject.Dpc, routine, PVOID(DeviceObject))
}

// IoRequestDpc has the device's DpcForIsr called. Requests that come before it
// runs are one. Irp and Context are its arguments.
//
// IRQL: the interrupt's SynchronizeIrql
//
// Documentation: "IoRequestDpc function (wdm.h)"
func IoRequestDpc(DeviceObject PDEVICE_OBJECT, Irp PVOID, Context PVOID) {
	if l := irql.Current(); Checked && (l < irql.DeviceMin || l > irql.DeviceMax) {
		bugcheck.Stop(bugcheck.VerifierDetectedViolation, wrongLevel, uintptr(l), uintptr(irql.DeviceMin), uintptr(irql.DeviceMax))
	}
	mustBe(&aDevice, unsafe.Pointer(DeviceObject))
	KeInsertQueueDpc(&DeviceObject.Dpc, Irp, Context)
}

// IO_TIMER is a device's timer. Its fields are nobody's business.
type IO_TIMER struct {
	timer            sync.Timer
	dpc              KDPC
	routine, context uintptr
	device           PDEVICE_OBJECT
	running          uint32 // the processor that calls the routine, plus one
}

const ioTimerTag pool.Tag = 'I' | 'o'<<8 | 'T'<<16 | 'i'<<24

// stoppedInside is parameter 1 of bug check TIMER_OR_DPC_INVALID, an undocumented
// value: IoStopTimer was called by the timer's own routine.
const stoppedInside = 10

// IoInitializeTimer gives the device a timer whose routine is called once per
// second while it is started. There is one to a device; its memory stays until
// the device has a way to be deleted. It returns STATUS_SUCCESS or
// STATUS_INSUFFICIENT_RESOURCES.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "IoInitializeTimer function (wdm.h)"
func IoInitializeTimer(DeviceObject PDEVICE_OBJECT, TimerRoutine PIO_TIMER_ROUTINE, Context PVOID) NTSTATUS {
	atMost(irql.Passive)
	mayBecome(&aDevice, unsafe.Pointer(DeviceObject))
	mustCall(TimerRoutine)
	t := DeviceObject.Timer
	if t == nil {
		t = (*IO_TIMER)(pool.Alloc(unsafe.Sizeof(IO_TIMER{}), ioTimerTag))
		if t == nil {
			return STATUS_INSUFFICIENT_RESOURCES
		}
		t.timer.InitNotification()
		t.dpc.Init(ioTimerExpired, PVOID(t))
		t.device = DeviceObject
		DeviceObject.Timer = t
	}
	registry.Hold(unsafe.Pointer(t), *(*unsafe.Pointer)(unsafe.Pointer(&TimerRoutine)), Context)
	t.routine, t.context = *(*uintptr)(unsafe.Pointer(&TimerRoutine)), uintptr(Context)
	return STATUS_SUCCESS
}

// IoStartTimer has the device's timer routine called, first in a second.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoStartTimer function (wdm.h)"
func IoStartTimer(DeviceObject PDEVICE_OBJECT) {
	atMostWith(irql.Dispatch, &aDevice, unsafe.Pointer(DeviceObject))
	DeviceObject.Timer.timer.Set(-Second, 1000, &DeviceObject.Timer.dpc)
}

// IoStopTimer stops the calls of the device's timer routine, which must not call
// it itself.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoStopTimer function (wdm.h)"
func IoStopTimer(DeviceObject PDEVICE_OBJECT) {
	atMostWith(irql.Dispatch, &aDevice, unsafe.Pointer(DeviceObject))
	t := DeviceObject.Timer
	if Checked && irql.Current() == irql.Dispatch && t.running == arch.ThisCPU().ID+1 {
		bugcheck.StopBecause("IoStopTimer was called by the timer's own routine",
			bugcheck.TimerOrDPCInvalid, stoppedInside, uintptr(unsafe.Pointer(DeviceObject)), 0, 0)
	}
	t.timer.Cancel()
}

// ioTimerExpired is the routine of every IO_TIMER's DPC.
func ioTimerExpired(_ PKDPC, context, _, _ PVOID) {
	t := (*IO_TIMER)(context)
	t.running = arch.ThisCPU().ID + 1
	(*(*PIO_TIMER_ROUTINE)(unsafe.Pointer(&t.routine)))(t.device, PVOID(t.context))
	t.running = 0
}
