package stops

import "strings"

func init() {
	for name, stop := range verifierStops {
		stops[name] = stop
	}
}

// options are the kernel's for the rule that is broken.
func options(argument []string) []string {
	if len(argument) == 0 || !strings.HasPrefix(argument[0], "verifier-") {
		return nil
	}
	if strings.HasPrefix(argument[0], "verifier-waits-") {
		return []string{"verifier=deadlock"} // or the order would be found first
	}
	return []string{"verifier=on"}
}

var cycle = stop{0xC4, [4]uint64{0x1001, address, 0, 0}}

var verifierStops = map[string]stop{
	// rule: spin-order
	// rule: bc-c4-deadlock
	"verifier-order-spin":     cycle,
	"verifier-order-queued":   cycle,
	"verifier-order-shared":   cycle,
	"verifier-order-mutex":    cycle,
	"verifier-order-fast":     cycle,
	"verifier-order-guarded":  cycle,
	"verifier-order-push":     cycle,
	"verifier-order-resource": cycle,
	"verifier-order-three":    cycle,
	"verifier-order-handed":   cycle,
	"verifier-order-pair":     {0xC4, [4]uint64{0x1001, address, address, 0}},
	"verifier-level":          {0xC4, [4]uint64{0x10001, address, 6, 2}},
	"verifier-level-behind":   {0xC4, [4]uint64{0x10001, address, 6, 2}},
	"verifier-hold":           {0xC4, [4]uint64{0x10002, address, any, 2}},
	"verifier-freed":          {0xC4, [4]uint64{0x100B, address, address, 0}},
	"verifier-waits-mutexes":  cycle,
	"verifier-waits-locks":    cycle,
	"verifier-waits-thread":   cycle,
}
