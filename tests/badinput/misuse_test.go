package badinput

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/irql"
	"irqlab/sync"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// misuses are wrong in other ways than by one pointer, handle or count. Those that
// work leave nothing behind.
var misuses = []struct {
	name, want string
	call       func(b *bench)
}{
	{"an I/O work item that is queued", "stop 0xe4/0x1", func(b *bench) {
		w := b.queuedItem()
		IoQueueWorkItem(w, countRun, DelayedWorkQueue, nil)
	}},
	{"an I/O work item that is freed while it is queued", "stop 0xe4/0x0", func(b *bench) {
		IoUninitializeWorkItem(b.queuedItem())
	}},
	{"an I/O work item that is uninitialized", notOne, func(b *bench) {
		w := b.workItem()
		IoUninitializeWorkItem(w)
		IoQueueWorkItem(w, countRun, DelayedWorkQueue, nil)
	}},
	{"MaximumWorkQueue", noQueue, func(b *bench) { b.queue(7) }},
	{"between the queues", noQueue, func(b *bench) { b.queue(31) }},
	{"CustomPriorityWorkQueue without a priority", noQueue, func(b *bench) { b.queue(CustomPriorityWorkQueue) }},
	{"CustomPriorityWorkQueue with one too high", noQueue, func(b *bench) { b.queue(CustomPriorityWorkQueue + 32) }},
	{"no queue at all", noQueue, func(b *bench) { b.queue(0xFFFF_FFFF) }},

	{"a mode of an APC", meaningless, func(b *bench) {
		KeInitializeApc(PKAPC(b.storage.take(of[KAPC]().Size())), KeGetCurrentThread(), OriginalApcEnvironment, kernelRoutine, nil, normalRoutine, 2, nil)
	}},
	{"a mode of an APC that changed", notOne, func(b *bench) {
		a := PKAPC(b.storage.take(of[KAPC]().Size()))
		KeInitializeApc(a, KeGetCurrentThread(), OriginalApcEnvironment, kernelRoutine, nil, normalRoutine, UserMode, nil)
		a.Mode = 2
		KeInsertQueueApc(a, nil, nil, 0)
	}},
	{"a mode of APCs", meaningless, func(*bench) { KeFlushQueueApc(KeGetCurrentThread(), 3) }},
	{"a type of wait", meaningless, func(b *bench) {
		KeWaitForMultipleObjects(1, []PVOID{b.event()}, 2, Executive, KernelMode, false, nil, nil)
	}},
	{"a mode of a wait", meaningless, func(b *bench) {
		KeWaitForSingleObject(b.event(), Executive, 2, false, nil)
	}},
	{"a mode of a wait for any", meaningless, func(b *bench) {
		KeWaitForMultipleObjects(1, []PVOID{b.event()}, WaitAny, Executive, 2, false, nil, nil)
	}},
	{"a mode of a delay", meaningless, func(*bench) { KeDelayExecutionThread(2, false, kit.Ms(0)) }},
	{"a mode of a wait for an entry", meaningless, func(b *bench) {
		q := PRKQUEUE(b.storage.take(of[KQUEUE]().Size()))
		KeInitializeQueue(q, 0)
		defer KeRundownQueue(q)
		KeRemoveQueue(q, 2, kit.Ms(0))
	}},
	{"a mode of an alert", meaningless, func(*bench) { KeAlertThread(KeGetCurrentThread(), 2) }},
	{"a mode of a test for an alert", meaningless, func(*bench) { KeTestAlertThread(2) }},
	{"a type of event", meaningless, func(b *bench) {
		KeInitializeEvent(PKEVENT(b.storage.take(of[KEVENT]().Size())), 7, false)
	}},
	{"flags of an owner", meaningless, func(b *bench) {
		r := PERESOURCE(b.storage.take(of[ERESOURCE]().Size()))
		ExInitializeResourceLite(r)
		defer func() {
			ExReleaseResourceLite(r)
			ExDeleteResourceLite(r)
			KeLeaveCriticalRegion()
		}()
		ExEnterCriticalRegionAndAcquireResourceExclusive(r)
		ExSetResourceOwnerPointerEx(r, PVOID(uintptr(unsafe.Pointer(r))|3), 0x80)
	}},
	{"run-down protection that is held less often, at its end", notHeld, func(b *bench) {
		r := PEX_RUNDOWN_REF(b.storage.take(of[EX_RUNDOWN_REF]().Size()))
		ExInitializeRundownProtection(r)
		ExAcquireRundownProtectionEx(r, 2)
		owner := kit.Go(b.t, func() NTSTATUS { ExWaitForRundownProtectionRelease(r); return STATUS_SUCCESS })
		kit.Until(b.t, "the owner waits", func() bool {
			more := ExAcquireRundownProtection(r)
			if more {
				ExReleaseRundownProtection(r)
			}
			return !more
		})
		defer func() {
			ExReleaseRundownProtectionEx(r, 2)
			owner.Join(b.t)
		}()
		ExReleaseRundownProtectionEx(r, 3)
	}},
	{"cache-aware run-down protection that was held less often", notHeld, func(b *bench) {
		r := PEX_RUNDOWN_REF_CACHE_AWARE(b.storage.take(of[EX_RUNDOWN_REF_CACHE_AWARE]().Size()))
		objects[of[EX_RUNDOWN_REF_CACHE_AWARE]()].make(PVOID(r))
		ExAcquireRundownProtectionCacheAware(r)
		ExReleaseRundownProtectionCacheAwareEx(r, 2)
		ExWaitForRundownProtectionReleaseCacheAware(r)
	}},
	{"an event for the end of a generic call", notOne, func(b *bench) {
		e := b.event()
		irql.Raise(irql.Dispatch)
		KeSignalCallDpcDone(e)
	}},
	{"an event where the processors meet", notOne, func(b *bench) {
		e := b.event()
		irql.Raise(irql.Dispatch)
		KeSignalCallDpcSynchronize(e)
	}},
}

const (
	noQueue = "stop 0xe4/0x6"
	notHeld = "stop 0xc4/0x1007"
)

// queued are the work items that were queued, and ran those whose routines were
// called.
var queued, ran atomic.Int32

func countRun(PVOID, PVOID) { ran.Add(1) }

func normalRoutine(_, _, _ PVOID) {}

func (b *bench) workItem() PIO_WORKITEM {
	w := PIO_WORKITEM(b.storage.take(of[IO_WORKITEM]().Size()))
	IoInitializeWorkItem(nil, w)
	return w
}

// queuedItem returns one that stays in its queue until drain: the queue's threads
// may not run.
func (b *bench) queuedItem() PIO_WORKITEM {
	bound(0)
	w := b.workItem()
	IoQueueWorkItem(w, countRun, CustomPriorityWorkQueue+ownPriority, nil)
	queued.Add(1)
	return w
}

// drain has the items run that were queued.
func (b *bench) drain() {
	bound(1)
	w := b.workItem()
	IoQueueWorkItem(w, countRun, CustomPriorityWorkQueue+ownPriority, nil) // which has the queue look
	queued.Add(1)
	kit.Until(b.t, "work items to run", func() bool { return ran.Load() == queued.Load() })
}

// ownPriority is that of a queue that nobody else uses.
const ownPriority = 5

// bound says how many threads of that queue may run.
func bound(threads uint32) {
	kit.Locked(func() { sync.SystemWork(ownPriority).MaximumCount = threads })
}

func (b *bench) queue(which WORK_QUEUE_TYPE) {
	w := PWORK_QUEUE_ITEM(b.storage.take(of[WORK_QUEUE_ITEM]().Size()))
	ExInitializeWorkItem(w, func(PVOID) {}, nil)
	ExQueueWorkItem(w, which)
}

// TestMisuses has each of them end in its bug check.
//
// rule: work-once-queued
// rule: work-free-queued
func TestMisuses(t *testing.T) {
	b := newBench(t)
	watch(t, func(step func(string)) {
		for _, m := range misuses {
			step(m.name)
			r := routine{name: m.name, call: func(*arguments) { m.call(b) }}
			if got := r.outcome(irql.Passive, new(arguments), m.want); got != m.want {
				t.Errorf("%s: %s, want %s", m.name, got, m.want)
			}
			b.drain()
			b.storage.free()
		}
	})
}
