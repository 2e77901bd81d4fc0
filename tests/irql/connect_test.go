package irql

import (
	"sync/atomic"
	"testing"

	"irqlab/board"
	"irqlab/irql"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func counts(_ PKINTERRUPT, context PVOID) BOOLEAN {
	atomic.AddUint32((*uint32)(context), 1)
	return true
}

// A vector or a SynchronizeIrql that does not exist is refused.
func TestConnectWrong(t *testing.T) {
	n := kit.New[uint32](t)
	for _, c := range []struct {
		vector      ULONG
		synchronize KIRQL
	}{
		{board.Lines, 8}, {1 << 31, 8}, {SoftwareVector - 1, 8}, {SoftwareVector, 7}, {SoftwareVector, HIGH_LEVEL + 1}, {SoftwareVector, 0xFF},
	} {
		i := PKINTERRUPT(PVOID(n))
		s := IoConnectInterrupt(&i, counts, PVOID(n), nil, c.vector, 8, c.synchronize, Latched, false, 1, false)
		if s != STATUS_INVALID_PARAMETER || i != nil {
			t.Errorf("vector %#x, SynchronizeIrql %d: %v, object %p", c.vector, c.synchronize, s, i)
		}
	}
}

func TestConnectEx(t *testing.T) {
	n := kit.New[uint32](t)
	var i PKINTERRUPT
	p := IO_CONNECT_INTERRUPT_PARAMETERS{Version: CONNECT_LINE_BASED}
	p.FullySpecified = IO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS{
		InterruptObject: &i, ServiceRoutine: counts, ServiceContext: PVOID(n), Vector: SoftwareVector,
		Irql: 8, SynchronizeIrql: 8, InterruptMode: Latched, ProcessorEnableMask: 1,
	}
	if s := IoConnectInterruptEx(&p); s != STATUS_NOT_SUPPORTED || p.Version != CONNECT_FULLY_SPECIFIED {
		t.Errorf("line-based: %v, version %d", s, p.Version)
	}
	p.Version, p.FullySpecified.Group = CONNECT_FULLY_SPECIFIED_GROUP, 1
	if s := IoConnectInterruptEx(&p); s != STATUS_INVALID_PARAMETER {
		t.Errorf("group 1: %v", s)
	}
	p.FullySpecified.Group = 0
	if s := IoConnectInterruptEx(&p); s != STATUS_SUCCESS {
		t.Fatal(s)
	}
	d := IO_DISCONNECT_INTERRUPT_PARAMETERS{Version: p.Version}
	d.ConnectionContext.InterruptObject = i

	var active, inactive, again uint32
	kit.Run(t, func() {
		kit.Interrupt(8)
		active = atomic.LoadUint32(n)
		kit.At(irql.Dispatch, func() { IoReportInterruptInactive(&d) })
		kit.Interrupt(8)
		inactive = atomic.LoadUint32(n)
		IoReportInterruptActive(&d)
		kit.Interrupt(8)
		again = atomic.LoadUint32(n)
	}, func() { kit.OnCPU(0) })
	if active != 1 || inactive != 1 || again != 2 {
		t.Errorf("%d calls while active, %d more while inactive, %d when active again", active, inactive-active, again-inactive)
	}
	IoDisconnectInterruptEx(&d)
}
