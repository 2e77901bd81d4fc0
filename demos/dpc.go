package demos

import (
	"fmt"
	"io"
	"sync/atomic"

	. "irqlab/wdk"
)

// deferrals is the data of demo dpc: objects, and a log of what ran where.
type deferrals struct {
	dpc [16]KDPC
	log [16]struct {
		number int32 // of the DPC
		cpu    ULONG
		level  KIRQL
		thread HANDLE
	}
	entries int32
}

// recordRun is the routine of all of them; the context tells them apart.
func recordRun(Dpc PKDPC, DeferredContext, SystemArgument1, _ PVOID) {
	d := (*deferrals)(DeferredContext)
	i := atomic.AddInt32(&d.entries, 1) - 1
	e := &d.log[i]
	e.number = int32(uintptr(SystemArgument1))
	e.cpu = KeGetCurrentProcessorNumber()
	e.level = KeGetCurrentIrql()
	e.thread = PsGetCurrentThreadId()
}

// queue queues DPC number n.
func (d *deferrals) queue(n int) { KeInsertQueueDpc(&d.dpc[n], PVOID(uintptr(n)), nil) }

func deferred(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	d, free := allocate[deferrals]()
	defer free()
	ok := d.importance(w)
	ok = d.target(w) && ok
	ok = d.threaded(w) && ok
	return verdict(w, ok, "DPCs ran in the order, on the processors and at the levels asked for")
}

// importance queues DPCs of all importances at DISPATCH_LEVEL.
func (d *deferrals) importance(w io.Writer) bool {
	names := [...]string{"low", "medium", "high", "medium-high", "high again"}
	importance := [...]KDPC_IMPORTANCE{LowImportance, MediumImportance, HighImportance, MediumHighImportance, HighImportance}
	want := [...]int32{4, 2, 0, 1, 3}
	fmt.Fprintln(w, "Importance: queued at DISPATCH_LEVEL in this order: low, medium, high, medium-high,\nhigh again. High ones go to the head of the queue.")
	d.entries = 0
	for i := range names {
		KeInitializeDpc(&d.dpc[i], recordRun, PVOID(d))
		KeSetImportanceDpc(&d.dpc[i], importance[i])
	}
	old := KeRaiseIrqlToDpcLevel()
	for i := range names {
		d.queue(i)
	}
	none := d.entries == 0
	KeLowerIrql(old)
	ran := int(d.entries)
	ok := none && ran == len(want)
	fmt.Fprint(w, "  ran when the level fell:")
	for i := range ran {
		fmt.Fprintf(w, " %s", names[d.log[i].number])
		if i < ran-1 {
			fmt.Fprint(w, ",")
		}
		ok = ok && d.log[i].number == want[i] && d.log[i].level == DISPATCH_LEVEL
	}
	fmt.Fprintln(w)
	return ok
}

// target queues a DPC for each processor.
func (d *deferrals) target(w io.Writer) bool {
	fmt.Fprintln(w, "Target: one DPC for each processor, queued by this one.")
	d.entries = 0
	for i := range processors() {
		KeInitializeDpc(&d.dpc[i], recordRun, PVOID(d))
		KeSetTargetProcessorDpc(&d.dpc[i], CCHAR(i))
		KeSetImportanceDpc(&d.dpc[i], MediumHighImportance)
		d.queue(i)
	}
	KeFlushQueuedDpcs()
	ok := int(d.entries) == processors()
	for _, e := range d.log[:d.entries] {
		fmt.Fprintf(w, "  for CPU %d: ran on CPU %d\n", e.number, e.cpu)
		ok = ok && ULONG(e.number) == e.cpu
	}
	return ok
}

// threaded queues an ordinary and a threaded DPC.
func (d *deferrals) threaded(w io.Writer) bool {
	fmt.Fprintln(w, "Threaded: an ordinary DPC runs in whatever thread it interrupts, a threaded one in a\nthread of its own.")
	d.entries = 0
	KeInitializeDpc(&d.dpc[0], recordRun, PVOID(d))
	KeInitializeThreadedDpc(&d.dpc[1], recordRun, PVOID(d))
	for i := range 2 {
		KeSetTargetProcessorDpc(&d.dpc[i], 0)
		d.queue(i)
	}
	KeFlushQueuedDpcs()
	ok := d.entries == 2
	for _, e := range d.log[:d.entries] {
		fmt.Fprintf(w, "  %s: at IRQL %d\n", [...]string{"ordinary", "threaded"}[e.number], e.level)
		want := DISPATCH_LEVEL
		if e.number == 1 {
			want = PASSIVE_LEVEL
		}
		ok = ok && e.level == want
	}
	return ok
}
