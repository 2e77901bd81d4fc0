package verifier

import (
	"math/bits"
	"sync/atomic"

	"irqlab/irql"
	"irqlab/kernel"
)

const (
	maxEdges = 2048
	maxPairs = 256
)

// set is a set of classes.
type set [maxClasses / 64]uint64

func (s *set) has(c uint16) bool { return atomic.LoadUint64(&s[c/64])>>(c%64)&1 != 0 }
func (s *set) add(c uint16)      { atomic.StoreUint64(&s[c/64], s[c/64]|1<<(c%64)) }
func (s *set) remove(c uint16)   { atomic.StoreUint64(&s[c/64], s[c/64]&^(1<<(c%64))) }

// edge says how it came that a lock of one class was acquired while one of
// another was held.
type edge struct {
	from, to uint16 // 0: unused
	thread   uint32
	heldAt   site
	at       site
}

// pair is two locks of one class that were held together.
type pair struct {
	first, second uintptr
}

// ordered checks the acquisition of a lock of class c while h is held, and
// remembers it if it is new.
func ordered(h *held, l uintptr, c uint16) {
	switch {
	case h.class == 0 || h.lock == l:
	case h.class == c:
		if !orderedPair(h, l) {
			stopPair(h, l)
		}
	case !state.after[h.class].has(c):
		newEdge(h, l, c)
	}
}

func newEdge(h *held, l uintptr, c uint16) {
	at := here()
	on := acquire()
	if state.after[h.class].has(c) { // another processor was faster
		release(on)
		return
	}
	s := &state.search
	if s.path(c, h.class) {
		s.held, s.lock, s.class, s.at = *h, l, c, at
		release(on)
		stopOrder()
	}
	if e := vacantEdge(); e != nil {
		*e = edge{from: h.class, to: c, thread: kernel.Current().ID, heldAt: h.at, at: at}
		state.after[h.class].add(c)
		state.stats.Edges++
	} else {
		state.stats.Missed++
	}
	bad := checkLevels()
	release(on)
	if bad {
		stopLevels()
	}
}

func vacantEdge() *edge {
	for i := range state.edges {
		if e := &state.edges[i]; e.from == 0 {
			return e
		}
	}
	return nil
}

// between returns the edge that leads from one class to another.
func between(from, to uint16) *edge {
	for i := range state.edges {
		if e := &state.edges[i]; e.from == from && e.to == to {
			return e
		}
	}
	return nil
}

func forgetEdges(c uint16) {
	for i := range state.edges {
		if e := &state.edges[i]; e.from != 0 && (e.from == c || e.to == c) {
			state.after[e.from].remove(e.to)
			*e = edge{}
			state.stats.Edges--
		}
	}
}

// orderedPair reports whether two locks of one class may be taken in this order.
func orderedPair(h *held, l uintptr) bool {
	on := acquire()
	var unused *pair
	ok := true
	for i := range state.pairs {
		p := &state.pairs[i]
		switch {
		case p.first == 0 && unused == nil:
			unused = p
		case p.first == h.lock && p.second == l:
			unused = p
		case p.first == l && p.second == h.lock:
			ok = false
		}
	}
	if unused != nil {
		*unused = pair{h.lock, l}
	} else {
		state.stats.Missed++
	}
	release(on)
	return ok
}

func forgetPairs(l uintptr) {
	for i := range state.pairs {
		if p := &state.pairs[i]; p.first == l || p.second == l {
			*p = pair{}
		}
	}
}

// search is the room for a search through the graph, and what it found for the
// stop screen.
type search struct {
	classes int // the highest in use
	queue   [maxClasses]uint16
	from    [maxClasses]uint16 // the class before, on the shortest path
	seen    set
	goal    uint16

	held  held
	lock  uintptr
	class uint16
	at    site
}

// path looks for the shortest path from a class to the goal, or without one to a
// class that is held too low, breadth first, and leaves its end in goal. Lock
// held.
func (s *search) path(start, goal uint16) bool {
	clear(s.seen[:])
	s.queue[0], s.from[start] = start, 0
	s.seen.add(start)
	for head, tail := 0, 1; head < tail; head++ {
		c := s.queue[head]
		if c == goal || goal == 0 && state.classes[c].low < state.classes[start].high {
			s.goal = c
			return true
		}
		for w, set := range &state.after[c] {
			for ; set != 0; set &= set - 1 {
				n := uint16(w*64 + bits.TrailingZeros64(set))
				if !s.seen.has(n) {
					s.seen.add(n)
					s.from[n] = c
					s.queue[tail] = n
					tail++
				}
			}
		}
	}
	return false
}

// checkLevels reports whether a class that service routines acquire leads to one
// that is held below their level, itself included. Lock held.
func checkLevels() bool {
	s := &state.search
	for c := 1; c <= s.classes; c++ {
		high := state.classes[c].high
		if high == irql.Passive {
			continue
		}
		s.class = uint16(c)
		if s.path(uint16(c), 0) {
			return true
		}
	}
	return false
}
