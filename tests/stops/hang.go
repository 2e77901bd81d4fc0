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
}

// occupy has processor 1 loop at HIGH_LEVEL, and the caller at DISPATCH_LEVEL on
// processor 0: it must not wait for any thread that may be ready on the other one.
func occupy() {
	var ready, raised uint32
	kit.Go(tb{}, func() ntstatus.Status {
		for atomic.LoadUint32(&ready) == 0 {
			arch.Pause()
		}
		irql.Raise(irql.High)
		atomic.StoreUint32(&raised, 1)
		spinForEver()
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
	occupy()
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
	occupy()
	ipi.Patience = 1
	ipi.Levels()
}
