package thread

import (
	"testing"
	"unsafe"

	"irqlab/kernel"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// A processor that has nothing to do takes a ready thread from another one, also
// from behind a better thread that has to stay there.
func TestTakesOver(t *testing.T) {
	cpu, set := last()
	if cpu == 0 {
		t.Skip("needs two processors")
	}
	const busy = 600 * kernel.Millisecond
	var waited uint64
	// The host may keep the processor from running.
	if !kit.Retry(func() bool {
		waited = takeOver(t, 1, set, busy)
		return waited < busy/2
	}) {
		t.Errorf("a thread waited %d ms for a processor though another was idle after 100 ms", waited/kernel.Millisecond)
	}
}

// takeOver returns how long a free thread waits for a processor while one, first, is
// busy with threads bound to it, for the given time each, and the other gets idle
// after 100 ms.
func takeOver(t *testing.T, first, other KAFFINITY, busy uint64) uint64 {
	e := event(t, NotificationEvent)
	s := kit.New[[3]spinner](t)
	contend := func(s *spinner, limit uint64, priority KPRIORITY, on KAFFINITY) PETHREAD {
		s.limit = limit
		th := start(t, func() {
			KeSetPriorityThread(KeGetCurrentThread(), priority)
			KeSetSystemAffinityThread(on)
			waitAndSpin(e, s)
		})
		settle(t, th, PVOID(e))
		return th
	}
	bound := []PETHREAD{
		contend(&s[0], busy, 20, first), contend(&s[1], busy, 20, first),
		contend(&s[2], 100*kernel.Millisecond, 19, other),
	}
	// Both are busy when the free thread becomes ready, so it stays where it ran
	// last, in line behind one that is bound.
	timer, ran := kit.New[KTIMER](t), kit.New[uint64](t)
	KeInitializeTimer(timer)
	free := start(t, func() {
		KeSetPriorityThread(KeGetCurrentThread(), 17)
		KeSetSystemAffinityThread(first)
		KeSetSystemAffinityThread(first | other)
		a := kernel.Args{P: unsafe.Pointer(ran), Q: unsafe.Pointer(timer)}
		kernel.EnterBlocking(waitAndNote, &a)
	})
	settle(t, free, PVOID(timer))
	began := kernel.InterruptTime()
	KeSetTimer(timer, -50*kernel.Millisecond, nil)
	KeSetEvent(e, IO_NO_INCREMENT, false)
	join(t, free)
	for _, th := range bound {
		join(t, th)
	}
	return *ran - began
}

// waitAndNote stores when the wait for an object has ended.
func waitAndNote(a *kernel.Args) {
	kernel.WaitHeader((*kernel.Header)(a.Q), nil, false)
	*(*uint64)(a.P) = kernel.InterruptTime()
}
