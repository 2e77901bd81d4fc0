// Package dpc has deferred procedure calls: work that an interrupt service
// routine, or anybody else, puts off until the processor falls below
// DISPATCH_LEVEL.
//
// Each processor has two queues, one of ordinary DPCs, served on its DPC stack
// by the DISPATCH interrupt, and one of threaded DPCs, served by a thread of
// the highest priority. What this package knows of a processor is its demand:
// whether to interrupt it for a new DPC or to let a few gather first.
//
// Lock order: each queue has a lock, held at HIGH_LEVEL because inserting is
// legal at any level. It is a leaf: nothing else is taken under it, and no two
// at once.
//
// Documentation: "Introduction to DPCs", "Organization of DPC Queues",
// "Introduction to Threaded DPCs", "KeInsertQueueDpc".
package dpc

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/irql"
)

// processor is what this package knows of one. The lock of the ordinary queue
// guards demand, that of the threaded queue the thread fields; the rest is
// written by the processor itself.
type processor struct {
	ordinary, threaded queue
	demand             demand

	threadBusy   bool    // the DPC thread was woken and has not found its queue empty since
	threadSignal uint32  // atomic: the DISPATCH interrupt is to wake it
	threadRuns   uintptr // context of the DPC thread while it is in a routine
	idle         uint32  // atomic: its idle thread runs

	running Running
	watch   watch
	stats   Stats
}

var processors [arch.MaxCPUs]processor

// Essentials calls add for the memory that says what the processors do; see package
// kernel.
func Essentials(add func(va, n uintptr)) {
	add(uintptr(unsafe.Pointer(&processors)), unsafe.Sizeof(processors))
}

// Start prepares a processor's queues, before its first interrupt.
func Start(cpu uint32) {
	p := &processors[cpu]
	p.ordinary.entries.Init()
	p.threaded.entries.Init()
	p.demand.init()
}

// Pending reports whether Drain has something to do: DPCs, work for the DPC
// thread, or a request to note as served although its DPC was removed.
//
// IRQL: any
func Pending(cpu uint32) bool {
	p := &processors[cpu]
	return atomic.LoadUint32(&p.ordinary.depth)|atomic.LoadUint32(&p.threadSignal) != 0 || p.demand.requested
}

// operation carries an Insert or Remove into kernel context.
type operation struct {
	object     *Object
	arg1, arg2 unsafe.Pointer
	ok         bool
}

// Insert queues the DPC and reports whether it did (KeInsertQueueDpc): false
// means that it was queued already, and nothing has changed. Inserted below
// DISPATCH_LEVEL for the same processor it has normally run when Insert
// returns.
//
// IRQL: any
func (d *Object) Insert(arg1, arg2 unsafe.Pointer) bool {
	if arch.InKernel() {
		return d.insert(arg1, arg2, false)
	}
	o := operation{object: d, arg1: arg1, arg2: arg2}
	arch.Gate(insert, unsafe.Pointer(&o))
	return o.ok
}

func insert(arg unsafe.Pointer) {
	o := (*operation)(arg)
	o.ok = o.object.insert(o.arg1, o.arg2, false)
}

// insert is Insert in kernel context. The object is not touched before the
// raise: a bad address is IRQL_NOT_LESS_OR_EQUAL.
func (d *Object) insert(arg1, arg2 unsafe.Pointer, byTimer bool) bool {
	old := irql.Current()
	irql.Set(irql.High)
	number := d.Number
	if d.timed != 0 && !byTimer && old <= irql.Dispatch {
		irql.Set(old)
		d.checkTimer()
		irql.Set(irql.High)
	}
	me := arch.ThisCPU()
	cpu := me.ID
	if number != 0 {
		cpu = d.target()
	}
	p := &processors[cpu%arch.MaxCPUs]
	q := &p.ordinary
	if d.Type == Threaded && WakeThread != nil {
		q = &p.threaded
	}
	q.lock.AcquireAtDpc()
	wake := false
	ok := q.claim(d)
	if ok {
		q.link(d, arg1, arg2)
		if q == &p.ordinary {
			wake = p.demand.wants(d.Importance, q.depth, cpu == me.ID, atomic.LoadUint32(&p.idle) != 0)
		} else if !p.threadBusy {
			p.threadBusy = true
			atomic.StoreUint32(&p.threadSignal, 1)
			wake = true
		}
	}
	q.lock.ReleaseFromDpc()
	if wake {
		if cpu == me.ID {
			board.RequestDispatch(me)
		} else {
			board.SendIPI(cpu, uintptr(irql.Dispatch))
		}
	}
	irql.Set(old)
	return ok
}

// target returns the processor that the object is meant for.
func (d *Object) target() uint32 {
	cpu := uint32(d.Number) - targetBase
	if n := atomic.LoadUint32(&arch.NumCPUs); cpu >= n {
		invalid(badProcessor, uintptr(unsafe.Pointer(d)), uintptr(cpu), uintptr(n))
	}
	return cpu
}

// Remove takes the DPC out of its queue and reports whether it was in one
// (KeRemoveQueueDpc). It does not wait for a routine that runs already.
//
// IRQL: any
func (d *Object) Remove() bool {
	o := operation{object: d}
	if arch.InKernel() {
		remove(unsafe.Pointer(&o))
	} else {
		arch.Gate(remove, unsafe.Pointer(&o))
	}
	return o.ok
}

func remove(arg unsafe.Pointer) {
	o := (*operation)(arg)
	old := irql.Current()
	irql.Set(irql.High)
	if q := (*queue)(unsafe.Pointer(atomic.LoadUintptr(&o.object.Data))); q != nil {
		q.lock.AcquireAtDpc()
		o.ok = q.unlink(o.object)
		q.lock.ReleaseFromDpc()
	}
	irql.Set(old)
}

// Drain runs all DPCs of the ordinary queue of the processor, which is the
// running one, and wakes its DPC thread if there is work for it. The DISPATCH
// interrupt calls it on the DPC stack, as long as there is something Pending.
// Interrupts are disabled at the call and at return.
//
// IRQL: DISPATCH_LEVEL
func Drain(cpu uintptr) {
	arch.EnableInterrupts()
	p := &processors[cpu%arch.MaxCPUs]
	var c call
	for more := true; more; {
		var ok bool
		if ok, more = p.next(&c); ok {
			p.run(uint32(cpu), &c)
		}
	}
	if atomic.LoadUint32(&p.threadSignal) != 0 {
		atomic.StoreUint32(&p.threadSignal, 0)
		WakeThread(uint32(cpu))
	}
	arch.DisableInterrupts()
}

// next takes the first DPC and reports whether there was one, and whether there
// are more. That the queue is empty and that it is no longer being served becomes
// true in one step, so no insert is left unserved.
func (p *processor) next(c *call) (ok, more bool) {
	q := &p.ordinary
	irql.Set(irql.High)
	q.lock.AcquireAtDpc()
	ok = q.take(c)
	more = q.depth != 0
	p.demand.active, p.demand.requested = more, false
	q.lock.ReleaseFromDpc()
	irql.Set(irql.Dispatch)
	return ok, more
}

// run calls one routine.
func (p *processor) run(cpu uint32, c *call) {
	started(cpu, c)
	p.watch.single = 0
	start := arch.Counter()
	p.running = Running{start, c.routine}
	apcs := apcDisable()
	(*(*Routine)(unsafe.Pointer(&c.routine)))(c.object, c.context, c.arg1, c.arg2)
	if level := irql.Current(); level != irql.Dispatch {
		returnedAt(level, irql.Dispatch, c)
	}
	if now := apcDisable(); now != apcs {
		invalid(apcCount, EntryPoint(c.routine), uintptr(apcs), uintptr(now))
	}
	p.running.Routine = 0
	p.stats.add(arch.Counter()-start, c.routine)
	ended(cpu, c)
}

// APCDisable is the distance from a thread's context to its two counts of
// disabled APCs, which a DPC routine must leave as they are. Set at boot.
var APCDisable uintptr

func apcDisable() uint32 {
	return *(*uint32)(unsafe.Add(unsafe.Pointer(arch.ThisContext()), APCDisable))
}

// Parameter 1 of bug check TIMER_OR_DPC_INVALID. The last is not documented:
// Windows does not check for that.
const (
	objectFreed  = 1
	routineFreed = 2
	badProcessor = 3
	apcCount     = 4
	ofTimer      = 6
)

func invalid(kind, p2, p3, p4 uintptr) { bugcheck.Stop(bugcheck.TimerOrDPCInvalid, kind, p2, p3, p4) }

// returnedAt stops the machine because a routine changed the level.
func returnedAt(level, want irql.Level, c *call) {
	const byDPC = 2 // UniqueValue; 0 and 1 are APCs
	bugcheck.Stop(bugcheck.IRQLUnexpectedValue, uintptr(level)<<16|uintptr(want)<<8|byDPC,
		EntryPoint(c.routine), uintptr(unsafe.Pointer(c.object)), 0)
}

// CheckFree stops the machine if a queued DPC, or the routine of one, lies in
// [lo, hi), which is about to be freed. It is meant for pool.OnFree.
//
// IRQL: <= DISPATCH_LEVEL
func CheckFree(lo, hi uintptr) {
	for i := range atomic.LoadUint32(&arch.NumCPUs) {
		processors[i].ordinary.checkFree(lo, hi)
		processors[i].threaded.checkFree(lo, hi)
	}
}

func (q *queue) checkFree(lo, hi uintptr) {
	// The caller owns the memory: nobody can be queueing an object in it now.
	if atomic.LoadUint32(&q.depth) == 0 {
		return
	}
	old := q.acquire()
	d := q.find(lo, hi)
	q.release(old)
	if d == nil {
		return
	}
	if a := uintptr(unsafe.Pointer(d)); a < hi && a+size > lo {
		invalid(objectFreed, a, lo, hi)
	}
	invalid(routineFreed, d.Routine, lo, hi)
}

// Idle reports whether a processor's idle thread runs.
//
// IRQL: any
func Idle(cpu uint32) bool { return atomic.LoadUint32(&processors[cpu].idle) != 0 }

// SetIdle says whether the processor's idle thread runs. While it does, a DPC of
// any importance interrupts the processor at once; the idle thread looks at
// Pending before it halts. Either an inserting processor sees the flag, or the
// idle thread the DPC.
//
// IRQL: >= DISPATCH_LEVEL
func SetIdle(cpu uint32, idle bool) {
	v := uint32(0)
	if idle {
		v = 1
	}
	atomic.SwapUint32(&processors[cpu].idle, v)
}
