package stops

import "strings"

func init() {
	for name, stop := range verifierStops {
		stops[name] = stop
	}
}

// options are the kernel's for the rule that is broken.
func options(argument []string) []string {
	if len(argument) == 0 {
		return nil
	}
	for prefix, options := range map[string][]string{
		"verifier-waits-": {"verifier=deadlock"}, // or the order would be found first
		"verifier-order-": {"verifier=on"},
		"verifier-level":  {"verifier=on"},
		"verifier-hold":   {"verifier=hold"},
		"verifier-unload": {"verifier=leaks"},
		"verifier-freed":  {"verifier=order"},
		"special-start-":  {"special=Test", "specialat=start"},
		"special-tag-":    {"special=Test"},
		"special-all-":    {"special=all"},
		"paging-verified": {"verifier=paging"},
	} {
		if strings.HasPrefix(argument[0], prefix) {
			return options
		}
	}
	return nil
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
	"verifier-hold-isr":       {0xC4, [4]uint64{0x10002, address, any, 6}},
	"verifier-freed":          {0xC4, [4]uint64{0x100B, address, address, 0}},
	"special-tag-behind":      {0xD6, [4]uint64{address, 1, address, 0}},
	"special-tag-raised":      {0xD6, [4]uint64{address, 0, address, 0}},
	"special-tag-freed":       {0xD5, [4]uint64{address, 1, address, 0}},
	"special-tag-inline":      {0xD5, [4]uint64{address, any, address, 0}}, // some read first
	"special-tag-kernel":      {0xCC, [4]uint64{address, any, address, 0}},
	"special-tag-end":         {0xC1, [4]uint64{address, address, 0, 0x24}},
	"special-tag-front":       {0xC1, [4]uint64{address, address, 0, 0x23}},
	"special-start-front":     {0xD6, [4]uint64{address, 1, address, 0}},
	"special-start-end":       {0xC1, [4]uint64{address, address, 0, 0x24}},
	"special-all-freed":       {0xD5, [4]uint64{address, 1, address, 0}},
	"verifier-waits-mutexes":  cycle,
	"verifier-waits-locks":    cycle,
	"verifier-waits-thread":   cycle,
	"verifier-waits-late":     cycle,
}
