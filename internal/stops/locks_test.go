package stops

func init() {
	for name, stop := range lockStops {
		stops[name] = stop
	}
}

// violation is what the verifier says of a lock.
func violation(rule, level uint64) stop { return stop{0xC4, [4]uint64{rule, level, address, 0}} }

var lockStops = map[string]stop{
	// rule: fm-not-recursive
	"fast-recursion": violation(0x1000, 1),
	// rule: fm-acquire-irql
	// rule: bc-c4-fastmutex
	"fast-acquire-level": violation(0x33, 2),
	// rule: fm-release-irql
	"fast-release-level": violation(0x34, 0),
	// rule: fm-unsafe-irql
	"fast-unsafe-acquire": violation(0x39, 0),
	"fast-unsafe-release": violation(0x3A, 0),
	// rule: fm-over-release-free
	"fast-free-release": violation(0x1007, 1),
	// rule: fm-same-thread
	"fast-foreign-release": violation(0x1004, 1),
	"fast-elsewhere":       {0xC4, [4]uint64{0xE1, address, 0, 0}},
	// rule: gm-not-recursive
	"guarded-recursion": violation(0x1000, 0),
	// rule: gm-max-irql
	"guarded-acquire-level": {0x0A, [4]uint64{0, 2, 1, address}},
	"guarded-free-release":  violation(0x1007, 0),
	// rule: gm-unsafe
	"guarded-unsafe": violation(0x39, 0),

	// rule: pl-region-required
	// rule: bc-c4-pushlock
	"push-apcs-acquire": violation(0xEA, 0),
	"push-apcs-release": violation(0xEB, 0),
	"push-free-release": violation(0x1007, 0),
	// rule: pl-irql-undocumented
	"push-level": {0x0A, [4]uint64{0, 2, 1, address}},

	// rule: eres-apc-required
	// rule: bc-c4-resource
	"resource-apcs-acquire": violation(0x37, 0),
	"resource-apcs-release": violation(0x38, 0),
	// rule: eres-acquire-irql
	"resource-level": {0x0A, [4]uint64{0, 2, 1, address}},
	// rule: eres-shared-to-exclusive
	// rule: eres-two-sharers-upgrade
	"resource-upgrade": violation(0x1000, 2),
	// rule: eres-release-not-owner
	// rule: bc-e3-resource
	"resource-not-owned": {0xE3, [4]uint64{address, address, 0, 0}},
	"resource-foreign":   {0xE3, [4]uint64{address, address, 0, 0}},
	// rule: eres-convert-shared-noop
	"resource-convert": {0xE3, [4]uint64{address, address, 0, 1}},
	// rule: eres-ownerptr-bits
	"resource-pointer-bits": {0x132, [4]uint64{address, address, 0x1000, 0}},
	// rule: eres-ownerptr-shared-or-excl
	"resource-pointer-owner": {0x132, [4]uint64{address, address, 0x1003, 0}},
	// rule: eres-ownerptr-only-forthread
	"resource-pointer-only": {0xE3, [4]uint64{address, address, 0, 0}},
	// rule: eres-init
	// rule: bc-c4-eresource
	"resource-init-twice": violation(0xD0, 2),
	// rule: eres-delete-busy
	"resource-delete-owned": violation(0xD2, 0),
	// rule: eres-double-delete
	"resource-delete-twice": violation(0xD1, 0),
	"resource-freed":        violation(0xD2, 0),

	// rule: qspin-no-mix
	"queued-mixed": violation(0x1AB0002, 2),
	"spin-mixed":   violation(0x1AB0002, 2),

	"shared-recursion":     {0x0F, [4]uint64{address, 1 << 31, 0, 0}},
	"shared-upgrade":       {0x0F, [4]uint64{address, 1, 0, 0}},
	"shared-free-release":  {0x10, [4]uint64{address, 0, 0, 0}},
	"shared-alone-release": {0x10, [4]uint64{address, 1, 0, 0}},
	"shared-lower-held":    {0x0F, [4]uint64{address, 2, 1, 0}},
	"shared-at-dpc-below":  {0x09, [4]uint64{address, 0, 0, 0}},

	// rule: work-passive
	// rule: bc-e1-worker
	"work-level": {0xE1, [4]uint64{address, 1, 0, address}},
	// rule: work-apc-state
	// rule: bc-01-apc-index
	"work-region": {0x01, [4]uint64{address, 0, 0xFFFF, 1}},
	// rule: work-mutex-return
	// rule: mutex-worker-exit
	// rule: bc-39-exit-mutex
	"work-mutex": {0x39, [4]uint64{address, 0, address, 0}},
	// rule: bc-e9-workerexit
	"work-end": {0xE9, [4]uint64{address, 0, address, 0}},
	// rule: work-once-queued
	// rule: bc-e4-worker
	"work-twice": {0xE4, [4]uint64{1, address, 0, 0}},
	// rule: work-free-queued
	"work-freed": {0xE4, [4]uint64{0, address, address, address}},

	// rule: kqueue-duplicate
	"queue-unlinked": {0x96, [4]uint64{address, address, 0, 0}},

	"region-unbalanced":  {0x01, [4]uint64{0, 0, 0, 0}},
	"guarded-unbalanced": {0x01, [4]uint64{0, 0, 0, 0}},
}
