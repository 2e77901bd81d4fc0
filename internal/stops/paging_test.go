package stops

func init() {
	for name, stop := range pagingStops {
		stops[name] = stop
	}
}

var pagingStops = map[string]stop{
	// rule: irql-pagefault-at-dispatch
	"paging-raised":   {0xD1, [4]uint64{address, 2, 0, address}},
	"paging-written":  {0xD1, [4]uint64{address, 2, 1, address}},
	"paging-verified": {0xD1, [4]uint64{address, 2, 0, address}},
	"paging-lock":     {0xD1, [4]uint64{address, 2, 0, address}},
	"paging-kernel":   {0x0A, [4]uint64{address, 2, any, address}},
	// rule: dpc-no-pageable
	"paging-dpc": {0xD1, [4]uint64{address, 2, 0, address}},
	"paging-isr": {0xD1, [4]uint64{address, 6, 0, address}},
	// rule: bc-50-pagefault
	"paging-freed":   {0x50, [4]uint64{address, 0, address, any}},
	"paging-unknown": {0x50, [4]uint64{address, 2, address, any}},
	"pool-freed":     {0x50, [4]uint64{address, 2, address, any}},
	// rule: pool-dispatch-paged
	"paging-alloc-high": {0xC2, [4]uint64{0x08, 2, 1, 16}},
	"paging-free-high":  {0xC2, [4]uint64{0x09, 2, 1, address}},
	"paging-zero-bytes": {0xC2, [4]uint64{0, 0, 1, address}},
	"paging-wrong-tag":  {0xC2, [4]uint64{0x0A, address, address, address}},
	"paging-twice":      {0xC2, [4]uint64{0x07, any, any, address}},
	"paging-overrun":    {0x19, [4]uint64{0x21, address, 40, 1}},
	"paging-unlocked":   {0x4E, [4]uint64{7, address, 0, 0}},
	"paging-contiguous": {0xC2, [4]uint64{0x46, address, 0, 0}},
	"paging-event":      {0xC4, [4]uint64{0xE1, address, 0, 0}},
}
