package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/ipi"
	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() {
	stops["beside-high"] = beside
	for name, level := range map[string]irql.Level{"hang-never": irql.Passive, "hang-device": irql.DeviceMax, "hang-high": irql.High} {
		stops[name] = func() { hang(level) }
	}
	stops["hung-processor"] = hungProcessor
	stops["beside-caller"] = besideCaller
	stops["second-processor"] = func() { kit.OnCPU(1); irql.Raise(irql.Dispatch); touch(absent) }
}

// occupy has processor 1 run fn at HIGH_LEVEL, which does not return, and the
// caller at DISPATCH_LEVEL on processor 0: it must not wait for any thread that may
// be ready on the other one.
func occupy(fn func()) {
	var ready, raised uint32
	kit.Go(tb{}, func() ntstatus.Status {
		for atomic.LoadUint32(&ready) == 0 {
			arch.Pause()
		}
		irql.Raise(irql.High)
		atomic.StoreUint32(&raised, 1)
		fn()
		return ntstatus.Success
	}, func() { kit.OnCPU(1) })
	kit.System()
	kit.OnCPU(0)
	irql.Raise(irql.Dispatch)
	atomic.StoreUint32(&ready, 1)
	for atomic.LoadUint32(&raised) == 0 {
		arch.Pause()
	}
}

// beside stops the machine while the other processor is at HIGH_LEVEL.
func beside() {
	occupy(spinForEver)
	KeBugCheck(0xE2)
}

// besideCaller stops the machine on both processors, the second one a little later.
func besideCaller() {
	occupy(func() {
		for !bugcheck.Stopping() {
			arch.Pause()
		}
		KeBugCheck(0xE3)
	})
	KeBugCheck(0xE2)
}

// hang keeps its processor at a level for ever. It says so there, past the system
// call that would print it, for whoever is to press keys then.
func hang(level irql.Level) {
	if level > irql.Passive {
		irql.Raise(level)
		bugcheck.Print("it hangs\n")
		spinForEver()
	}
	fmt.Println("it hangs")
	time.Sleep(time.Hour)
}

// hungProcessor calls a processor that takes no interrupts any more.
func hungProcessor() {
	occupy(spinForEver)
	ipi.Patience = 1
	ipi.Levels()
}
