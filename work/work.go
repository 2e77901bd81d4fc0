// Package work has the worker threads that run work items: sync.WorkItem, and
// what package wdk makes of it. Importing it is what makes them available.
//
// Each of the system's queues, one for each priority, has threads of its own, which
// are system threads and wait on the queue, a KQUEUE whose bound is the number of
// processors. There are none to begin with. When a queue starves, because every
// thread that it has runs or waits for something else, the manager adds one, at most
// a hundred a second; so a routine that waits for another item of its queue gets on.
// Threads beyond the first few end after ten idle minutes.
//
// A queue has at most Limit threads. Routines that all wait for items that only
// they could run deadlock it then, as the documentation warns.
//
// The package is ordinary Go, not resident: threads are made at PASSIVE_LEVEL.
// The manager is a thread too, because a DPC may queue the first item.
//
// Documentation: "System Worker Threads".
package work

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/thread"
)

// Limit bounds the threads of one queue.
const Limit = 64

// Idle is how long a thread beyond a queue's first few waits for an item before
// it ends, as a timeout.
var Idle int64 = -600 * kernel.Second

// pool are the threads of one queue.
type pool struct {
	queue    *sync.Queue
	priority int8
	name     string
	keep     int32 // threads that stay when idle
	threads  atomic.Int32
}

// pools are by priority; there is none for 0. What the first queues that Windows
// had keep follows ReactOS.
var pools = [kernel.MaxPriority + 1]pool{
	13: {name: "critical work", keep: 5},
	12: {name: "delayed work", keep: 3},
	15: {name: "hypercritical", keep: 1},
}

// wanted is signalled when a queue starves. It is static data, as kernel objects
// of the kernel's own may be.
var wanted kernel.Header

func init() {
	if !kernel.Booted() {
		return
	}
	wanted.Init(kernel.TypeSynchronizationEvent, unsafe.Sizeof(wanted), 0)
	var a kernel.Args
	kernel.Enter(prepare, &a)
	go manage()
}

func prepare(*kernel.Args) {
	old := kernel.LockDispatcher()
	for i := range pools {
		sync.SystemWork(int8(i))
	}
	kernel.UnlockDispatcher(old)
	kernel.QueueStarves = starves
}

// starves wakes the manager. Dispatcher lock held.
func starves(*kernel.Queue) {
	wanted.SignalState = 1
	wanted.Signal(0)
}

// Threads returns the number of threads of a queue.
func Threads(which sync.WorkQueue) int { return int(pools[which.Priority()].threads.Load()) }

// manage adds threads to queues that starve.
func manage() {
	runtime.LockOSThread()
	for i := range pools {
		p := &pools[i]
		p.queue, p.priority = sync.SystemWork(int8(i)), int8(i)
		if p.name == "" {
			p.name = fmt.Sprintf("work at %d", i)
		}
	}
	pause := int64(-10 * kernel.Millisecond)
	timeout := (*int64)(nil)
	for {
		sync.Wait(&wanted, timeout, false, kernel.KernelMode)
		timeout = nil
		for i := range pools {
			if p := &pools[i]; p.starving() && p.threads.Load() < Limit {
				p.grow()
				timeout = &pause // a new thread needs a moment to be of use
			}
		}
	}
}

func (p *pool) starving() bool {
	if p.queue.Len() == 0 {
		return false
	}
	a := kernel.Args{P: unsafe.Pointer(p.queue)}
	kernel.Enter(starving, &a)
	return a.R != 0
}

func starving(a *kernel.Args) {
	old := kernel.LockDispatcher()
	if (*kernel.Queue)(a.P).Starving() {
		a.R = 1
	}
	kernel.UnlockDispatcher(old)
}

func (p *pool) grow() {
	p.threads.Add(1)
	t, ok := thread.Start(p.name, p.serve)
	if !ok {
		p.threads.Add(-1)
		return
	}
	t.Dereference()
}

// serve is a worker thread.
func (p *pool) serve() {
	a := kernel.Args{A: uintptr(p.priority)}
	kernel.Enter(setPriority, &a)
	for {
		idle := Idle
		e, s := p.queue.Remove(&idle, kernel.KernelMode)
		switch {
		case e != nil:
			run((*sync.WorkItem)(unsafe.Pointer(e))) // Entry is its first field
		case s == ntstatus.Timeout && p.shrink():
			return
		}
	}
}

func setPriority(a *kernel.Args) {
	t := kernel.Current()
	if a.A >= kernel.LowRealtime {
		t.SetPriority(int8(a.A)) // which does not sink to the base
	} else {
		t.SetBasePriority(int(a.A) - kernel.DefaultPriority)
	}
}

// shrink reports whether an idle thread may end, and counts it less.
func (p *pool) shrink() bool {
	for {
		n := p.threads.Load()
		if n <= p.keep {
			return false
		}
		if p.threads.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// run calls an item's routine. Only the address of the item is used afterwards:
// the routine may have freed it.
func run(w *sync.WorkItem) {
	code, parameter, item := w.Routine, w.Parameter, uintptr(unsafe.Pointer(w))
	// The routine may end what keeps its closure alive; this does as well.
	routine := *(*sync.WorkRoutine)(unsafe.Pointer(&code))
	t := kernel.Current()
	entry := *(*uintptr)(unsafe.Pointer(code))
	own := t.Routine
	t.Work, t.Routine = item, entry
	routine(parameter)
	t.Work, t.Routine = 0, own
	if l := irql.Current(); l != irql.Passive {
		bugcheck.Stop(bugcheck.WorkerThreadReturnedAtBadIRQL, entry, uintptr(l), uintptr(parameter), item)
	}
	if t.OwnsMutex() != nil {
		bugcheck.Stop(bugcheck.SystemExitOwnedMutex, entry, uintptr(parameter), item, 0)
	}
	if t.APCsDisabled() {
		const byWorker = 1
		bugcheck.Stop(bugcheck.APCIndexMismatch, entry, 0, uintptr(uint16(t.KernelAPCs))|uintptr(uint16(t.SpecialAPCs))<<16, byWorker)
	}
	runtime.KeepAlive(routine)
}
