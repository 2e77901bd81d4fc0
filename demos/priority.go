package demos

import (
	"fmt"
	"io"
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/kernel"
	. "irqlab/wdk"
)

// contest is the data of demo priority: a thread that would like to work, and
// how it fares.
type contest struct {
	stop  uint32
	turns uint64 // rounds of work done
	last  uint64 // interrupt time of the last one
	gap   uint64 // longest time between two
}

func priority(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	affinity, cpu := lastProcessor()
	fmt.Fprintf(w, "On CPU %d a thread of priority 8 works for ever, and one of a higher priority joins it.\n", cpu)
	c, free := allocate[contest]()
	defer free()
	victim := create(func() {
		KeSetSystemAffinityThread(affinity)
		compute(work, c)
		KeRevertToUserAffinityThread()
	})

	// Priority 31 is real-time: nothing helps against it.
	const reign = Second
	var during uint64
	rival := create(func() {
		KeSetPriorityThread(KeGetCurrentThread(), HIGH_PRIORITY)
		KeSetSystemAffinityThread(affinity)
		before := atomic.LoadUint64(&c.turns)
		spin(c, reign, false)
		during = atomic.LoadUint64(&c.turns) - before
	})
	join(rival)
	before := atomic.LoadUint64(&c.turns)
	sleep(200)
	var after uint64
	until(func() bool { // for a host that has not run the processor in that time
		after = atomic.LoadUint64(&c.turns) - before
		return after > 0
	})
	fmt.Fprintf(w, "  31 works for %d s: 8 gets %d turns; in the 0.2 s after that, %d\n", reign/Second, during, after)

	// Priority 12 is variable: the balance set manager lifts who has been ready
	// for four seconds to 15, for a while.
	atomic.StoreUint64(&c.gap, 0)
	boosts := kernel.Starved
	var rescued bool
	rival = create(func() {
		KeSetBasePriorityThread(KeGetCurrentThread(), 12-8)
		KeSetSystemAffinityThread(affinity)
		rescued = spin(c, 10*Second, true)
	})
	join(rival)
	boosts = kernel.Starved - boosts
	atomic.StoreUint32(&c.stop, 1)
	join(victim)
	gap := float64(atomic.LoadUint64(&c.gap)) / float64(Second)
	fmt.Fprintf(w, "  12 works until 8 gets a turn: that takes %.1f s; boosts by the balance set manager: %d\n", gap, boosts)
	return verdict(w, during == 0 && after > 0 && rescued && boosts > 0 && gap > 3.9,
		"31 starved 8 for good, 12 until the boost")
}

// Both threads compute in kernel context. In Go code the Go scheduler would let
// goroutines take turns every 10 ms, which is not the dispatcher's doing.

func compute(fn func(*kernel.Args), c *contest) {
	a := kernel.Args{P: unsafe.Pointer(c)}
	kernel.EnterBlocking(fn, &a)
}

// work takes turns until it is told to stop.
func work(a *kernel.Args) {
	c := (*contest)(a.P)
	c.last = kernel.InterruptTime()
	for atomic.LoadUint32(&c.stop) == 0 {
		t := kernel.InterruptTime()
		if g := t - c.last; g > atomic.LoadUint64(&c.gap) {
			atomic.StoreUint64(&c.gap, g)
		}
		c.last = t
		atomic.AddUint64(&c.turns, 1)
		labour()
	}
}

// spin keeps the processor busy for a time, or until the worker gets a turn, and
// reports whether it has.
func spin(c *contest, time LARGE_INTEGER, turn bool) bool {
	a := kernel.Args{P: unsafe.Pointer(c), A: uintptr(time)}
	if turn {
		a.B = 1
	}
	kernel.EnterBlocking(spinKernel, &a)
	return a.R != 0
}

func spinKernel(a *kernel.Args) {
	c := (*contest)(a.P)
	end := kernel.InterruptTime() + uint64(a.A)
	before := atomic.LoadUint64(&c.turns)
	for kernel.InterruptTime() < end {
		if atomic.LoadUint64(&c.turns) != before {
			a.R = 1
			if a.B != 0 {
				return
			}
		}
		labour()
	}
}

// labour keeps the processor busy for a moment. A pause each time would make
// QEMU crawl under a seed.
func labour() {
	for i := range uint32(1000) {
		atomic.StoreUint32(&sweat, i)
	}
	arch.Pause()
}

var sweat uint32
