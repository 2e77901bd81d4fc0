package stops

func init() {
	for name, stop := range wdkStops {
		stops[name] = stop
	}
}

// wrongLevel is what the verifier says of a call at a level that is not allowed.
func wrongLevel(level, min, max uint64) stop { return stop{0xC4, [4]uint64{0xE5, level, min, max}} }

var wdkStops = map[string]stop{
	// rule: event-set-high-verifier
	// rule: bc-c4-setevent
	"wdk-set-high": {0xC4, [4]uint64{0x80, 15, 0, 0}},
	// rule: wait-verifier-120
	// rule: bc-c4-wait
	"wdk-wait-device":  {0xC4, [4]uint64{0x120, 3, 0, 0}},
	"wdk-wait-forever": {0xC4, [4]uint64{0x121, 2, 0, 0}},
	"wdk-wait-time":    {0xC4, [4]uint64{0x122, 2, 0, 0}},
	// rule: wait-usermode-stack
	// rule: event-on-stack
	"wdk-wait-user": {0xC4, [4]uint64{0x123, address, 0, 0}},
	// rule: irql-ddi-verifier
	"wdk-delay":        wrongLevel(2, 0, 1),
	"wdk-delay-in-dpc": {0xB8, [4]uint64{address, any, any, any}},
	"wdk-flush-apc":    wrongLevel(1, 0, 0),
	"wdk-executing":    wrongLevel(0, 2, 2),
	"wdk-free-nil":     {0xC2, [4]uint64{0x46, 0, 0, 0}},
	"wdk-free-inside":  {0xC2, [4]uint64{0x46, address, 0, 0}},
	"wdk-free-paged":   {0xC2, [4]uint64{0x07, any, any, address}},
	// rule: thr-create-passive
	"wdk-create-apc": wrongLevel(1, 0, 0),
	// rule: thr-setpriority-passive
	"wdk-priority-apc": wrongLevel(1, 0, 0),
	// rule: bc-c4-syncobject
	"wdk-dpc-elsewhere": {0xC4, [4]uint64{0xE1, address, 0, 0}},
	"wdk-dpc-closure":   {0xC7, [4]uint64{2, address, address, address}},
	// rule: timer-ex-flags
	"extimer-flags": {0xC7, [4]uint64{7, 0, 0, 0}},
	// rule: timer-ex-hires-relative
	"extimer-absolute": {0xC7, [4]uint64{8, address, 1, 0}},
	// rule: timer-ex-delete-wait-cancel
	"extimer-delete": {0xC7, [4]uint64{9, address, 0, 0}},
	"extimer-inside": {0xC4, [4]uint64{0xE5, 2, 0, 1}},
	// rule: timer-io-stop-inside
	"iotimer-inside":  {0xC7, [4]uint64{10, address, 0, 0}},
	"iorequest-level": {0xC4, [4]uint64{0xE5, 2, 3, 12}},
	// rule: thr-notify-self-remove
	"notify-self": {0xC4, [4]uint64{0x1000, 0, address, 0}},
	// rule: irql-float-nesting
	"float-level":   {0xC8, [4]uint64{0<<16 | 2<<8 | 0x10, address, address, 0}},
	"float-nesting": {0xC8, [4]uint64{0<<16 | 2<<8 | 0x10, address, 0, 0}},
	// rule: thr-callout-no-terminate
	"callout-exit": {0xC4, [4]uint64{0x1AB0001, address, 0, 0}},
	// rule: thr-affinity-outside-process
	// rule: bc-03-affinity
	"affinity-none":  {0x03, [4]uint64{0, address, 0, 0}},
	"affinity-other": {0x03, [4]uint64{1<<40 | 1, address, 0, 0}},
	// rule: mutex-not-wait-fast
	// rule: fm-not-waitable
	"wdk-wait-fast":    {0xC4, [4]uint64{0x1AB0003, 0, address, 1}},
	"wdk-wait-guarded": {0xC4, [4]uint64{0x1AB0003, 0, address, 0}},
	// rule: wait-mutex-kernelmode
	"wdk-wait-mutex-user": {0xC4, [4]uint64{0x1AB0004, 0, address, 0}},
	// rule: dpc-threaded-rules
	"wdk-wait-threaded":  {0xC4, [4]uint64{0x122, 0, 0, 0}},
	"wdk-delay-threaded": {0xC4, [4]uint64{0x122, 0, 0, 0}},
	"wdk-bugcheck":       {0xE2, [4]uint64{1, 2, 3, 4}},

	// rule: thr-exit-irql
	"exit-level":   wrongLevel(1, 0, 0),
	"return-level": {0x0A, [4]uint64{0, 2, 0, address}},
	// rule: thr-exit-apc-count
	"exit-apcs":   {0x20, [4]uint64{0, 0xFFFF, 0, 1}},
	"return-apcs": {0x20, [4]uint64{0, 0xFFFF, 0, 1}},
	// rule: mutex-exit-held
	"exit-mutex": {0x4000008A, [4]uint64{address, address, 0, 0}},
	// rule: thr-unhandled-exception
	"exit-exception": {0x7E, [4]uint64{0xC0000005, address, address, 0}},
	"exit-nil":       {0x7E, [4]uint64{0xC0000005, address, address, address}},

	// rule: obj-over-deref
	// rule: bc-18-refpointer
	"object-references": {0x18, [4]uint64{2, address, 0, 0}},
	// rule: irql-zwservice-level
	"zw-level":   {0xC4, [4]uint64{0xE6, 1, 0, 0}},
	"zw-guarded": {0xC4, [4]uint64{0xE6, 0, 1, 0}},
	// rule: obj-close-bad-kernel
	// rule: bc-93-handle
	"handle-closed": {0x93, [4]uint64{0xFFFF_FFFF_8000_0000 | 4*3000, 1, 0, 0}},
}
