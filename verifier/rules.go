package verifier

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/mm"
	"irqlab/ob"
	"irqlab/paging"
	"irqlab/pool"
	"irqlab/sync"
	"irqlab/sync/spin"
)

// Rule is a set of things that are verified.
type Rule uint32

const (
	Order Rule = 1 << iota
	Deadlock
	Hold
	Paging
	Leaks

	all = Order | Deadlock | Hold | Paging | Leaks
)

// ruleNames are the words of the option verifier, by bit.
var ruleNames = [...]string{"order", "deadlock", "hold", "paging", "leaks"}

// rules are those in force.
var rules Rule

// Rules returns the rules in force.
//
// IRQL: any
func Rules() Rule { return rules }

// Parse returns the rules that a value of the option verifier names: on, off, or
// a list separated by commas. It reports false for a word that names none.
func Parse(value string) (r Rule, ok bool) {
	switch value {
	case "on":
		return all, true
	case "off", "":
		return 0, true
	}
	for value != "" {
		n := 0
		for n < len(value) && value[n] != ',' {
			n++
		}
		bit := ruleOf(value[:n])
		if bit == 0 {
			return 0, false
		}
		r |= bit
		value = value[min(n+1, len(value)):]
	}
	return r, true
}

func ruleOf(word string) Rule {
	for i := range ruleNames {
		if ruleNames[i] == word {
			return 1 << i
		}
	}
	return 0
}

// Name returns the word for the nth rule, or nothing behind the last.
func Name(n int) (word string, r Rule) {
	if n >= len(ruleNames) {
		return "", 0
	}
	return ruleNames[n], 1 << n
}

// tables is all that the package knows.
type tables struct {
	classes [maxClasses]class
	after   [maxClasses]set // by class: those acquired while one of it was held
	edges   [maxEdges]edge
	pairs   [maxPairs]pair
	locks   [maxLocks]known
	threads [maxThreads]owner
	cpus    [arch.MaxCPUs]processor
	search  search
	stats   Stats

	handles    [ob.MaxHandles]uintptr // by index: the return address of the call that made it
	references [maxReferences]reference
	accounts   uint32 // of references that are in use
}

// state is nil while nothing is verified.
var state *tables

// Start verifies the given rules from now on, in checked mode. It reports false
// if there is no memory for that. Boot processor, before any other runs.
func Start(r Rule) bool {
	if r == 0 {
		return true
	}
	va, ok := mm.MapPool(int(unsafe.Sizeof(tables{})+arch.PageSize-1) / arch.PageSize)
	if !ok {
		return false
	}
	state = (*tables)(unsafe.Pointer(va))
	for i := range state.classes {
		state.classes[i].low = unheld
	}
	rules = r
	if r&Paging != 0 {
		irql.Raising = paging.Raising
	}
	HoldLimit = 2 * board.CounterHz()
	pool.OnFree(freed)
	if r&Leaks != 0 {
		ob.OnHandle = handleMade
		ob.OnReference = referenceTaken
	}
	spin.Hook = spinLock
	sync.Hook = threadLock
	kernel.OnMutant = mutantMade
	kernel.OnWait = wait
	if r&Deadlock != 0 {
		kernel.OnBlock = blocking
	}
	return true
}

// Stats counts what was verified, and what found no room and was not.
type Stats struct {
	Classes, Locks, Edges, Threads int
	Acquisitions                   uint64 // of spin locks
	ThreadAcquisitions             uint64 // of the locks of package sync
	Waits                          uint64 // followed through the graph of waiting threads
	Missed                         uint64 // classes, locks, edges or holds without room
}

// ReadStats returns the counts of this moment.
//
// IRQL: any
func ReadStats() (s Stats) {
	if state == nil {
		return s
	}
	s = state.stats
	for i := range state.cpus {
		s.Acquisitions += state.cpus[i].acquisitions
		s.Missed += state.cpus[i].missed
	}
	for i := range state.threads {
		if state.threads[i].n != 0 {
			s.Threads++
		}
	}
	return s
}
