package kernel

import "unsafe"

// Waiter returns a thread that waits for an object at h, or nil. What lies at h
// may be anything: only threads are asked.
//
// IRQL: <= DISPATCH_LEVEL
func (h *Header) Waiter() *Thread {
	// An object in use has entries; most memory that is about to become an
	// object is zero.
	if first := h.WaitList.Flink; first == nil || first == &h.WaitList {
		return nil
	}
	a := Args{P: unsafe.Pointer(h)}
	Enter(findWaiter, &a)
	return (*Thread)(unsafe.Pointer(a.R))
}

func findWaiter(a *Args) {
	h := (*Header)(a.P)
	old := LockDispatcher()
	for _, t := range &threads {
		if t != nil && t.waitsFor(h) {
			a.R = uintptr(unsafe.Pointer(t))
			break
		}
	}
	UnlockDispatcher(old)
}

func (t *Thread) waitsFor(h *Header) bool {
	if t.State != StateWaiting {
		return false
	}
	for i := range int(t.WaitCount) {
		if block(t.WaitBlocks, i).Object == h {
			return true
		}
	}
	return false
}
