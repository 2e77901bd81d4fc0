package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"irqlab/ipi"
	"irqlab/irql"
	"irqlab/tests/kit"
)

func init() {
	for name, level := range map[string]irql.Level{"hang-never": irql.Passive, "hang-device": irql.DeviceMax, "hang-high": irql.High} {
		stops[name] = func() { hang(level) }
	}
	stops["hung-processor"] = hungProcessor
}

// hang keeps its processor at a level for ever. It says so first, for whoever is
// to press keys then.
func hang(level irql.Level) {
	fmt.Println("it hangs")
	if level == irql.Passive {
		time.Sleep(time.Hour)
	}
	irql.Raise(level)
	spinForEver()
}

// hungProcessor calls a processor that takes no interrupts any more.
func hungProcessor() {
	var hangs atomic.Bool
	go func() {
		kit.System()
		kit.OnCPU(1)
		irql.Raise(irql.High)
		hangs.Store(true)
		spinForEver()
	}()
	for !hangs.Load() {
		time.Sleep(time.Millisecond)
	}
	ipi.Patience = 1
	ipi.Levels()
}
