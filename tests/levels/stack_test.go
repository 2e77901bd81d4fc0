package levels

import (
	. "irqlab/wdk"
)

func init() { add(stackProbes) }

func callout(PVOID) {}

// floating probes a save or a restore of floating point state.
func floating(routine, undo func(*KFLOATING_SAVE)) probe {
	return probe{call: func(c *caller) {
		s := new(KFLOATING_SAVE)
		c.at(func() { routine(s) }, func() { undo(s) })
	}}
}

func save(s *KFLOATING_SAVE) { KeSaveFloatingPointState(s) }

func restore(s *KFLOATING_SAVE) { KeRestoreFloatingPointState(s) }

func saveExtended(s *XSTATE_SAVE) { KeSaveExtendedProcessorState(1, s) }

// restores probes a restore at the level of the save. Above DISPATCH_LEVEL there
// is nothing saved, and the level comes first.
func restores(save, restore func(*KFLOATING_SAVE)) probe {
	return probe{call: func(c *caller) {
		s := new(KFLOATING_SAVE)
		c.at(func() {
			if c.allowed() {
				save(s)
			}
			restore(s)
		})
	}}
}

var stackProbes = map[string]probe{
	"KeExpandKernelStackAndCallout": {call: func(c *caller) {
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = KeExpandKernelStackAndCallout(callout, nil, 4096) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"KeExpandKernelStackAndCalloutEx": {call: func(c *caller) {
		s := STATUS_UNSUCCESSFUL
		if c.at(func() { s = KeExpandKernelStackAndCalloutEx(callout, nil, 4096, false, nil) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"IoGetStackLimits":                simply(func() { var low, high ULONG_PTR; IoGetStackLimits(&low, &high) }),
	"IoGetRemainingStackSize":         simply(func() { IoGetRemainingStackSize() }),
	"IoWithinStackLimits":             simply(func() { IoWithinStackLimits(0, 1) }),
	"IoGetInitialStack":               simply(func() { IoGetInitialStack() }),
	"KeSaveFloatingPointState":        floating(save, restore),
	"KeRestoreFloatingPointState":     restores(save, restore),
	"KeSaveExtendedProcessorState":    floating(saveExtended, KeRestoreExtendedProcessorState),
	"KeRestoreExtendedProcessorState": restores(saveExtended, KeRestoreExtendedProcessorState),
}
