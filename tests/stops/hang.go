package main

import (
	"fmt"
	"time"

	"irqlab/irql"
)

func init() {
	for name, level := range map[string]irql.Level{"hang-never": irql.Passive, "hang-device": irql.DeviceMax, "hang-high": irql.High} {
		stops[name] = func() { hang(level) }
	}
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
