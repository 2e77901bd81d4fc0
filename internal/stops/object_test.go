package stops

func init() {
	for name, stop := range objectStops {
		stops[name] = stop
	}
}

var objectStops = map[string]stop{
	"object-nil":       {0x18, [4]uint64{0, 0, 0, 0}},
	"object-unaligned": {0x18, [4]uint64{0, address, 0, 0}},
	"object-goheap":    {0x18, [4]uint64{0, address, 0, 0}},
	"object-none":      {0x18, [4]uint64{0, address, 0, 0}},
	"object-freed":     {0x18, [4]uint64{any, address, 0, any}},
	// rule: obj-over-deref
	"object-handles": {0x18, [4]uint64{address, address, 0, 0}},
	"object-fixed":   {0x18, [4]uint64{address, address, 0, 0}},
	// rule: obj-close-bad-kernel
	"handle-twice":     {0x93, [4]uint64{address, 1, 0, 0}},
	"handle-protected": {0x93, [4]uint64{address, 0, 0, 0}},
	// rule: dpc-no-attach
	// rule: bc-05-attach
	"attach-in-dpc": {0x05, [4]uint64{address, address, 0, 1}},
	"detach":        {0x06, [4]uint64{address, address, 0, 0}},
	"nt-set-apc":    wrongLevel(1, 0, 0),
}
