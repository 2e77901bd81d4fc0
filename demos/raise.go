package demos

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	. "irqlab/wdk"
)

// rivals is the data of demo raise.
type rivals struct {
	event KEVENT
	woken atomic.Uint64 // interrupt time at which the rival ran; 0: not yet
}

func raise(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	affinity, cpu := lastProcessor()
	const hold, times = 100, 3
	fmt.Fprintf(w, "On CPU %d a thread of priority 8 wakes one of priority 15, for that processor only: at\n"+
		"DISPATCH_LEVEL, where it stays for %d ms, and then at PASSIVE_LEVEL.\n", cpu, hold)
	r, free := allocate[rivals]()
	defer free()
	KeInitializeEvent(&r.event, SynchronizationEvent, false)

	// No collector meanwhile: it would hold up the rival on its way back to Go code.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.GC()

	// What the thread saw, in ms after it set the event.
	var raised, lowered, late float64
	var early, first, atOnce bool
	join(create(func() {
		KeSetSystemAffinityThread(affinity)
		rival := create(func() {
			KeSetBasePriorityThread(KeGetCurrentThread(), 15-8)
			KeSetSystemAffinityThread(affinity)
			for range 1 + times {
				wait(PVOID(&r.event))
				r.woken.Store(KeQueryInterruptTime())
			}
		})
		if settle(rival, PVOID(&r.event)) != nil {
			return // nothing was seen, which is a failure
		}

		var old KIRQL
		KeRaiseIrql(DISPATCH_LEVEL, &old)
		set := KeQueryInterruptTime()
		KeSetEvent(&r.event, IO_NO_INCREMENT, false)
		for KeQueryInterruptTime() < set+uint64(hold*Millisecond) {
			KeStallExecutionProcessor(10)
		}
		early = r.woken.Load() != 0
		end := KeQueryInterruptTime()
		KeLowerIrql(old)
		first = r.woken.Load() != 0
		raised = ms(end - set)
		lowered = ms(r.woken.Load() - end)

		for n := range times {
			if settle(rival, PVOID(&r.event)) != nil {
				return
			}
			// A wait ends what this thread was lent if the rival, on its way back to
			// Go code, had to wait for a lock of the Go runtime.
			sleep(1)
			r.woken.Store(0)
			set = KeQueryInterruptTime()
			KeSetEvent(&r.event, IO_NO_INCREMENT, false)
			back := KeQueryInterruptTime()
			for r.woken.Load() == 0 {
				sleep(1)
			}
			woken := r.woken.Load()
			if took := ms(woken - set); n == 0 || took < late {
				late, atOnce = took, woken <= back
			}
		}
		join(rival)
		KeRevertToUserAffinityThread()
	}))
	fmt.Fprintf(w, "  at DISPATCH_LEVEL for %.1f ms: the other thread ran meanwhile: %v\n", raised, early)
	fmt.Fprintf(w, "  %.3f ms after KeLowerIrql began it ran, before that returned: %v\n", lowered, first)
	fmt.Fprintf(w, "  at PASSIVE_LEVEL, the best of %d times: it ran %.3f ms after KeSetEvent was called, before that\n"+
		"  returned: %v\n", times, late, atOnce)
	return verdict(w, !early && first && atOnce, "raised, a thread is not preempted; lowered, it is at once")
}

// ms turns units of 100 ns into milliseconds.
func ms(t uint64) float64 { return float64(int64(t)) / float64(Millisecond) }
