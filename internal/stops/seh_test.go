package stops

func init() {
	for name, stop := range sehStops {
		stops[name] = stop
	}
}

var sehStops = map[string]stop{
	// rule: seh-unhandled-kmode
	// rule: bc-1e-kmode
	"seh-unhandled":       {0x1E, [4]uint64{0xC0000017, address, 0, 0}},
	"seh-unhandled-fault": {0x1E, [4]uint64{0xC0000005, address, 1, 0}},
	"seh-unhandled-panic": {0x1E, [4]uint64{0xE0000047, address, 0, 0}},
	// rule: bc-7e-systhread
	"seh-thread":        {0x7E, [4]uint64{0xC0000005, address, address, address}},
	"seh-kernel":        {0x1E, [4]uint64{0xC0000005, address, 1, 0}},
	"seh-kernel-thread": {0x7E, [4]uint64{0xC0000005, address, address, address}},
	// rule: seh-invalid-kernel-address
	// rule: bc-50-pagefault
	"seh-system-address": {0x50, [4]uint64{address, 2, address, 0}},
	"seh-top-address":    {0x50, [4]uint64{^uint64(0xfff), 2, address, 0}},
	"seh-top-caught":     {0x50, [4]uint64{^uint64(0xfff), 2, address, 0}},
	"seh-top-dispatch":   {0xD1, [4]uint64{^uint64(0xfff), 2, 1, address}},
	"seh-no-address":     {0x1E, [4]uint64{0xC0000005, address, 0, ^uint64(0)}},
	// rule: seh-in-isr
	// rule: bc-3d-intexception
	"seh-isr":       {0x3D, [4]uint64{address, 0, 0xC0000017, 0}},
	"seh-isr-fault": {0x3D, [4]uint64{address, address, 0xC000001D, address}},
	// rule: seh-no-raise-with-spinlock
	"seh-spin-lock": {0x1E, [4]uint64{0xC0000017, 0, 0, 0}},
	"seh-dispatch":  {0xD1, [4]uint64{0, 2, 1, address}},
}
