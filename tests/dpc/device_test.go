package dpc

import (
	"sync/atomic"
	"testing"

	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// requests are what a device's routines know.
type requests struct {
	device   *DEVICE_OBJECT
	asked    uint32
	calls    uint32
	irp      uintptr
	level    KIRQL
	isrLevel KIRQL
	wrong    uint32
}

// asks is a service routine that requests its DPC three times.
func asks(_ PKINTERRUPT, context PVOID) BOOLEAN {
	r := (*requests)(context)
	r.isrLevel = KeGetCurrentIrql()
	for range 3 {
		r.asked++
		IoRequestDpc(r.device, PVOID(uintptr(r.asked)), context)
	}
	return true
}

func serves(_ PKDPC, device PDEVICE_OBJECT, irp, context PVOID) {
	r := (*requests)(context)
	r.irp, r.level = uintptr(irp), KeGetCurrentIrql()
	if device != r.device {
		r.wrong++
	}
	atomic.AddUint32(&r.calls, 1)
}

// rule: dpc-iorequest-level
func TestRequestDpc(t *testing.T) {
	r := kit.New[requests](t)
	r.device = kit.New[DEVICE_OBJECT](t)
	IoInitializeDpcRequest(r.device, serves)
	var i PKINTERRUPT
	s := IoConnectInterrupt(&i, asks, PVOID(r), nil, SoftwareVector, 7, 7, Latched, false, 1, false)
	if s != STATUS_SUCCESS {
		t.Fatal(s)
	}
	defer IoDisconnectInterrupt(i)
	kit.Run(t, func() { kit.Interrupt(7) }, func() { kit.OnCPU(0) })
	kit.Until(t, "the DPC", func() bool { return atomic.LoadUint32(&r.calls) != 0 })
	if r.calls != 1 || r.asked != 3 || r.irp != 1 || r.wrong != 0 || r.level != DISPATCH_LEVEL || r.isrLevel != 7 {
		t.Errorf("%+v", *r)
	}
}
