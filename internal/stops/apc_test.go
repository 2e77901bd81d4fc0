package stops

func init() {
	for name, stop := range apcStops {
		stops[name] = stop
	}
}

var apcStops = map[string]stop{
	// rule: apc-irql-changed
	"apc-kernel-level": {0xC8, [4]uint64{2<<16 | 1<<8, address, address, 0}},
	"apc-normal-level": {0xC8, [4]uint64{1<<16 | 0<<8 | 1, address, 0, address}},
	// rule: apc-mismatch-syscall
	"apc-normal-region": {0x01, [4]uint64{address, 0, 0xFFFF, 0}},
	"apc-normal-panic":  {0x1E, [4]uint64{0xE0000047, any, any, any}},
	// rule: apc-exit-pending-kernel
	// rule: bc-20-apc-exit
	"apc-exit-pending": {0x20, [4]uint64{address, 0xFFFF, 0, 1}},
	// rule: thr-exit-apc-count
	"apc-exit-region": {0x20, [4]uint64{0, 0xFFFF0000, 0, 1}},
}
