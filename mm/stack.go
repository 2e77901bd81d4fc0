package mm

import (
	"math/bits"

	"irqlab/arch"
)

// A kernel stack is the upper half of a slot; the lower half is never mapped,
// so that an overflow faults whatever the size of the frame that makes it. The
// slot's alignment lets a stack pointer be turned into the slot's address.
const (
	StackSlot = 32 << 10 // bytes, and the alignment
	StackSize = 16 << 10 // bytes that are mapped

	stackBase  = arch.KernelBase
	stackSlots = 16 << 10
	poolBase   = stackBase + stackSlots*StackSlot
)

// stacks are the slots in use, and a few free ones kept mapped because threads
// come and go.
var stacks struct {
	used   [stackSlots / 64]uint64
	first  int // words of used below it are full
	cache  [16]uintptr
	cached int
}

// AllocStack returns a kernel stack [lo, hi). Its contents are undefined.
//
// IRQL: <= DISPATCH_LEVEL
func AllocStack() (lo, hi uintptr, ok bool) {
	on := acquire()
	lo, ok = takeStack()
	release(on)
	return lo, lo + StackSize, ok
}

func takeStack() (lo uintptr, ok bool) {
	if stacks.cached > 0 {
		stacks.cached--
		return stacks.cache[stacks.cached], true
	}
	for ; stacks.first < len(stacks.used); stacks.first++ {
		w := &stacks.used[stacks.first]
		if *w == ^uint64(0) {
			continue
		}
		bit := bits.TrailingZeros64(^*w)
		lo = stackBase + uintptr(stacks.first*64+bit)*StackSlot + StackSlot - StackSize
		if ok = mapRAM(lo, StackSize); ok {
			*w |= 1 << bit
		}
		return lo, ok
	}
	return 0, false
}

// AllocInterruptStack returns a stack as AllocStack does, larger by
// arch.InterruptStackExtra: interrupts of all levels may be nested on it. It is
// for good.
//
// IRQL: <= DISPATCH_LEVEL
func AllocInterruptStack() (lo, hi uintptr, ok bool) {
	if lo, hi, ok = AllocStack(); !ok {
		return 0, 0, false
	}
	lo -= arch.InterruptStackExtra
	on := acquire()
	ok = mapRAM(lo, arch.InterruptStackExtra)
	release(on)
	return lo, hi, ok
}

// FreeStack takes back the stack whose lowest address is lo. Nothing may run on
// it any more.
//
// IRQL: <= DISPATCH_LEVEL
func FreeStack(lo uintptr) {
	on := acquire()
	if stacks.cached < len(stacks.cache) {
		stacks.cache[stacks.cached] = lo
		stacks.cached++
		release(on)
		return
	}
	release(on)
	purge(lo, lo+StackSize)
	on = acquire()
	slot := (lo - stackBase) / StackSlot
	stacks.used[slot/64] &^= 1 << (slot % 64)
	stacks.first = min(stacks.first, int(slot/64))
	release(on)
}

// IsStackGuard reports whether va is in the guard of a kernel stack, so that a
// fault there is an overflow.
func IsStackGuard(va uintptr) bool {
	return stackBase <= va && va < poolBase && va%StackSlot < StackSlot-StackSize
}

// mapRAM maps fresh pages at [va, va+n), all or none. Lock held.
func mapRAM(va, n uintptr) bool {
	for o := uintptr(0); o < n; o += arch.PageSize {
		e := page(va+o, false)
		pa := uintptr(0)
		if e != nil {
			pa = phys.zeroed(false)
		}
		if pa == 0 {
			for o > 0 {
				// Nobody has touched them, so no processor remembers them.
				o -= arch.PageSize
				e, _ := lookup(va + o)
				phys.put(e.Address())
				store(e, 0)
			}
			return false
		}
		store(e, arch.MakePTE(pa, arch.ProtWrite))
		arch.FlushPage(va + o)
	}
	return true
}
