package wdk

import (
	"unsafe"

	"irqlab/irql"
)

// Versions of IO_CONNECT_INTERRUPT_PARAMETERS.
const (
	CONNECT_FULLY_SPECIFIED       ULONG = 1
	CONNECT_LINE_BASED            ULONG = 2
	CONNECT_MESSAGE_BASED         ULONG = 3
	CONNECT_FULLY_SPECIFIED_GROUP ULONG = 4
)

// IO_CONNECT_INTERRUPT_PARAMETERS go with IoConnectInterruptEx. Of the union, the
// member that is supported.
type IO_CONNECT_INTERRUPT_PARAMETERS struct {
	Version        ULONG
	FullySpecified IO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS
}

// IO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS are the parameters of
// IoConnectInterrupt.
type IO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS struct {
	PhysicalDeviceObject PDEVICE_OBJECT
	InterruptObject      *PKINTERRUPT
	ServiceRoutine       PKSERVICE_ROUTINE
	ServiceContext       PVOID
	SpinLock             PKSPIN_LOCK
	SynchronizeIrql      KIRQL
	FloatingSave         BOOLEAN
	ShareVector          BOOLEAN
	Vector               ULONG
	Irql                 KIRQL
	InterruptMode        KINTERRUPT_MODE
	ProcessorEnableMask  KAFFINITY
	Group                USHORT
}

// IO_DISCONNECT_INTERRUPT_PARAMETERS go with IoDisconnectInterruptEx.
type IO_DISCONNECT_INTERRUPT_PARAMETERS struct {
	Version           ULONG
	ConnectionContext struct{ InterruptObject PKINTERRUPT }
}

// IO_REPORT_INTERRUPT_ACTIVE_STATE_PARAMETERS go with IoReportInterruptActive.
type IO_REPORT_INTERRUPT_ACTIVE_STATE_PARAMETERS = IO_DISCONNECT_INTERRUPT_PARAMETERS

// IoConnectInterruptEx is IoConnectInterrupt for CONNECT_FULLY_SPECIFIED and
// CONNECT_FULLY_SPECIFIED_GROUP. Another version, which would need a device that
// the system has found, is STATUS_NOT_SUPPORTED, and Version says then what would
// do; a group other than 0 is STATUS_INVALID_PARAMETER.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "IoConnectInterruptEx function (wdm.h)"
func IoConnectInterruptEx(Parameters *IO_CONNECT_INTERRUPT_PARAMETERS) NTSTATUS {
	atMost(irql.Passive)
	mustReach(unsafe.Pointer(Parameters), unsafe.Sizeof(*Parameters))
	p := &Parameters.FullySpecified
	switch {
	case Parameters.Version != CONNECT_FULLY_SPECIFIED && Parameters.Version != CONNECT_FULLY_SPECIFIED_GROUP:
		Parameters.Version = CONNECT_FULLY_SPECIFIED
		return STATUS_NOT_SUPPORTED
	case Parameters.Version == CONNECT_FULLY_SPECIFIED_GROUP && p.Group != 0:
		return STATUS_INVALID_PARAMETER
	}
	return IoConnectInterrupt(p.InterruptObject, p.ServiceRoutine, p.ServiceContext, p.SpinLock, p.Vector, p.Irql,
		p.SynchronizeIrql, p.InterruptMode, p.ShareVector, p.ProcessorEnableMask, p.FloatingSave)
}

// WdmlibIoConnectInterruptEx is IoConnectInterruptEx.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func WdmlibIoConnectInterruptEx(Parameters *IO_CONNECT_INTERRUPT_PARAMETERS) NTSTATUS {
	return IoConnectInterruptEx(Parameters)
}

// IoDisconnectInterruptEx ends what IoConnectInterruptEx began.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "IoDisconnectInterruptEx function (wdm.h)"
func IoDisconnectInterruptEx(Parameters *IO_DISCONNECT_INTERRUPT_PARAMETERS) {
	atMost(irql.Passive)
	mustReach(unsafe.Pointer(Parameters), unsafe.Sizeof(*Parameters))
	IoDisconnectInterrupt(Parameters.ConnectionContext.InterruptObject)
}

// WdmlibIoDisconnectInterruptEx is IoDisconnectInterruptEx.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: none of its own.
func WdmlibIoDisconnectInterruptEx(Parameters *IO_DISCONNECT_INTERRUPT_PARAMETERS) {
	IoDisconnectInterruptEx(Parameters)
}

// IoReportInterruptInactive keeps the service routine from being called, and the
// line masked if no other uses it, until IoReportInterruptActive.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoReportInterruptInactive function (wdm.h)"
func IoReportInterruptInactive(Parameters *IO_REPORT_INTERRUPT_ACTIVE_STATE_PARAMETERS) {
	atMost(irql.Dispatch)
	mustReach(unsafe.Pointer(Parameters), unsafe.Sizeof(*Parameters))
	mustBe(&anInterrupt, unsafe.Pointer(Parameters.ConnectionContext.InterruptObject))
	Parameters.ConnectionContext.InterruptObject.SetActive(false)
}

// IoReportInterruptActive undoes IoReportInterruptInactive.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "IoReportInterruptActive function (wdm.h)"
func IoReportInterruptActive(Parameters *IO_REPORT_INTERRUPT_ACTIVE_STATE_PARAMETERS) {
	atMost(irql.Dispatch)
	mustReach(unsafe.Pointer(Parameters), unsafe.Sizeof(*Parameters))
	mustBe(&anInterrupt, unsafe.Pointer(Parameters.ConnectionContext.InterruptObject))
	Parameters.ConnectionContext.InterruptObject.SetActive(true)
}
