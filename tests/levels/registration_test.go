package levels

import (
	"unsafe"

	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() { add(callbackProbes); add(connectProbes); add(affinityProbes) }

func newCallback(c *caller) PCALLBACK_OBJECT {
	var o PCALLBACK_OBJECT
	if s := ExCreateCallback(&o, nil, true, true); s != STATUS_SUCCESS {
		c.Fatal(s)
	}
	c.Cleanup(func() { ObDereferenceObject(PVOID(o)) })
	return o
}

// called counts.
func called(context, _, _ PVOID) { *(*uint32)(context)++ }

var callbackProbes = map[string]probe{
	"ExCreateCallback": {call: func(c *caller) {
		var o PCALLBACK_OBJECT
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = ExCreateCallback(&o, nil, true, true) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
			ObDereferenceObject(PVOID(o))
		}
	}},
	"ExRegisterCallback": {call: func(c *caller) {
		o, n := newCallback(c), kit.New[uint32](c)
		var r PVOID
		if c.at(func() { r = ExRegisterCallback(o, called, PVOID(n)) }) {
			c.want(r != nil, "not registered")
			ExUnregisterCallback(r)
		}
	}},
	"ExUnregisterCallback": {call: func(c *caller) {
		o, n := newCallback(c), kit.New[uint32](c)
		r := ExRegisterCallback(o, called, PVOID(n))
		if !c.at(func() { ExUnregisterCallback(r) }) {
			ExUnregisterCallback(r)
		}
		ExNotifyCallback(PVOID(o), nil, nil)
		c.want(*n == 0, "called after the end of the registration")
	}},
	"ExNotifyCallback": {call: func(c *caller) {
		o, n := newCallback(c), kit.New[uint32](c)
		r := ExRegisterCallback(o, called, PVOID(n))
		if c.at(func() { ExNotifyCallback(PVOID(o), nil, nil) }) {
			c.want(*n == 1, "%d calls", *n)
		}
		ExUnregisterCallback(r)
	}},
	"PsSetCreateProcessNotifyRoutine": {call: func(c *caller) {
		r := func(_, _ HANDLE, _ BOOLEAN) {}
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = PsSetCreateProcessNotifyRoutine(r, false) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
			PsSetCreateProcessNotifyRoutine(r, true)
		}
	}},
}

// connection are the parameters of an interrupt that no device has.
func connection(i *PKINTERRUPT) *IO_CONNECT_INTERRUPT_PARAMETERS {
	return &IO_CONNECT_INTERRUPT_PARAMETERS{
		Version: CONNECT_FULLY_SPECIFIED,
		FullySpecified: IO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS{
			InterruptObject: i, ServiceRoutine: service, Vector: SoftwareVector,
			Irql: 3, SynchronizeIrql: 3, InterruptMode: Latched, ProcessorEnableMask: 1,
		},
	}
}

// connects probes a routine that connects an interrupt.
func connects(routine func(*IO_CONNECT_INTERRUPT_PARAMETERS) NTSTATUS) probe {
	return probe{call: func(c *caller) {
		var i PKINTERRUPT
		p, s := connection(&i), STATUS_UNSUCCESSFUL
		if c.at(func() { s = routine(p) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
			IoDisconnectInterrupt(i)
		}
	}}
}

// connected calls fn with what stands for an interrupt that is connected.
func connected(c *caller, fn func(d *IO_DISCONNECT_INTERRUPT_PARAMETERS)) {
	d := &IO_DISCONNECT_INTERRUPT_PARAMETERS{Version: CONNECT_FULLY_SPECIFIED}
	IoConnectInterruptEx(connection(&d.ConnectionContext.InterruptObject))
	fn(d)
}

// disconnects probes a routine that disconnects one.
func disconnects(routine func(*IO_DISCONNECT_INTERRUPT_PARAMETERS)) probe {
	return probe{call: func(c *caller) {
		connected(c, func(d *IO_DISCONNECT_INTERRUPT_PARAMETERS) {
			if !c.at(func() { routine(d) }) {
				routine(d)
			}
		})
	}}
}

// reports probes a routine that leaves the interrupt connected.
func reports(routine func(*IO_DISCONNECT_INTERRUPT_PARAMETERS)) probe {
	return probe{call: func(c *caller) {
		connected(c, func(d *IO_DISCONNECT_INTERRUPT_PARAMETERS) {
			c.at(func() { routine(d) })
			IoDisconnectInterruptEx(d)
		})
	}}
}

var connectProbes = map[string]probe{
	"IoConnectInterruptEx":          connects(IoConnectInterruptEx),
	"WdmlibIoConnectInterruptEx":    connects(WdmlibIoConnectInterruptEx),
	"IoDisconnectInterruptEx":       disconnects(IoDisconnectInterruptEx),
	"WdmlibIoDisconnectInterruptEx": disconnects(WdmlibIoDisconnectInterruptEx),
	"IoReportInterruptActive":       reports(IoReportInterruptActive),
	"IoReportInterruptInactive":     reports(IoReportInterruptInactive),
}

var affinityProbes = map[string]probe{
	"PsAllocateAffinityToken": {call: func(c *caller) {
		var token PAFFINITY_TOKEN
		if c.at(func() { PsAllocateAffinityToken(&token) }) {
			c.want(token != nil, "no token")
			PsFreeAffinityToken(token)
		}
	}},
	"PsFreeAffinityToken": {call: func(c *caller) {
		var token PAFFINITY_TOKEN
		PsAllocateAffinityToken(&token)
		c.at(func() { PsFreeAffinityToken(token) })
	}},
	"PsSetSystemMultipleGroupAffinityThread": {call: func(c *caller) {
		var token PAFFINITY_TOKEN
		PsAllocateAffinityToken(&token)
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = PsSetSystemMultipleGroupAffinityThread(&GROUP_AFFINITY{Mask: 1}, 1, token) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
			PsRevertToUserMultipleGroupAffinityThread(token)
		}
	}},
	"PsRevertToUserMultipleGroupAffinityThread": {call: func(c *caller) {
		var token PAFFINITY_TOKEN
		PsAllocateAffinityToken(&token)
		PsSetSystemMultipleGroupAffinityThread(&GROUP_AFFINITY{Mask: 1}, 1, token)
		if !c.at(func() { PsRevertToUserMultipleGroupAffinityThread(token) }) {
			PsRevertToUserMultipleGroupAffinityThread(token)
		}
	}},
	"KeQueryLogicalProcessorRelationship": {call: func(c *caller) {
		var room [128]uint64
		length := ULONG(unsafe.Sizeof(room))
		s := STATUS_UNSUCCESSFUL
		if c.at(func() {
			s = KeQueryLogicalProcessorRelationship(nil, RelationAll, (*SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX)(PVOID(&room[0])), &length)
		}) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"KeSetDisableBoostThread": {call: func(c *caller) {
		me := KeGetCurrentThread()
		if c.at(func() { KeSetDisableBoostThread(me, true) }) {
			c.want(KeSetDisableBoostThread(me, false), "not disabled")
		}
	}},
	"ExInitializeRundownProtectionCacheAwareEx": {call: func(c *caller) {
		r := kit.New[EX_RUNDOWN_REF_CACHE_AWARE](c)
		if c.at(func() { ExInitializeRundownProtectionCacheAwareEx(r, 0) }) {
			c.want(ExAcquireRundownProtectionCacheAware(r), "not ready")
		}
	}},
	"InterlockedCompareExchange128": {call: func(c *caller) {
		at := kit.New[[4]LONG64](c)
		done := UCHAR(0)
		if c.at(func() { done = InterlockedCompareExchange128(&at[0], 2, 1, &at[2]) }) {
			c.want(done == 1 && at[0] == 1 && at[1] == 2, "%d: %d", done, *at)
		}
	}},
}
