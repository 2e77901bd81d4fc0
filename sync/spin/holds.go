package spin

import (
	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/irql"
)

// holds are the locks that a processor holds, in checked mode. A holder does not
// change processors, so nobody else writes them.
//
// An interrupt that uses locks leaves its processor's account as it found it, so
// the account can be used in any order but one: an entry is claimed by the count
// before it is written.
type holds struct {
	n    int
	lock [maxHolds]uintptr // address | mode
	_    [7]uint64
}

// maxHolds is how many locks are recorded; more are only counted.
const maxHolds = 8

// Modes of holds, in the low bits of an address.
const (
	heldShared    = 0
	heldExclusive = 1
)

var held [arch.MaxCPUs]holds

// here returns the running processor's account.
func here() *holds { return &held[arch.ThisCPU().ID] }

// recorded returns the entries that are known.
func (h *holds) recorded() []uintptr { return h.lock[:min(h.n, maxHolds)] }

func (h *holds) add(entry uintptr) {
	i := h.n
	h.n++
	if i < maxHolds {
		h.lock[i] = entry
	}
}

// remove reports whether the processor may hold what the entry says.
func (h *holds) remove(entry uintptr) bool {
	for i := min(h.n, maxHolds) - 1; i >= 0; i-- {
		if h.lock[i] == entry {
			copy(h.lock[i:], h.lock[i+1:])
			h.n--
			return true
		}
	}
	if h.n <= maxHolds {
		return false
	}
	h.n--
	return true
}

// falling stops the machine if the processor's level is about to fall below
// DISPATCH_LEVEL while it holds a lock: the thread could be switched out, and
// whoever wants the lock next on this processor would spin for ever.
func falling() {
	h := here()
	if h.n == 0 {
		return
	}
	known := h.recorded()
	bugcheck.StopBecause("IRQL was lowered below DISPATCH_LEVEL with a spin lock held",
		bugcheck.SpinLockAlreadyOwned, known[len(known)-1]&^heldExclusive, uintptr(irql.Current()), uintptr(h.n), 0)
}
