package stops

func init() {
	for name, stop := range driverStops {
		stops[name] = stop
	}
}

// leaves is what the verifier says of a driver that leaves n of something behind.
func leaves(rule, n uint64) stop { return stop{0xC4, [4]uint64{rule, address, 0, n}} }

// pending is what it says of one whose code would still be called.
// rule: bc-ce-unload
// rule: io-unload-pending
var pending = stop{0xCE, [4]uint64{address, 8, 0, any}}

var driverStops = map[string]stop{
	"verifier-unload-pool":      leaves(0x62, 2),
	"verifier-unload-paged":     leaves(0x62, 1),
	"verifier-unload-pages":     leaves(0x62, 1),
	"verifier-unload-item":      leaves(0x62, 1),
	"verifier-unload-failed":    leaves(0x62, 1),
	"verifier-unload-handle":    leaves(0x10003, 1),
	"verifier-unload-reference": leaves(0x10004, 1),
	"verifier-unload-thread":    pending,
	"verifier-unload-work":      pending,
	"verifier-unload-working":   pending,
	"verifier-unload-timer":     pending,
	"verifier-unload-dpc":       pending,
	"verifier-unload-interrupt": pending,
}
