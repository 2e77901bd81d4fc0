// Package workitem tests the rules of area workitem.
package workitem

import (
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/tests/kit"
	. "irqlab/wdk"
	"irqlab/work"
)

func init() { work.Idle = -50 * kernel.Millisecond }

// rule: work-passive
// rule: work-dispatch
// rule: work-size
func TestItem(t *testing.T) {
	item := kit.New[WORK_QUEUE_ITEM](t)
	var ran atomic.Int32
	var level irql.Level
	var thread *kernel.Thread
	ExInitializeWorkItem(item, func(Context PVOID) {
		level, thread = irql.Current(), kernel.Current()
		ran.Add(*(*int32)(Context))
	}, PVOID(&[]int32{3}[0]))
	runtime.GC()
	for i, queue := range []func(){
		func() { ExQueueWorkItem(item, DelayedWorkQueue) },
		func() { kit.At(irql.Dispatch, func() { ExQueueWorkItem(item, DelayedWorkQueue) }) },
		func() { ExQueueWorkItem(item, CriticalWorkQueue) },
		func() { ExQueueWorkItem(item, HyperCriticalWorkQueue) },
	} {
		queue()
		kit.Until(t, "the routine", func() bool { return ran.Load() == int32(3*(i+1)) })
		if level != irql.Passive || !PsIsSystemThread(thread) {
			t.Errorf("it ran at level %d, in a system thread: %v", level, PsIsSystemThread(thread))
		}
	}
	if IoSizeofWorkItem() < 32 {
		t.Error("IoSizeofWorkItem")
	}
}

// rule: work-queue-type
// rule: work-pools
func TestPriorities(t *testing.T) {
	for which, want := range map[WORK_QUEUE_TYPE]int8{
		CriticalWorkQueue: 13, DelayedWorkQueue: 12, HyperCriticalWorkQueue: 15, NormalWorkQueue: 8, BackgroundWorkQueue: 7,
		RealTimeWorkQueue: 18, SuperCriticalWorkQueue: 14,
		CustomPriorityWorkQueue + 1: 1, CustomPriorityWorkQueue + 11: 11, CustomPriorityWorkQueue + 31: 31,
	} {
		item := kit.New[WORK_QUEUE_ITEM](t)
		priority := make(chan int8, 1)
		ExInitializeWorkItem(item, func(PVOID) {
			p := kernel.Current().BasePriority
			if now := kernel.Current().Priority; now >= LOW_REALTIME_PRIORITY {
				p = now // of the real-time class, where it does not vary
			}
			priority <- p
		}, nil)
		ExQueueWorkItem(item, which)
		if got := <-priority; got != want {
			t.Errorf("queue %d: priority %d, want %d", which, got, want)
		}
	}
}

// Items are started in order, but by several threads: one that takes its time to
// wake, or loses its processor, is overtaken by the others. That makes some pairs
// of items change places; another order than the queue's would do so to half of
// them.
//
// rule: work-fifo
func TestOrder(t *testing.T) {
	const n = 20
	var started, done atomic.Int32
	var order [n]int // of the items
	items := kit.New[[n]WORK_QUEUE_ITEM](t)
	kit.Run(t, func() {
		for i := range n {
			ExInitializeWorkItem(&items[i], func(PVOID) {
				order[started.Add(1)-1] = i
				KeStallExecutionProcessor(100) // longer than a thread takes to wake
				done.Add(1)
			}, nil)
		}
		for i := range n {
			ExQueueWorkItem(&items[i], HyperCriticalWorkQueue)
		}
	})
	kit.Until(t, "all items", func() bool { return done.Load() == n })
	changed := 0
	for i := range order {
		for _, later := range order[i+1:] {
			if later < order[i] {
				changed++
			}
		}
	}
	if pairs := n * (n - 1) / 2; changed > pairs/4 {
		t.Errorf("%d of %d pairs changed places: %v", changed, pairs, order)
	}
}

// rule: work-requeue-inside
// rule: work-once-queued
func TestRequeue(t *testing.T) {
	item := kit.New[WORK_QUEUE_ITEM](t)
	var ran atomic.Int32
	ExInitializeWorkItem(item, func(PVOID) {
		if ran.Add(1) < 10 {
			ExQueueWorkItem(item, DelayedWorkQueue)
		}
	}, nil)
	ExQueueWorkItem(item, DelayedWorkQueue)
	kit.Until(t, "ten rounds", func() bool { return ran.Load() == 10 })
}

// rule: work-requeue-inside
// rule: work-ex-freed-by-routine
func TestFreedByRoutine(t *testing.T) {
	var ran atomic.Int32
	const n = 10
	for range n {
		item := New[WORK_QUEUE_ITEM](Tag("Test"))
		ExInitializeWorkItem(item, func(PVOID) {
			ExFreePoolWithTag(PVOID(item), Tag("Test"))
			runtime.GC()
			ran.Add(1)
		}, nil)
		ExQueueWorkItem(item, DelayedWorkQueue)
		w := IoAllocateWorkItem(nil)
		IoQueueWorkItemEx(w, func(IoObject PVOID, Context PVOID, IoWorkItem PIO_WORKITEM) {
			IoFreeWorkItem(IoWorkItem)
			runtime.GC()
			ran.Add(1)
		}, DelayedWorkQueue, nil)
	}
	kit.Until(t, "all items", func() bool { return ran.Load() == 2*n })
}

func TestIoWorkItem(t *testing.T) {
	device, context := kit.New[[8]byte](t), new(int)
	w := IoAllocateWorkItem(PVOID(device))
	done := make(chan [2]unsafe.Pointer, 1)
	IoQueueWorkItem(w, func(DeviceObject PVOID, Context PVOID) { done <- [2]unsafe.Pointer{DeviceObject, Context} }, DelayedWorkQueue, PVOID(context))
	if got := <-done; got[0] != PVOID(device) || got[1] != PVOID(context) {
		t.Errorf("got %v", got)
	}
	IoFreeWorkItem(w)

	block := kit.New[IO_WORKITEM](t)
	IoInitializeWorkItem(PVOID(device), block)
	IoQueueWorkItem(block, func(DeviceObject PVOID, Context PVOID) { done <- [2]unsafe.Pointer{DeviceObject, Context} }, DelayedWorkQueue, nil)
	<-done
	IoUninitializeWorkItem(block)
}

var fromDPC atomic.Int32

func dpcRoutine(_ *KDPC, context, _, _ unsafe.Pointer) {
	IoQueueWorkItem(PIO_WORKITEM(context), fromDPCRoutine, DelayedWorkQueue, nil)
}

func fromDPCRoutine(PVOID, PVOID) { fromDPC.Add(1) }

// rule: work-dispatch
func TestQueueFromDPC(t *testing.T) {
	w := kit.New[IO_WORKITEM](t)
	IoInitializeWorkItem(nil, w)
	d := kit.New[KDPC](t)
	KeInitializeDpc(d, dpcRoutine, PVOID(w))
	fromDPC.Store(0)
	for i := range 5 {
		KeInsertQueueDpc(d, nil, nil)
		kit.Until(t, "the work item of a DPC", func() bool { return fromDPC.Load() == int32(i+1) })
	}
}

// A routine that waits for another item of its queue gets on, because the pool
// grows; idle threads end.
//
// rule: work-no-block-on-other
// rule: work-pools
func TestGrowAndShrink(t *testing.T) {
	const n = 10
	items := kit.New[[n]WORK_QUEUE_ITEM](t)
	done := kit.New[[n + 1]KEVENT](t)
	for i := range done {
		KeInitializeEvent(&done[i], NotificationEvent, i == n)
	}
	for i := range n {
		ExInitializeWorkItem(&items[i], func(PVOID) {
			KeWaitForSingleObject(PVOID(&done[i+1]), Executive, KernelMode, false, nil)
			KeSetEvent(&done[i], 0, false)
		}, nil)
	}
	for i := range n {
		ExQueueWorkItem(&items[i], DelayedWorkQueue)
	}
	timeout := -20 * Second
	kit.Run(t, func() {
		if s := KeWaitForSingleObject(PVOID(&done[0]), Executive, KernelMode, false, &timeout); s != STATUS_SUCCESS {
			t.Fatalf("items that wait for each other: %v", s)
		}
	})
	kit.Until(t, "idle threads to end", func() bool { return work.Threads(DelayedWorkQueue) <= 3 })
}
