package levels

import (
	"sync/atomic"

	"irqlab/irql"
	"irqlab/tests/kit"
	. "irqlab/wdk"

	"irqlab/internal/spec"
)

func init() { add(dpcProbes); add(interruptProbes); add(workProbes); add(apcProbes) }

// simply probes a routine that needs nothing and has no result to look at.
func simply(routine func()) probe {
	return probe{call: func(c *caller) { c.at(routine) }}
}

// deferred is a DPC routine that does nothing, and so is service an interrupt
// service routine.
func deferred(PKDPC, PVOID, PVOID, PVOID) {}

func service(PKINTERRUPT, PVOID) BOOLEAN { return true }

func newDPC(c *caller) PKDPC {
	d := kit.New[KDPC](c)
	KeInitializeDpc(d, deferred, nil)
	return d
}

var dpcProbes = map[string]probe{
	"KeInitializeDpc":         {call: func(c *caller) { d := kit.New[KDPC](c); c.at(func() { KeInitializeDpc(d, deferred, nil) }) }},
	"KeInitializeThreadedDpc": {call: func(c *caller) { d := kit.New[KDPC](c); c.at(func() { KeInitializeThreadedDpc(d, deferred, nil) }) }},
	"KeInsertQueueDpc": {call: func(c *caller) {
		d, ok := newDPC(c), false
		if c.at(func() { ok = KeInsertQueueDpc(d, nil, nil) }) {
			c.want(ok, "not queued")
		}
		KeFlushQueuedDpcs()
	}},
	"KeRemoveQueueDpc": {call: func(c *caller) {
		d, ok := newDPC(c), false
		if c.at(func() {
			old := irql.Raise(max(c.level, irql.Dispatch))
			KeInsertQueueDpc(d, nil, nil)
			ok = KeRemoveQueueDpc(d)
			irql.Lower(old)
		}) {
			c.want(ok, "not removed")
		}
	}},
	"KeSetImportanceDpc":      {call: func(c *caller) { d := newDPC(c); c.at(func() { KeSetImportanceDpc(d, HighImportance) }) }},
	"KeSetTargetProcessorDpc": {call: func(c *caller) { d := newDPC(c); c.at(func() { KeSetTargetProcessorDpc(d, 0) }) }},
	"KeSetTargetProcessorDpcEx": {call: func(c *caller) {
		d, s := newDPC(c), STATUS_UNSUCCESSFUL
		if c.at(func() { s = KeSetTargetProcessorDpcEx(d, new(PROCESSOR_NUMBER)) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"KeFlushQueuedDpcs": simply(KeFlushQueuedDpcs),
	"KeIsExecutingDpc": {call: func(c *caller) {
		executing := true
		if c.at(func() { executing = KeIsExecutingDpc() }) {
			c.want(!executing, "a thread is a DPC")
		}
	}},
}

// interrupt connects one that no device has.
func interrupt(c *caller, level, synchronize KIRQL) PKINTERRUPT {
	var i PKINTERRUPT
	if s := IoConnectInterrupt(&i, service, nil, nil, SoftwareVector, level, synchronize, Latched, false, 1, false); s != STATUS_SUCCESS {
		c.Fatal(s)
	}
	c.Cleanup(func() { IoDisconnectInterrupt(i) })
	return i
}

// synchronized probes a call for an interrupt with the given SynchronizeIrql.
func synchronized(synchronize KIRQL, routine, undo func(i PKINTERRUPT, old *KIRQL)) func(c *caller) {
	return func(c *caller) {
		i, old := interrupt(c, irql.DeviceMin, synchronize), new(KIRQL)
		c.at(func() { routine(i, old) }, func() { undo(i, old) })
	}
}

func acquireInterrupt(i PKINTERRUPT, old *KIRQL) { *old = KeAcquireInterruptSpinLock(i) }

func releaseInterrupt(i PKINTERRUPT, old *KIRQL) { KeReleaseInterruptSpinLock(i, *old) }

func synchronize(i PKINTERRUPT, _ *KIRQL) {
	KeSynchronizeExecution(i, func(PVOID) BOOLEAN { return true }, nil)
}

func nothing(PKINTERRUPT, *KIRQL) {}

var toDevice6 = &spec.Levels{Min: 0, Max: 6}

var interruptProbes = map[string]probe{
	"IoConnectInterrupt": {call: func(c *caller) {
		var i PKINTERRUPT
		s := STATUS_UNSUCCESSFUL
		if c.at(func() {
			s = IoConnectInterrupt(&i, service, nil, nil, SoftwareVector, 3, 3, Latched, false, 1, false)
		}) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
			IoDisconnectInterrupt(i)
		}
	}},
	"IoDisconnectInterrupt": {call: func(c *caller) {
		var i PKINTERRUPT
		IoConnectInterrupt(&i, service, nil, nil, SoftwareVector, 3, 3, Latched, false, 1, false)
		if !c.at(func() { IoDisconnectInterrupt(i) }) {
			IoDisconnectInterrupt(i)
		}
	}},
	"KeAcquireInterruptSpinLock":                   {stop: notGreater, call: synchronized(irql.DeviceMax, acquireInterrupt, releaseInterrupt)},
	"KeAcquireInterruptSpinLock SynchronizeIrql=6": {levels: toDevice6, stop: notGreater, call: synchronized(6, acquireInterrupt, releaseInterrupt)},
	"KeSynchronizeExecution":                       {stop: notGreater, call: synchronized(irql.DeviceMax, synchronize, nothing)},
	"KeSynchronizeExecution SynchronizeIrql=6":     {levels: toDevice6, stop: notGreater, call: synchronized(6, synchronize, nothing)},
	// The level is that of the interrupt, whatever that is.
	"KeReleaseInterruptSpinLock": {call: func(c *caller) {
		own := min(max(c.level, irql.DeviceMin), irql.DeviceMax)
		c.says = &spec.Levels{Min: int(own), Max: int(own)}
		i := interrupt(c, irql.DeviceMin, own)
		c.at(func() {
			if c.level == own {
				KeAcquireInterruptSpinLock(i)
			}
			KeReleaseInterruptSpinLock(i, c.level)
		})
	}},
	"KeReleaseInterruptSpinLock SynchronizeIrql=6": {levels: &spec.Levels{Min: 6, Max: 6}, call: func(c *caller) {
		i := interrupt(c, irql.DeviceMin, 6)
		c.at(func() {
			if c.level == 6 {
				KeAcquireInterruptSpinLock(i)
			}
			KeReleaseInterruptSpinLock(i, c.level)
		})
	}},
}

// worked counts the calls of work routines.
var worked atomic.Int32

func work(PVOID) { worked.Add(1) }

func deviceWork(PVOID, PVOID) { worked.Add(1) }

func deviceWorkEx(PVOID, PVOID, PIO_WORKITEM) { worked.Add(1) }

// queues probes a routine that queues a work item.
func queues(c *caller, queue func()) {
	before := worked.Load()
	if c.at(queue) {
		kit.Until(c, "work item served", func() bool { return worked.Load() == before+1 })
	}
}

var workProbes = map[string]probe{
	"ExInitializeWorkItem": {call: func(c *caller) {
		w := kit.New[WORK_QUEUE_ITEM](c)
		c.at(func() { ExInitializeWorkItem(w, work, nil) })
	}},
	"ExQueueWorkItem": {call: func(c *caller) {
		w := kit.New[WORK_QUEUE_ITEM](c)
		ExInitializeWorkItem(w, work, nil)
		queues(c, func() { ExQueueWorkItem(w, DelayedWorkQueue) })
	}},
	"IoAllocateWorkItem": {call: func(c *caller) {
		var w PIO_WORKITEM
		if c.at(func() { w = IoAllocateWorkItem(nil) }) {
			IoFreeWorkItem(w)
		}
	}},
	"IoFreeWorkItem": {call: func(c *caller) {
		w := IoAllocateWorkItem(nil)
		if !c.at(func() { IoFreeWorkItem(w) }) {
			IoFreeWorkItem(w)
		}
	}},
	"IoSizeofWorkItem":     simply(func() { IoSizeofWorkItem() }),
	"IoInitializeWorkItem": {call: func(c *caller) { w := kit.New[IO_WORKITEM](c); c.at(func() { IoInitializeWorkItem(nil, w) }) }},
	"IoUninitializeWorkItem": {call: func(c *caller) {
		w := kit.New[IO_WORKITEM](c)
		IoInitializeWorkItem(nil, w)
		c.at(func() { IoUninitializeWorkItem(w) })
	}},
	"IoQueueWorkItem": {call: func(c *caller) {
		w := IoAllocateWorkItem(nil)
		queues(c, func() { IoQueueWorkItem(w, deviceWork, DelayedWorkQueue, nil) })
		IoFreeWorkItem(w)
	}},
	"IoQueueWorkItemEx": {call: func(c *caller) {
		w := IoAllocateWorkItem(nil)
		queues(c, func() { IoQueueWorkItemEx(w, deviceWorkEx, DelayedWorkQueue, nil) })
		IoFreeWorkItem(w)
	}},
}

// delivered counts the calls of special APCs' kernel routines.
var delivered atomic.Int32

func special(PKAPC, *PKNORMAL_ROUTINE, *PVOID, *PVOID, *PVOID) { delivered.Add(1) }

func normal(PVOID, PVOID, PVOID) {}

var apcProbes = map[string]probe{
	"KeInitializeApc": {call: func(c *caller) {
		a := kit.New[KAPC](c)
		c.at(func() {
			KeInitializeApc(a, KeGetCurrentThread(), OriginalApcEnvironment, special, nil, nil, KernelMode, nil)
		})
	}},
	"KeInsertQueueApc": {call: func(c *caller) {
		a, before := kit.New[KAPC](c), delivered.Load()
		KeInitializeApc(a, KeGetCurrentThread(), OriginalApcEnvironment, special, nil, nil, KernelMode, nil)
		if c.at(func() { KeInsertQueueApc(a, nil, nil, 0) }) {
			c.want(delivered.Load() == before+1, "not delivered")
		}
	}},
	"KeRemoveQueueApc": {call: inRegion(func(c *caller) {
		a, ok := kit.New[KAPC](c), false
		KeInitializeApc(a, KeGetCurrentThread(), OriginalApcEnvironment, special, nil, normal, KernelMode, nil)
		KeInsertQueueApc(a, nil, nil, 0)
		if c.at(func() { ok = KeRemoveQueueApc(a) }) {
			c.want(ok, "not removed")
		} else {
			KeRemoveQueueApc(a)
		}
	})},
	"KeFlushQueueApc": {call: func(c *caller) {
		first := new(LIST_ENTRY)
		if c.at(func() { first = KeFlushQueueApc(KeGetCurrentThread(), UserMode) }) {
			c.want(first == nil, "flushed what was not queued")
		}
	}},
}
