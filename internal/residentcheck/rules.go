package residentcheck

import (
	"slices"
	"strings"
)

// allowed are the functions outside the resident packages whose own code is
// not looked into, because it is known to be fit for any IRQL, or to stop the
// machine, which is as good.
var allowed = map[string]string{
	"runtime.morestack_noctxt":     "stops the machine on a kernel stack, grows a goroutine's below DISPATCH_LEVEL",
	"runtime.morestack":            "as morestack_noctxt",
	"runtime.panicdivide":          "stops the machine",
	"runtime.panicmem":             "stops the machine",
	"runtime.panicshift":           "stops the machine",
	"runtime.gopanic":              "stops the machine",
	"runtime.panicwrap":            "stops the machine",
	"runtime.memmove":              "copies, no barriers",
	"runtime.memclrNoHeapPointers": "clears, no barriers",
	"runtime.memequal":             "compares",
	"runtime.duffzero":             "clears, no barriers",
	"runtime.duffcopy":             "copies, no barriers",
	"runtime.procPin":              "pins the goroutine to its P: how a thread raises",
	"runtime.procUnpin":            "undoes procPin",
	"runtime.entersyscall":         "releases the P for a wait, at IRQL 0 or 1",
	"runtime.exitsyscall":          "undoes entersyscall",
}

// allowedPrefixes are families of such functions.
var allowedPrefixes = map[string]string{
	"runtime.panicBounds": "stops the machine",
	"runtime.panicIndex":  "stops the machine",
	"runtime.panicSlice":  "stops the machine",
	"runtime.panicunsafe": "stops the machine",
}

// exceptions are calls that are in a function's code and never made in resident
// code, by function.
var exceptions = map[string]struct {
	callees []string
	why     string
}{
	"github.com/usbarmory/tamago/soc/intel/uart.(*UART).Rx": {
		[]string{"runtime.chanrecv1", "runtime.mcall"},
		"waits for a character, which the console never asks of it",
	},
}

func isAllowed(caller, name string) bool {
	name = strings.TrimSuffix(name, ".abi0")
	if _, ok := allowed[name]; ok {
		return true
	}
	for p := range allowedPrefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return slices.Contains(exceptions[caller].callees, name)
}

// forbiddenData are variables whose use gives away what the compiler did.
var forbiddenData = map[string]string{
	"runtime.writeBarrier": "a write barrier",
}
