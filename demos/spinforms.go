package demos

import (
	"fmt"
	"io"

	. "irqlab/wdk"
)

// spinShared is what all processors change under a lock: two numbers that must
// stay equal.
type spinShared struct {
	plain     KSPIN_LOCK // in one form at a time
	queued    KSPIN_LOCK
	exclusive EX_SPIN_LOCK
	interrupt PKINTERRUPT

	first, second int64
	level         KIRQL // that the lock was held at
	readers       int64 // found the numbers different
}

func (s *spinShared) change() {
	s.first++
	s.level = KeGetCurrentIrql()
	s.second++
}

// spinForm is a way to hold a spin lock.
type spinForm struct {
	name  string
	level KIRQL
	about string
	once  func(s *spinShared)
}

// spinLevel is the level of the interrupt whose lock is used.
const spinLevel KIRQL = 6

var spinForms = []spinForm{
	{"plain", DISPATCH_LEVEL, "KeAcquireSpinLock raises and acquires", func(s *spinShared) {
		var old KIRQL
		KeAcquireSpinLock(&s.plain, &old)
		s.change()
		KeReleaseSpinLock(&s.plain, old)
	}},
	{"at DPC level", DISPATCH_LEVEL, "for who is at DISPATCH_LEVEL already, such as a DPC", func(s *spinShared) {
		var old KIRQL
		KeRaiseIrql(DISPATCH_LEVEL, &old)
		KeAcquireSpinLockAtDpcLevel(&s.plain)
		s.change()
		KeReleaseSpinLockFromDpcLevel(&s.plain)
		KeLowerIrql(old)
	}},
	{"try", DISPATCH_LEVEL, "KeTryToAcquireSpinLockAtDpcLevel: do something else meanwhile", func(s *spinShared) {
		var old KIRQL
		KeRaiseIrql(DISPATCH_LEVEL, &old)
		for !KeTryToAcquireSpinLockAtDpcLevel(&s.plain) {
			// Lowered, it lets in what waits for the processor.
			KeLowerIrql(old)
			KeRaiseIrql(DISPATCH_LEVEL, &old)
		}
		s.change()
		KeReleaseSpinLockFromDpcLevel(&s.plain)
		KeLowerIrql(old)
	}},
	{"in-stack queued", DISPATCH_LEVEL, "first come, first served; each spins on its own word", func(s *spinShared) {
		var handle KLOCK_QUEUE_HANDLE
		KeAcquireInStackQueuedSpinLock(&s.queued, &handle)
		s.change()
		KeReleaseInStackQueuedSpinLock(&handle)
	}},
	{"reader-writer", DISPATCH_LEVEL, "one writer or many readers; each change is read back", func(s *spinShared) {
		old := ExAcquireSpinLockExclusive(&s.exclusive)
		s.change()
		ExReleaseSpinLockExclusive(&s.exclusive, old)
		old = ExAcquireSpinLockShared(&s.exclusive)
		if s.first != s.second {
			InterlockedIncrement64(&s.readers)
		}
		ExReleaseSpinLockShared(&s.exclusive, old)
	}},
	{"interrupt", spinLevel, "shared with a service routine, held at its level", func(s *spinShared) {
		old := KeAcquireInterruptSpinLock(s.interrupt)
		s.change()
		KeReleaseInterruptSpinLock(s.interrupt, old)
	}},
	{"synchronized", spinLevel, "KeSynchronizeExecution calls a routine with that lock held", func(s *spinShared) {
		KeSynchronizeExecution(s.interrupt, changeSynchronized, PVOID(s))
	}},
}

func changeSynchronized(context PVOID) BOOLEAN {
	(*spinShared)(context).change()
	return true
}

// noService is the service routine of a device that never interrupts.
func noService(PKINTERRUPT, PVOID) BOOLEAN { return false }

func spinLockForms(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	// A hand-over takes a turn of the host's scheduler where the host has fewer
	// processors, so more threads do no more.
	const changes = 4000
	n := max(processors(), 2)
	each := changes / n
	fmt.Fprintf(w, "%d threads change two numbers %d times each under a spin lock, in each of its forms.\n", n, each)
	s, free := allocate[spinShared]()
	defer free()
	KeInitializeSpinLock(&s.plain)
	KeInitializeSpinLock(&s.queued)
	status := IoConnectInterrupt(&s.interrupt, noService, nil, nil, SoftwareVector, spinLevel, spinLevel, Latched, false, 1, false)
	if !NT_SUCCESS(status) {
		return fmt.Errorf("IoConnectInterrupt: %v", status)
	}
	defer IoDisconnectInterrupt(s.interrupt)

	right := 0
	for _, f := range spinForms {
		s.first, s.second, s.level = 0, 0, PASSIVE_LEVEL
		threads := make([]PETHREAD, n)
		for i := range threads {
			threads[i] = create(func() {
				KeSetSystemAffinityThread(1 << (i % processors()))
				for range each {
					f.once(s)
				}
				KeRevertToUserAffinityThread()
			})
		}
		join(threads...)
		fmt.Fprintf(w, "  %-16s level %d  %6d changes  %s\n", f.name, s.level, s.first, f.about)
		if want := int64(n * each); s.first == want && s.second == want && s.level == f.level {
			right++
		}
	}
	return verdict(w, right == len(spinForms) && s.readers == 0,
		"%d of %d forms lost nothing and were held at their level", right, len(spinForms))
}
