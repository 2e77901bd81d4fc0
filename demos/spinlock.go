package demos

import (
	"fmt"
	"io"

	. "irqlab/wdk"
)

// account is what threads and a DPC share: two numbers that must stay equal.
type account struct {
	lock     KSPIN_LOCK
	debit    int64
	credit   int64
	deferred int64 // updates by the DPC

	timer KTIMER
	dpc   KDPC
}

// Updates by each thread, and the least number of updates by the DPC.
const (
	threadUpdates   = 20_000
	deferredUpdates = 20
)

func spinLock(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	n := max(processors(), 2)
	fmt.Fprintf(w, "%d threads and the DPC of a 2 ms timer change two numbers that must stay equal. A\n"+
		"mutex is no use: a DPC can't wait. They take a spin lock, at DISPATCH_LEVEL.\n", n)
	a, free := allocate[account]()
	defer free()
	KeInitializeSpinLock(&a.lock)
	KeInitializeTimer(&a.timer)
	KeInitializeDpc(&a.dpc, updateDeferred, PVOID(a))
	KeSetTimerEx(&a.timer, -2*Millisecond, 2, &a.dpc)

	threads := make([]PETHREAD, n)
	updates := make([]int64, n)
	for i := range threads {
		threads[i] = create(func() {
			KeSetSystemAffinityThread(1 << (i % processors()))
			// The timer must get its chance on a fast machine too.
			for updates[i] < threadUpdates || a.deferred < deferredUpdates {
				a.update()
				updates[i]++
			}
			KeRevertToUserAffinityThread()
		})
	}
	join(threads...)
	KeCancelTimer(&a.timer)
	KeFlushQueuedDpcs()

	want := a.deferred
	for i, u := range updates {
		fmt.Fprintf(w, "  thread %d on CPU %d: %d updates\n", i+1, i%processors(), u)
		want += u
	}
	fmt.Fprintf(w, "  DPC: %d updates\n", a.deferred)
	return verdict(w, a.debit == want && a.credit == want && a.deferred >= deferredUpdates,
		"the numbers are %d and %d after %d updates", a.debit, a.credit, want)
}

// update is what a thread does.
func (a *account) update() {
	var old KIRQL
	KeAcquireSpinLock(&a.lock, &old)
	a.debit++
	a.credit++
	KeReleaseSpinLock(&a.lock, old)
}

// updateDeferred is what the DPC does; it is at DISPATCH_LEVEL already.
func updateDeferred(_ PKDPC, DeferredContext, _, _ PVOID) {
	a := (*account)(DeferredContext)
	KeAcquireSpinLockAtDpcLevel(&a.lock)
	a.debit++
	a.credit++
	a.deferred++
	KeReleaseSpinLockFromDpcLevel(&a.lock)
}
