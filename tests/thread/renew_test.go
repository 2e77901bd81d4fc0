package thread

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"irqlab/kernel"
	"irqlab/tests/kit"
	"irqlab/thread"
	. "irqlab/wdk"
)

// crowd runs n system threads that are all there at once.
func crowd(t *testing.T, n int, fn func()) {
	t.Helper()
	all := event(t, NotificationEvent)
	var here uint32
	threads := make([]PETHREAD, n)
	for i := range threads {
		threads[i] = start(t, func() {
			fn()
			if atomic.AddUint32(&here, 1) == uint32(n) {
				KeSetEvent(all, IO_NO_INCREMENT, false)
			}
			wait(PVOID(all))
		})
	}
	for _, th := range threads {
		join(t, th)
	}
}

// TestSuccession makes many threads one after the other: each is a new one,
// although what ran the last one runs it too, so their number does not grow.
func TestSuccession(t *testing.T) {
	const rounds, most = 50, 8
	seen := map[uint64]bool{}
	before := 0
	for i := range rounds {
		if i == rounds/2 {
			before = kernel.Threads(nil)
		}
		run(t, func() {
			id := uint64(uintptr(PsGetCurrentThreadId()))
			if seen[id] {
				t.Errorf("ID %d is used again", id)
			}
			seen[id] = true
			th := KeGetCurrentThread()
			// For having waited, and for a signal, it may be lifted, but not so far.
			if p := KeQueryPriorityThread(th); p >= LOW_REALTIME_PRIORITY || th.BasePriority != kernel.DefaultPriority {
				t.Errorf("a new thread has priority %d, base %d", p, th.BasePriority)
			}
			KeSetPriorityThread(th, LOW_REALTIME_PRIORITY)
			KeSetSystemAffinityThread(1)
		})
	}
	what := fmt.Sprintf("no more than %d threads, of which there were %d after %d of %d", before+most, before, rounds/2, rounds)
	kit.Until(t, what, func() bool { return kernel.Threads(nil) <= before+most })
}

// TestSignalled has goroutines compute where system threads have ended: the Go
// runtime stops them by signals, to the numbers by which it knows its threads.
func TestSignalled(t *testing.T) {
	const threads = 4
	crowd(t, threads, func() {})
	var stop, running, left uint32
	for range threads {
		go func() {
			atomic.AddUint32(&running, 1)
			for atomic.LoadUint32(&stop) == 0 { // calls nothing
			}
			atomic.AddUint32(&left, 1)
		}()
	}
	kit.Until(t, "the goroutines", func() bool { return atomic.LoadUint32(&running) == threads })
	runtime.GC()
	atomic.StoreUint32(&stop, 1)
	kit.Until(t, "their end", func() bool { return atomic.LoadUint32(&left) == threads })
}

// TestRestrictedBefore makes system threads where goroutines were that had
// restricted their threads: nothing of that is left.
func TestRestrictedBefore(t *testing.T) {
	const threads = 8
	restricted := map[PKTHREAD]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	all := event(t, NotificationEvent)
	for range threads {
		wg.Go(func() {
			th := thread.Lock("")
			mu.Lock()
			if restricted[th] = true; len(restricted) == threads {
				KeSetEvent(all, IO_NO_INCREMENT, false)
			}
			mu.Unlock()
			KeSetSystemAffinityThread(1)
			KeSetDisableBoostThread(th, true)
			wait(PVOID(all))
			thread.Unlock()
		})
	}
	wg.Wait()
	var reused atomic.Int32
	crowd(t, 2*threads, func() {
		th := KeGetCurrentThread()
		if restricted[th] {
			reused.Add(1)
		}
		active := uint32(KeQueryActiveProcessors())
		if th.Affinity&active != active || th.UserAffinity != 0 || th.NoBoost {
			t.Errorf("a new thread has affinity %#x, that of its user is %#x, no boosts: %v", th.Affinity, th.UserAffinity, th.NoBoost)
		}
	})
	t.Logf("%d of the threads are used again", reused.Load())
}
