package demos

import (
	"fmt"
	"io"
	"sync/atomic"

	. "irqlab/wdk"
)

// job is work that somebody puts off, and what it finds when it is done.
type job struct {
	dpc   KDPC
	item  WORK_QUEUE_ITEM
	found [3]circumstances
	done  KEVENT
	left  uint32
}

// circumstances are those under which a routine runs.
type circumstances struct {
	level    KIRQL
	thread   uintptr
	priority int32
	waited   bool // it could wait
	after    LARGE_INTEGER
}

// Ways to put work off.
const (
	inDPC = iota
	inWorkItem
	inThread
)

var wayNames = [...]string{"DPC", "work item", "thread of its own"}

// look fills in the circumstances of the caller.
func (j *job) look(way int, queued LARGE_INTEGER) {
	c := &j.found[way]
	c.after = LARGE_INTEGER(KeQueryInterruptTime()) - queued
	c.level = KeGetCurrentIrql()
	t := KeGetCurrentThread()
	c.thread, c.priority = uintptr(PVOID(t)), int32(t.Priority)
	if c.level < DISPATCH_LEVEL {
		moment := -Millisecond
		c.waited = KeDelayExecutionThread(KernelMode, false, &moment) == STATUS_SUCCESS
	}
	if atomic.AddUint32(&j.left, ^uint32(0)) == 0 {
		KeSetEvent(&j.done, IO_NO_INCREMENT, false)
	}
}

// lookInDPC cannot wait, so it leaves the rest to a work item, as most DPCs do.
func lookInDPC(_ PKDPC, context, queued, _ PVOID) {
	j := (*job)(context)
	j.look(inDPC, LARGE_INTEGER(uintptr(queued)))
	ExQueueWorkItem(&j.item, DelayedWorkQueue)
}

func workItems(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	fmt.Fprint(w, "Work that cannot be done here and now is put off: to a DPC, which is soon but must not\n"+
		"wait; to a work item, which may wait, in a thread that others need too; or to a thread.\n")
	j, free := allocate[job]()
	defer free()
	KeInitializeEvent(&j.done, NotificationEvent, false)
	j.left = 3
	var itemQueued LARGE_INTEGER
	KeInitializeDpc(&j.dpc, lookInDPC, PVOID(j))
	ExInitializeWorkItem(&j.item, func(context PVOID) { (*job)(context).look(inWorkItem, itemQueued) }, PVOID(j))

	var own, me uintptr
	var level KIRQL
	caller := create(func() {
		me = uintptr(PVOID(KeGetCurrentThread()))
		itemQueued = LARGE_INTEGER(KeQueryInterruptTime())
		// Raised, it holds the DPC back; else that would have run already.
		KeRaiseIrql(DISPATCH_LEVEL, &level)
		KeInsertQueueDpc(&j.dpc, PVOID(uintptr(itemQueued)), nil)
		KeLowerIrql(level)
		start := LARGE_INTEGER(KeQueryInterruptTime())
		t := create(func() {
			own = uintptr(PVOID(KeGetCurrentThread()))
			j.look(inThread, start)
		})
		wait(PVOID(&j.done))
		join(t)
	})
	join(caller)

	fmt.Fprintf(w, "  %-18s%-7s%-10s%-20s%s\n", "", "IRQL", "may wait", "in", "after")
	for way, c := range j.found {
		in := "a worker thread"
		switch c.thread {
		case me:
			in = "whoever it met"
		case own:
			in = "a new thread"
		}
		if way == inDPC {
			in = "whoever it met"
		}
		fmt.Fprintf(w, "  %-18s%-7d%-10v%-20s%d us\n", wayNames[way], c.level, c.waited, in, c.after/10)
	}
	d, i, t := j.found[inDPC], j.found[inWorkItem], j.found[inThread]
	ok := d.level == DISPATCH_LEVEL && !d.waited &&
		i.level == PASSIVE_LEVEL && i.waited && i.thread != me && i.thread != own && i.priority >= 12 &&
		t.level == PASSIVE_LEVEL && t.waited && t.thread == own
	return verdict(w, ok, "the DPC ran at level %d, the work item at %d with priority %d, the thread at %d", d.level, i.level, i.priority, t.level)
}
