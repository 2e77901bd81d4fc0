package load

import (
	"sync/atomic"

	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/kernel"
)

// patience is how many seconds a worker may go without a step. A thread that is
// ready but never runs gets the balance set manager's boost every four.
const patience = 40

var (
	watchdog *kernel.Thread
	seen     [maxWorkers]uint64
	silent   [maxWorkers]uint32
)

// watch stops the machine when a worker no longer gets on.
func watch(uintptr) {
	for second := 0; !Stopping(); second++ {
		// Short, so that Stop does not wait for long.
		for range 10 {
			kernel.Delay(-kernel.Second/10, false, kernel.KernelMode)
			if Stopping() {
				break
			}
		}
		for i := range nworkers {
			steps := atomic.LoadUint64(&workers[i].steps)
			if steps != seen[i] {
				seen[i], silent[i] = steps, 0
			} else if silent[i]++; silent[i] == patience {
				stall(i)
			}
		}
	}
	kernel.Exit(0)
}

// stall prints what the watchdog knows and stops the machine. Nothing is locked
// for it: what hangs may hold any lock.
func stall(worker uint32) {
	put("\nsoak: workers and their steps:\n")
	for i := range nworkers {
		w := &workers[i]
		put("  ")
		put(w.Name)
		put(" ")
		putDecimal(atomic.LoadUint64(&w.steps))
		if t := w.thread; t != nil {
			put("  state ")
			putDecimal(uint64(t.State))
			put(" priority ")
			putDecimal(uint64(t.Priority))
			put(" processor ")
			putDecimal(uint64(t.CPU))
		}
		if silent[i] > 1 {
			put("  silent")
		}
		put("\n")
	}
	bugcheck.StopText("soak: a worker makes no progress", bugcheck.ManuallyInitiatedCrash,
		uintptr(worker), uintptr(workers[worker].steps), 0, 0, nil)
}

func put(s string) {
	for i := range len(s) {
		board.PutByte(s[i])
	}
}

func putDecimal(v uint64) {
	if v >= 10 {
		putDecimal(v / 10)
	}
	board.PutByte(byte('0' + v%10))
}
