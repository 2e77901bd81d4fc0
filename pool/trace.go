package pool

import (
	"unsafe"

	"irqlab/bugcheck"
)

// traceBytes is what a traced block needs at its end: the return address of the
// call that allocated it. Larger allocations have it in their span.
const traceBytes = 8

// SetTraced has every allocation remember which call of a driver made it; see
// Find. It must come before the first allocation.
func SetTraced() { main.traced = true }

// trace notes who made the allocation at p.
func (h *heap) trace(p, by uintptr) {
	if s := h.spans.find(p); s.size != 0 {
		s.by = by
		return
	}
	*traced(at(p - headerSize)) = by
}

// traced is the last word of a block.
func traced(b *header) *uintptr { return (*uintptr)(unsafe.Pointer(b.end() - traceBytes)) }

// caller returns where the driver's code called that an allocation is made for,
// or 0 if nobody traces them, or there is none.
func (r *request) caller() uintptr {
	if !main.traced || r.own {
		return 0
	}
	return bugcheck.DriverCaller()
}
