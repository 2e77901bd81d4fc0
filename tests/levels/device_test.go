package levels

import (
	"irqlab/irql"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() { add(exTimerProbes); add(deviceProbes); add(genericProbes) }

func exTimer() PEX_TIMER { return ExAllocateTimer(nil, nil, 0) }

var exTimerProbes = map[string]probe{
	"ExAllocateTimer": {call: func(c *caller) {
		var m PEX_TIMER
		if c.at(func() { m = exTimer() }) {
			c.want(m != nil, "no memory")
			ExDeleteTimer(m, true, true, nil)
		}
	}},
	"ExSetTimer": {call: func(c *caller) {
		m := exTimer()
		ran := c.at(func() { ExSetTimer(m, farAway, 0, nil) })
		c.want(ExDeleteTimer(m, true, true, nil) == ran, "set: %v", !ran)
	}},
	"ExCancelTimer": {call: func(c *caller) {
		m, was := exTimer(), false
		ExSetTimer(m, farAway, 0, nil)
		if c.at(func() { was = ExCancelTimer(m, nil) }) {
			c.want(was, "not set")
		}
		ExDeleteTimer(m, true, true, nil)
	}},
	"ExDeleteTimer": {call: func(c *caller) {
		m := exTimer()
		if !c.at(func() { ExDeleteTimer(m, true, false, nil) }) {
			ExDeleteTimer(m, true, true, nil)
		}
	}},
	"ExDeleteTimer Wait": {levels: atMostAPC, call: func(c *caller) {
		m := exTimer()
		if !c.at(func() { ExDeleteTimer(m, true, true, nil) }) {
			ExDeleteTimer(m, true, true, nil)
		}
	}},
	"ExInitializeSetTimerParameters":    simply(func() { ExInitializeSetTimerParameters(&setParameters) }),
	"ExInitializeDeleteTimerParameters": simply(func() { ExInitializeDeleteTimerParameters(&deleteParameters) }),
}

var (
	setParameters    EXT_SET_PARAMETERS
	deleteParameters EXT_DELETE_PARAMETERS
)

func deviceDPC(PKDPC, PDEVICE_OBJECT, PVOID, PVOID) {}

func deviceTimer(PDEVICE_OBJECT, PVOID) {}

var deviceProbes = map[string]probe{
	"IoInitializeDpcRequest": {call: func(c *caller) {
		d := kit.New[DEVICE_OBJECT](c)
		c.at(func() { IoInitializeDpcRequest(d, deviceDPC) })
	}},
	"IoRequestDpc": {call: func(c *caller) {
		d := kit.New[DEVICE_OBJECT](c)
		IoInitializeDpcRequest(d, deviceDPC)
		c.at(func() { IoRequestDpc(d, nil, nil) })
		KeFlushQueuedDpcs()
	}},
	"IoInitializeTimer": {call: func(c *caller) {
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = IoInitializeTimer(&timed, deviceTimer, nil) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"IoStartTimer": {call: func(c *caller) {
		IoInitializeTimer(&timed, deviceTimer, nil)
		if c.at(func() { IoStartTimer(&timed) }) {
			IoStopTimer(&timed)
		}
	}},
	"IoStopTimer": {call: func(c *caller) {
		IoInitializeTimer(&timed, deviceTimer, nil)
		c.at(func() { IoStopTimer(&timed) })
	}},
}

// timed is a device with a timer, which it keeps.
var timed DEVICE_OBJECT

// answer is a routine of a generic DPC.
func answer(_ PKDPC, _, SystemArgument1, SystemArgument2 PVOID) {
	KeSignalCallDpcSynchronize(SystemArgument2)
	KeSignalCallDpcDone(SystemArgument1)
}

var genericProbes = map[string]probe{
	"KeGenericCallDpc": {call: func(c *caller) { c.at(func() { KeGenericCallDpc(answer, nil) }) }},
	// What these two are given comes from a generic call, so they are called
	// from one where that is allowed.
	"KeSignalCallDpcDone": {call: func(c *caller) {
		c.at(func() {
			if c.level == irql.Dispatch {
				irql.Lower(irql.Passive)
				KeGenericCallDpc(answer, nil)
				irql.Raise(c.level)
				return
			}
			KeSignalCallDpcDone(nil)
		})
	}},
	"KeSignalCallDpcSynchronize": {call: func(c *caller) {
		c.at(func() {
			if c.level == irql.Dispatch {
				irql.Lower(irql.Passive)
				KeGenericCallDpc(answer, nil)
				irql.Raise(c.level)
				return
			}
			KeSignalCallDpcSynchronize(nil)
		})
	}},
	"KeShouldYieldProcessor":        simply(func() { KeShouldYieldProcessor() }),
	"KeQueryDpcWatchdogInformation": simply(func() { KeQueryDpcWatchdogInformation(&watchdog) }),
}

var watchdog KDPC_WATCHDOG_INFORMATION
