package verifier

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
)

// What follows is for debuggers.

// ClassInfo describes a class of locks.
type ClassInfo struct {
	Number    int
	Kind      string
	Lock      uintptr // one of them
	Site      uintptr // the return address of the call that initialized it; 0 if none did
	Low, High irql.Level
	After     int // classes that were acquired while one of it was held
}

// HeldInfo is a lock that is held.
type HeldInfo struct {
	Thread    uintptr // 0: by a processor
	Processor int
	Kind      string
	Lock      uintptr
	Class     int
	Site      [10]uintptr
}

// Classes copies what is known of the classes to buf and returns how many there
// are. They may change meanwhile.
//
// IRQL: any
func Classes(buf []ClassInfo) (n int) {
	if state == nil {
		return 0
	}
	for i := 1; i <= state.search.classes; i++ {
		c := &state.classes[i]
		if c.key == 0 {
			continue
		}
		if n < len(buf) {
			buf[n] = ClassInfo{Number: i, Kind: kindNames[c.kind], Lock: c.lock, Low: c.low, High: c.high}
			if c.key != c.lock {
				buf[n].Site = c.key
			}
			for other := uint16(1); other < maxClasses; other++ {
				if state.after[i].has(other) {
					buf[n].After++
				}
			}
		}
		n++
	}
	return n
}

// Follows reports whether a lock of class b was acquired while one of class a was
// held.
//
// IRQL: any
func Follows(a, b int) bool {
	return state != nil && state.after[a].has(uint16(b))
}

// heldQuery carries Held into kernel context.
type heldQuery struct {
	buf []HeldInfo
	n   int
}

// Held copies the locks that are held to buf and returns how many there are.
//
// IRQL: <= DISPATCH_LEVEL
func Held(buf []HeldInfo) int {
	if state == nil {
		return 0
	}
	q := heldQuery{buf: buf}
	a := kernel.Args{P: unsafe.Pointer(&q)}
	kernel.Enter(queryHeld, &a)
	return q.n
}

func queryHeld(a *kernel.Args) {
	q := (*heldQuery)(a.P)
	for i := range state.cpus {
		p := &state.cpus[i]
		for j := range min(p.n, maxHeld) {
			q.add(&p.held[j], 0, i)
		}
	}
	old := kernel.LockDispatcher()
	kernel.EachThread(func(t *kernel.Thread) bool {
		var all heldByThread
		all.read(t)
		for i := range all.n {
			q.add(&all.held[i], uintptr(unsafe.Pointer(t)), 0)
		}
		return true
	})
	kernel.UnlockDispatcher(old)
}

func (q *heldQuery) add(h *held, thread uintptr, cpu int) {
	if q.n < len(q.buf) {
		q.buf[q.n] = HeldInfo{thread, cpu, kindNames[h.kind], h.lock, int(h.class), h.at}
	}
	q.n++
}
